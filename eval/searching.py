"""The search alone, without reading an answer: how early each search finds the relevant articles."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from eval.adapters.retrieval import (
    GradedRanking,
    RetrievalQuestion,
    graded_ndcg_at_k,
    graded_rankings,
    load_retrieval,
    retrieval_questions,
)
from eval.datasets import load_questions
from eval.metrics.retrieval import all_evidence_at_k, hit_at_k, recall_at_k, reciprocal_rank
from eval.metrics.statistics import Estimate, mean
from rag.errors import DatasetError

Searches = Callable[[str], Mapping[str, Sequence[str]]]
"""A question to the article ids that each search finds, best first, by the search's name."""
Figures = Mapping[str, Mapping[str, Estimate]]


def load_relevance(path: Path, *, split: str | None = None) -> list[RetrievalQuestion]:
    """Read questions with their relevant articles: a file of `eval adapt beir`, or eval questions with evidence.

    Raises:
        DatasetError: The file cannot be read, holds bad lines, or has no question.
    """
    if _tells_relevance(path):
        return load_retrieval(path, split=split)
    found = retrieval_questions(load_questions(path, split=split))
    if not found:
        raise DatasetError(f"{path} has no question with evidence: the search can be measured on such only.")
    return found


def search_figures(questions: Sequence[RetrievalQuestion], searches: Searches, *, k: int = 10) -> Figures:
    """Return for each search its figures over all questions, with 95 % intervals that draw questions one by one.

    Places are articles, each at its best passage's place, as BEIR ranks documents: `ndcg@k` by grades
    (`graded_ndcg_at_k`), `recall@k` of the relevant articles, `hit@k` of any, `all@k` of all of them, `mrr@k`.

    Args:
        questions: What to ask; each once, all searches at it.
        searches: See `Searches`.
        k: Places to look at, 1 or more.
    """
    found = {question.question: searches(question.question) for question in questions}
    names = list(dict.fromkeys(name for routes in found.values() for name in routes))
    rankings = {
        name: graded_rankings(questions, {text: routes[name] for text, routes in found.items()}.__getitem__)
        for name in names
    }
    return {name: _figures(ranked, k) for name, ranked in rankings.items()}


def search_table(figures: Figures, questions: int) -> str:
    """Return the figures for the terminal, a line for each search."""
    names = list(next(iter(figures.values()), {}))
    lines = [f"{questions} questions", f"{'':8}" + "".join(f"{name:>24}" for name in names)]
    for search, row in figures.items():
        cells = [
            f"{one.value:.3f}" + (f" [{one.low:.3f}, {one.high:.3f}]" if one.low is not None else "")
            for one in row.values()
        ]
        lines.append(f"{search:8}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join([*lines, "[low, high] is a 95 % bootstrap interval."]) + "\n"


def _figures(rankings: Sequence[GradedRanking], k: int) -> dict[str, Estimate]:
    rows = [(list(one.ranked), [{id_} for id_ in one.grades]) for one in rankings]
    return {
        f"ndcg@{k}": mean([graded_ndcg_at_k(one, k=k) for one in rankings]),
        f"recall@{k}": mean([recall_at_k(ranked, gold, k=k) for ranked, gold in rows]),
        f"hit@{k}": mean([hit_at_k(ranked, gold, k=k) for ranked, gold in rows]),
        f"all@{k}": mean([all_evidence_at_k(ranked, gold, k=k) for ranked, gold in rows]),
        f"mrr@{k}": mean([reciprocal_rank(ranked, gold, k=k) for ranked, gold in rows]),
    }


def _tells_relevance(path: Path) -> bool:
    """Look at the first record; what cannot be read is left to the loaders to say."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = json.loads(next((line for line in file if line.strip()), "{}"))
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and "relevant" in first
