"""BEIR (Thakur et al. 2021, arXiv:2104.08663): a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv.

Corpus: _id, title (may be empty), text. Queries: _id, text. Judgements: query-id, corpus-id and score, separated by
tabs, under a header. They tell which documents are relevant, not what the answer is, so they become
`RetrievalQuestion`s. Only queries with a judgement are asked, and a score of 0 or less is not relevant, as in BEIR's
own evaluation; so is leaving out of a result the document with the query's id. Documents keep their ids: put one
dataset into an archive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from eval.adapters.adapted import Adapted, adapted
from eval.adapters.quoting import Pool, one_line
from eval.adapters.reading import Faults, Filled, Id, Layout, read_entries, read_text
from eval.adapters.retrieval import RetrievalQuestion
from eval.datasets import Split
from rag.errors import DatasetError

_EMPTY = "documents left out, as they have neither title nor text"
_NOT_THERE = "relevant documents that are not in the corpus; they count as not found"
_NOTHING_RELEVANT = "questions left out, as no document is relevant to them"
_COLUMNS = 3


class _Document(Layout):
    id: Annotated[Id, Field(validation_alias="_id")]
    title: str | None = ""
    text: str


class _Query(Layout):
    id: Annotated[Id, Field(validation_alias="_id")]
    text: Filled


def read_beir(path: Path, split: Split) -> Adapted:
    """Read a BEIR folder, or one of its files of judgements (qrels/dev.tsv); see `eval.adapters.adapt`."""
    folder, qrels = _places(path)
    counts: Counter[str] = Counter()
    pool = _corpus(folder / "corpus.jsonl", counts)
    texts = _queries(folder / "queries.jsonl")
    faults = Faults(qrels)
    grades: dict[str, dict[str, int]] = {}
    for where, query, document, score in _judgements(qrels, faults):
        if query not in texts:
            faults.add(where, f"the query {query!r} is not in queries.jsonl")
        grades.setdefault(query, {})[document] = score
    faults.raise_any()
    questions = []
    for query, judged in grades.items():
        relevant = {document: score for document, score in judged.items() if score > 0 and document != query}
        if not relevant:
            counts[_NOTHING_RELEVANT] += 1
            continue
        counts[_NOT_THERE] += sum(document not in pool for document in relevant)
        ignored = (query,) if query in pool else ()
        questions.append(RetrievalQuestion(query, texts[query], relevant, ignored, split))
    return adapted(qrels, (), pool, counts, questions)


def _places(path: Path) -> tuple[Path, Path]:
    folder, qrels = (path, path / "qrels" / "test.tsv") if path.is_dir() else (path.parent.parent, path)
    if not qrels.exists():
        others = ", ".join(sorted(file.name for file in qrels.parent.glob("*.tsv"))) or "none"
        raise DatasetError(f"{qrels} is not there: give a BEIR folder or one of its qrels ({others}).")
    return folder, qrels


def _corpus(path: Path, counts: Counter[str]) -> Pool:
    faults = Faults(path)
    pool = Pool("beir")
    for entry in read_entries(path):
        document = faults.checked(_Document, entry)
        if document is None or faults.repeated(document.id, entry.where):
            continue
        if pool.add(document.text, title=document.title or "", id_=document.id) is None:
            counts[_EMPTY] += 1
    faults.raise_any()
    return pool


def _queries(path: Path) -> dict[str, str]:
    faults = Faults(path)
    texts = {}
    for entry in read_entries(path):
        query = faults.checked(_Query, entry)
        if query and not faults.repeated(query.id, entry.where):
            texts[query.id] = one_line(query.text)
    faults.raise_any()
    return texts


def _judgements(path: Path, faults: Faults) -> Iterator[tuple[str, str, str, int]]:
    """Yield place, query, document and score of each line; the first is the header, if its score is no number."""
    for number, line in enumerate(read_text(path).split("\n"), 1):
        cells = [cell.strip() for cell in line.split("\t")]
        if not line.strip() or (number == 1 and _score(cells[-1]) is None):
            continue
        score = _score(cells[-1])
        if len(cells) != _COLUMNS or score is None:
            faults.add(f"line {number}", "needs query-id, corpus-id and a whole number, separated by tabs")
            continue
        yield f"line {number}", cells[0], cells[1], score


def _score(text: str) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None
