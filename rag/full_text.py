"""Full text of the passages: which hold the words asked for, by BM25, and how common words are. Only file with tantivy.

The archive's passages are the truth; the index beside the archive's file follows them. Each passage that comes or goes
leaves a row in `text_changes`, in the same transaction; `refresh` carries these over, so a run killed anywhere loses
nothing, and an index that is missing or does not fit is made again. SQLite's own full text (FTS5) scores each passage
that matches: at 500,000 passages questions took 120 ms where this takes 2 (`python -m bench.growth` measures it).
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.archive_tables import epoch
from rag.database import Database
from rag.errors import StoreError
from rag.schema import Passage, TimeWindow
from rag.words import STOP_WORDS

if TYPE_CHECKING:
    from tantivy import Index, IndexWriter, Query, Schema, TextAnalyzer

_PART = re.compile(r'"([^"]*)"|(\w+)(\*?)')
_ANALYZER = "news"
_LONGEST_WORD = 100
_BATCH = 2000  # passages per commit; the rest of a large change follows in further ones
_HEAP_BYTES = 50_000_000
_SPARE = 32  # hits beyond the limit, so that which of equal ones are left out does not depend on the index's files


class FullText:
    """The index of words over the current passages. Threads may share one object."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._db = db
        self._folder = folder
        self._lock = threading.RLock()
        self._index: Index | None = None
        self._writer: IndexWriter | None = None

    def close(self) -> None:
        """Release the folder."""
        with self._lock:
            writer, self._writer, self._index = self._writer, None, None
            if writer is not None:
                writer.wait_merging_threads()

    def search(
        self, query: str, *, limit: int, window: TimeWindow | None = None, sources: Sequence[str] = ()
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (passage id, BM25 score), best (highest) first, ties by id.

        Any word of `query` may match; a word in the title counts twice. `"several words"` match where they stand
        together, `word*` where a word begins so.
        """
        from tantivy import Occur, Query

        index = self._opened()
        parts = self._parts(query, index.schema)
        if not parts:
            return []
        wanted = [(Occur.Must, Query.boolean_query([(Occur.Should, part) for part in parts]))]
        wanted += [(Occur.Must, Query.const_score_query(part, 0.0)) for part in _filters(index.schema, window, sources)]
        searcher = index.searcher()
        hits = searcher.search(Query.boolean_query(wanted), limit + _SPARE, count=False).hits
        found = [(str(searcher.doc(address)["id"][0]), float(score)) for score, address in hits]
        return sorted(found, key=lambda item: (-item[1], item[0]))[:limit]

    def document_frequencies(self, words: Sequence[str]) -> tuple[dict[str, int], int]:
        """Return in how many passages each word (or a form of it) occurs, and the number of passages."""
        searcher = self._opened().searcher()
        analyzer = _analyzer()

        def frequency(word: str) -> int:
            parts = analyzer.analyze(word)
            return min((searcher.doc_freq("words", part) for part in parts), default=0)

        return {word: frequency(word) for word in words}, searcher.num_docs

    def add(self, passages: Sequence[Passage]) -> None:
        """Take in passages that were stored; a trigger of the table notes them for `refresh`."""

    def refresh(self) -> None:
        """Carry over what has changed in the archive. Of two processes the one that writes the index does it."""
        self._opened()

    def _opened(self) -> Index:
        """Return the index with all that the archive holds."""
        with self._lock:
            first = self._index is None
            index = self._index = self._index or _open(self._folder)
            if self._changes(1) and self._may_write(index):
                self._carry_over(index)
            if first and index.searcher().num_docs != self._count("passages") and self._may_write(index):
                self._begin_anew()
                self._carry_over(index)
            return index

    def _begin_anew(self) -> None:
        """Note all passages as changed, and empty the index."""
        with self._db.transaction() as db:
            db.execute("DELETE FROM text_changes")
            db.execute("INSERT INTO text_changes (passage_id) SELECT id FROM passages ORDER BY rowid")
        if self._writer is not None:
            self._writer.delete_all_documents()
            self._writer.commit()

    def _may_write(self, index: Index) -> bool:
        if self._writer is None:
            try:
                self._writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
            except ValueError as error:
                if "LockBusy" in str(error):  # another process writes it
                    return False
                raise _failed(self._folder, error) from error
        return True

    def _carry_over(self, index: Index) -> None:
        writer = self._writer
        if writer is None:
            raise RuntimeError("the index is not open for writing")
        while changes := self._changes(_BATCH):
            ids = list(dict.fromkeys(id_ for _, id_ in changes))
            try:
                for id_ in ids:
                    writer.delete_documents_by_term("id", id_)
                for document in self._documents(ids):
                    writer.add_json(document)
                writer.commit()
            except ValueError as error:
                self._writer = None  # a writer that failed once does not recover
                raise _failed(self._folder, error) from error
            with self._db.transaction() as db:
                db.execute("DELETE FROM text_changes WHERE seq <= ?", [changes[-1][0]])
        index.reload()

    def _changes(self, limit: int) -> list[tuple[int, str]]:
        rows = self._db.rows("SELECT seq, passage_id FROM text_changes ORDER BY seq LIMIT ?", [limit])
        return [(int(row["seq"]), str(row["passage_id"])) for row in rows]

    def _documents(self, ids: Sequence[str]) -> Iterator[str]:
        import json

        marks = ", ".join("?" * len(ids))
        rows = self._db.rows(
            "SELECT p.id, p.title, p.text, a.source, a.published_at FROM passages p "
            f"JOIN articles a ON a.id = p.article_id AND a.version = p.version WHERE p.id IN ({marks}) "
            "ORDER BY p.rowid",
            ids,
        )
        for row in rows:
            document = {
                "id": row["id"],
                "words": f"{row['title']}\n{row['title']}\n{row['text']}",
                "source": row["source"],
            }
            if row["published_at"] is not None:
                document["published"] = row["published_at"]
            yield json.dumps(document)

    def _count(self, of: str) -> int:
        return int(self._db.rows(f"SELECT count(*) AS n FROM {of}")[0]["n"])

    def _parts(self, query: str, schema: Schema) -> list[Query]:
        """Return what may match: words without those that say nothing, phrases, beginnings of words."""
        from tantivy import Query

        analyzer = _analyzer()
        said = list(dict.fromkeys(_PART.findall(query.lower())))
        words = [word for _, word, star in said if word and not star]
        telling = [word for word in words if word not in STOP_WORDS]
        if telling:  # a question that quotes: the words count too, in case that they stand otherwise
            quoted = [word for phrase, _, _ in said for word in phrase.split() if word not in STOP_WORDS]
            telling = list(dict.fromkeys([*telling, *quoted]))
        others = [part for part in said if not part[1] or part[2]]
        parts = [
            Query.term_query(schema, "words", token)
            for token in dict.fromkeys(
                token for word in telling or ([] if others else words) for token in analyzer.analyze(word)
            )
        ]
        for phrase, begin, _ in others:
            tokens = analyzer.analyze(phrase)
            if begin:
                forms = [f"{_folded(begin)}.*", *analyzer.analyze(begin)]
                if 2 < len(forms[0]) <= _LONGEST_WORD:  # letters and digits alone: nothing to escape
                    parts.append(Query.regex_query(schema, "words", "|".join(forms)))
            elif len(tokens) > 1:
                parts.append(Query.phrase_query(schema, "words", list(enumerate(tokens))))
            elif tokens:
                parts.append(Query.term_query(schema, "words", tokens[0]))
        return parts


def _filters(schema: Schema, window: TimeWindow | None, sources: Sequence[str]) -> list[Query]:
    from tantivy import FieldType, Query

    filters = []
    if window and (window.since or window.until):
        filters.append(
            Query.range_query(
                schema,
                "published",
                FieldType.Integer,
                epoch(window.since) if window.since else None,
                epoch(window.until) if window.until else None,
                include_upper=window.until is None,
            )
        )
    if sources:
        filters.append(Query.term_set_query(schema, "source", list(sources)))
    return filters


def _failed(folder: Path, error: Exception) -> StoreError:
    return StoreError(f"The full text in {folder} cannot be written ({error}): check the disk's space and its owner.")


def _open(folder: Path) -> Index:
    """Open the index, making it if need be; one that cannot be read is made anew."""
    from tantivy import Index, SchemaBuilder

    folder.mkdir(parents=True, exist_ok=True)
    builder = SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", tokenizer_name=_ANALYZER, index_option="position")
    builder.add_text_field("source", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("published", indexed=True, fast=True)
    schema = builder.build()
    try:
        index = Index(schema, path=str(folder))
    except ValueError:
        shutil.rmtree(folder)
        folder.mkdir()
        index = Index(schema, path=str(folder))
    index.register_tokenizer(_ANALYZER, _analyzer())
    return index


@cache
def _analyzer() -> TextAnalyzer:
    """Return how text becomes words: lower case, without accents, English stems."""
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(_LONGEST_WORD))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.stemmer("English"))
        .build()
    )


def _folded(word: str) -> str:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    folding = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase()).filter(Filter.ascii_fold()).build()
    return "".join(folding.analyze(word))
