"""Questions that tell which articles are relevant, and how much, but not what the answer is: BEIR's and TREC's form.

They are no `EvalQuestion`: that has answers and quotes, or says that the archive has none, and to claim either would
be made up. They measure the search alone.

One object a line:
    {"id": "q1", "question": "...", "relevant": {"article id": 2}, "ignored": ["article id"], "split": "dev"}
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from eval.adapters.reading import Faults, Filled, Layout, read_entries
from eval.datasets import EvalQuestion, Split
from rag.errors import DatasetError

Search = Callable[[str], Iterable[str]]
"""A question to the article ids of the places of its result, best first."""


@dataclass(frozen=True, slots=True)
class RetrievalQuestion:
    """One question with its relevant articles.

    Attributes:
        relevant: Grade by article id, 1 or more; what is not there is not relevant. Never empty.
        ignored: Articles to take out of a result before it is scored: the question's own text, where questions are
            articles of the corpus too (ArguAna, Quora).
    """

    id: str
    question: str
    relevant: Mapping[str, int]
    ignored: tuple[str, ...]
    split: Split


@dataclass(frozen=True, slots=True)
class GradedRanking:
    """What a search found for a question, ready for nDCG and its kin.

    Attributes:
        ranked: Article ids, best first, each once at its best place.
        grades: Grade by article id, 1 or more, of all relevant articles, found or not.
    """

    id: str
    ranked: tuple[str, ...]
    grades: Mapping[str, int]


def graded_rankings(questions: Sequence[RetrievalQuestion], search: Search) -> list[GradedRanking]:
    """Ask a search each question, in order.

    A result's places are passages and the judgements are of articles, so an article counts once, at its best passage:
    search deep enough that k articles are left (BEIR ranks documents).
    """
    found = []
    for question in questions:
        ranked = dict.fromkeys(id_ for id_ in search(question.question) if id_ not in question.ignored)
        found.append(GradedRanking(question.id, tuple(ranked), question.relevant))
    return found


def graded_ndcg_at_k(ranking: GradedRanking, *, k: int) -> float:
    """Return the normalised discounted cumulative gain of the first k articles, in [0, 1].

    Definition (Järvelin & Kekäläinen, TOIS 2002) as `trec_eval -m ndcg_cut` and so BEIR compute it: place i gains
    grade / log2(1 + i), over the same sum of the ideal order of all relevant articles. Pitfall: others take
    2^grade - 1 for the gain; where grades are above 1 the figures differ.
    """
    if k < 1:
        raise ValueError(f"k is {k}: give the number of places to look at, 1 or more.")
    ideal = sorted(ranking.grades.values(), reverse=True)
    return _gain([ranking.grades.get(id_, 0) for id_ in ranking.ranked[:k]]) / _gain(ideal[:k])


def retrieval_questions(questions: Iterable[EvalQuestion]) -> list[RetrievalQuestion]:
    """Return the answerable questions as ones for the search: each article of evidence is relevant, with grade 1.

    Where a question needs all of several articles (MultiHop-RAG), this says so; in `EvalQuestion` articles of which no
    quote holds the answer replace each other.
    """
    return [
        RetrievalQuestion(item.id, item.question, {quote.article_id: 1 for quote in item.evidence}, (), item.split)
        for item in questions
        if item.answerable
    ]


def retrieval_line(question: RetrievalQuestion) -> dict[str, Any]:
    """Return the line that `load_retrieval` reads back as this question."""
    return {
        "id": question.id,
        "question": question.question,
        "relevant": dict(question.relevant),
        "ignored": question.ignored,
        "split": question.split,
    }


class _Line(Layout):
    id: Filled
    question: Filled
    relevant: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1)]
    ignored: Sequence[str] = ()
    split: Split


def load_retrieval(path: Path, *, split: str | None = None) -> list[RetrievalQuestion]:
    """Read the questions of a JSONL file, in file order; `split` reads only these.

    Raises:
        DatasetError: The file cannot be read, holds bad lines (all are counted, at most 20 shown), or has no question.
    """
    faults = Faults(path)
    found = []
    for entry in read_entries(path):
        line = faults.checked(_Line, entry)
        if line is None or faults.repeated(line.id, entry.where):
            continue
        found.append(RetrievalQuestion(line.id, line.question, line.relevant, tuple(line.ignored), line.split))
    faults.raise_any()
    chosen = [question for question in found if split in (None, question.split)]
    if not chosen:
        raise DatasetError(f"{path} has no question{f' of the split {split!r}' if split else ''}.")
    return chosen


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(1 + place) for place, grade in enumerate(grades, 1))
