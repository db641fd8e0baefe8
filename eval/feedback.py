"""Readers' thumbs as eval questions (`pressmark eval import-feedback`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.metrics.answers import tokens
from rag.archive import Archive
from rag.errors import NotFoundError
from rag.feedback import Feedback
from rag.schema import Answer, Citation

REVIEW = ".review.jsonl"


@dataclass(frozen=True, slots=True)
class FeedbackQuestions:
    """Lines in the form of `eval.datasets`; those `to_review` lack what is right."""

    complete: tuple[dict[str, Any], ...]
    to_review: tuple[dict[str, Any], ...]


def questions_of(archive: Archive) -> FeedbackQuestions:
    """Return a question for each answer with feedback; of several thumbs on one answer the last counts.

    A good answer's evidence is what it cites, what it must hold its short answer, or the numbers and names of its first
    sentence as they stand there. Follow-ups are asked as they were completed.
    """
    latest: dict[str, Feedback] = {item.answer_id: item for item in archive.feedback.all()}
    complete: list[dict[str, Any]] = []
    to_review: list[dict[str, Any]] = []
    for item in latest.values():
        try:
            answer = archive.answers.get(item.answer_id)
        except NotFoundError:
            continue
        line = _line(answer, item)
        (complete if item.rating == "up" else to_review).append(line)
    return FeedbackQuestions(tuple(complete), tuple(to_review))


def write_questions(found: FeedbackQuestions, path: Path) -> Path:
    """Write both files; return the path of the one to review."""
    path.parent.mkdir(parents=True, exist_ok=True)
    review = path.with_name(path.name.removesuffix(".jsonl") + REVIEW)
    for file, lines in ((path, found.complete), (review, found.to_review)):
        if lines or file is path:
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            file.write_text(text, encoding="utf-8")
    return review


def _line(answer: Answer, item: Feedback) -> dict[str, Any]:
    good = item.rating == "up"
    answered = answer.status != "abstained"
    line: dict[str, Any] = {
        "id": f"feedback-{answer.id}",
        "question": answer.search_query or answer.question,
        "now": answer.created_at.isoformat(),
        "answerable": answered,
        "answers": [[text] for text in _expected(answer)] if answered else [],
        "evidence": [{"article_id": c.article_id, "quote": c.quote} for c in answer.citations] if answered else [],
        "tags": ["feedback", "thumb up" if good else "thumb down"],
        "split": "dev",
    }
    if not good:
        line |= {"reader_says": item.reason, "shown": answer.text}
    return line


def _expected(answer: Answer) -> list[str]:
    if answer.short:
        return [answer.short.text]
    first = answer.claims[0]
    cited: list[Citation] = [c for c in answer.citations if c.number in first.citations]
    quote = cited[0].quote if cited else first.text
    figures = [word for word in quote.split() if any(sign.isdigit() for sign in word)]
    return [figures[0].strip(".,;:()")] if figures and tokens(figures[0]) else [quote]
