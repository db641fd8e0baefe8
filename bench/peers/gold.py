"""Questions and their evidence for the comparison, and how much of it the first pieces hold.

Systems cut articles differently, so each is judged by what it hands to whoever answers: its first k pieces.

evidence   of a question are its gold quotes, each once, white space and the form of quotation marks aside; `null`
           questions have none, are asked and timed, and are left out of these figures
articles   share of the gold articles of which a piece is among the first k (`eval.metrics.retrieval.recall_at_k`).
           Where several articles say the same quote, any of them will do
all        share of questions with every gold article among the first k pieces (`all_evidence_at_k`)
quotes     share of the gold quotes that stand whole in one of the first k pieces: a quote that was cut in two is not
           there. This is the strictest, and the one that an answer needs
words      in the first k pieces, which is what they cost to read: larger pieces hold more
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.adapters.multihop import read_multihop
from eval.datasets import EvalQuestion, load_questions
from eval.metrics.retrieval import all_evidence_at_k, recall_at_k
from eval.sample import ARTICLES, DESCRIPTIVE, QUESTIONS, sample_articles
from rag.schema import Article

KS = (4, 10)
_QUOTES = str.maketrans("“”„«»‘’‚´`", "\"\"\"\"\"'''''")

Found = Sequence[Mapping[str, str]]
"""The pieces of one question, best first: `text`, and `article`, its address."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, with the addresses of the articles that say it for each gold quote, normalised."""

    question: str
    quotes: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Task:
    """An archive's file of articles, and the questions on it."""

    articles: Path
    asked: Sequence[Asked]


def multihop(data: Path) -> Task:
    """Return the `dev` articles and questions of MultiHop-RAG below a data folder."""
    path = data / "archive" / "multihop_dev_questions.jsonl"
    adapted = read_multihop(path, "dev")
    return Task(
        data / "archive" / "multihop_dev_articles.jsonl", _asked(adapted.questions, _addresses(adapted.articles))
    )


def sample() -> Task:
    """Return the sample archive with its `dev` questions that stand alone; long articles, written for this project."""
    addresses = _addresses([article for article in sample_articles() if isinstance(article, Article)])
    questions = [*load_questions(QUESTIONS, split="dev"), *load_questions(DESCRIPTIVE, split="dev")]
    return Task(ARTICLES, _asked([question for question in questions if not question.turns], addresses))


def figures(task: Task, results: Sequence[Found]) -> dict[str, list[float]]:
    """Return what the module describes for each question with evidence, in order; the task's figures are the means."""
    told: dict[str, list[float]] = {}
    for asked, found in zip(task.asked, results, strict=True):
        for k in KS if asked.quotes else ():
            for name, value in _of_one(asked, found, k).items():
                told.setdefault(f"{name}@{k}", []).append(value)
    return told


def _of_one(asked: Asked, found: Found, k: int) -> dict[str, float]:
    ranked, gold = [piece["article"] for piece in found], list(set(asked.quotes.values()))
    texts = [normal(piece["text"]) for piece in found[:k]]
    return {
        "articles": recall_at_k(ranked, gold, k=k) or 0.0,
        "all": all_evidence_at_k(ranked, gold, k=k) or 0.0,
        "quotes": float(np.mean([any(quote in text for text in texts) for quote in asked.quotes])),
        "words": float(sum(len(text.split()) for text in texts)),
    }


def normal(text: str) -> str:
    """Return the text with white space collapsed and quotation marks of one form."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_QUOTES).split())


def write_questions(task: Task, path: Path) -> None:
    """Write what a system may see of the questions: their text."""
    path.write_text(json.dumps([asked.question for asked in task.asked], ensure_ascii=False), encoding="utf-8")


def _addresses(articles: Sequence[Article]) -> dict[str, str]:
    return {article.id: article.url for article in articles}


def _asked(questions: Sequence[EvalQuestion], addresses: Mapping[str, str]) -> list[Asked]:
    asked = []
    for question in questions:
        quotes: dict[str, frozenset[str]] = {}
        for item in question.evidence:
            quote = normal(item.quote)
            quotes[quote] = quotes.get(quote, frozenset()) | {addresses[item.article_id]}
        asked.append(Asked(question.question, quotes))
    return asked
