"""Full text of the passages: which hold the words asked for, by BM25, and how common words are (FTS5)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.archive_tables import filters
from rag.database import Database
from rag.schema import Passage, TimeWindow
from rag.words import STOP_WORDS

_WORD = re.compile(r"\w+")


class FullText:
    """The index of words over the current passages."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def search(
        self, query: str, *, limit: int, window: TimeWindow | None = None, sources: Sequence[str] = ()
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (passage id, BM25 score), best (highest) first, ties by id.

        Any word of `query` may match; a match in the title counts twice.
        """
        words = list(dict.fromkeys(_WORD.findall(query.lower())))
        words = [word for word in words if word not in STOP_WORDS] or words
        if not words:
            return []
        condition, values = filters(window, sources)
        rows = self._db.rows(
            "SELECT p.id, bm25(passages_text, 2.0, 1.0) AS score FROM passages_text "
            "JOIN passages p ON p.rowid = passages_text.rowid "
            "JOIN articles a ON a.id = p.article_id AND a.version = p.version "
            f"WHERE passages_text MATCH ?{condition} ORDER BY score, p.id LIMIT ?",
            [" OR ".join(f'"{word}"' for word in words), *values, limit],
        )
        return [(row["id"], -float(row["score"])) for row in rows]  # SQLite's score is lower for better

    def add(self, passages: Sequence[Passage]) -> None:
        """Take in passages that were stored; a trigger of the table does it."""

    def document_frequencies(self, words: Sequence[str]) -> tuple[dict[str, int], int]:
        """Return in how many passages each word (or a form of it) occurs, and the number of passages."""
        found = {word: self._count("passages_text WHERE passages_text MATCH ?", [f'"{word}"']) for word in words}
        return found, self._count("passages")

    def _count(self, of: str, values: Sequence[object] = ()) -> int:
        return int(self._db.rows(f"SELECT count(*) AS n FROM {of}", values)[0]["n"])
