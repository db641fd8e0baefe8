"""Questions with their expected answers and evidence, read from JSONL.

One object a line:
    {"id": "a-001", "question": "...", "history": [{"question": "...", "answer": "..."}],
     "now": "2025-09-01", "answerable": true, "answers": [["nine", "9"]],
     "evidence": [{"article_id": "...", "quote": "exact text of that article"}],
     "window": {"since": "2025-06-01", "until": "2025-07-01"}, "tags": ["how many"], "split": "dev"}
`answers` is a list of groups: a right answer holds an alias of each. `history`, `now`, `window` and
`tags` may be left out. An unanswerable question has no answers and no evidence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from eval.metrics.answers import contains_gold, tokens
from rag.errors import DatasetError
from rag.schema import Query, TimeWindow, Turn

Split = Literal["dev", "test"]
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """One exact quote that holds the answer, or part of it."""

    article_id: str
    quote: str


@dataclass(frozen=True, slots=True)
class EvalQuestion:
    """One question with what a right answer holds.

    Attributes:
        turns: Earlier exchanges, oldest first.
        now: The moment "last week" counts from; None is the present.
        answers: Groups of aliases; a right answer holds one alias of each group.
        evidence: Quotes that hold the answer, from each article that says it.
        window: The time window the question means; None if it means none.
        tags: The kind first ("who", "conflict"), then further marks.
    """

    id: str
    question: str
    turns: tuple[Turn, ...]
    now: datetime | None
    answerable: bool
    answers: tuple[tuple[str, ...], ...]
    evidence: tuple[Evidence, ...]
    window: TimeWindow | None
    tags: tuple[str, ...]
    split: Split

    @property
    def query(self) -> Query:
        """What the chain is asked; it must find the window by itself."""
        return Query(self.question, turns=self.turns, now=self.now)


def load_questions(path: Path, *, split: str | None = None) -> list[EvalQuestion]:
    """Read the questions of a JSONL file, in file order.

    Args:
        path: The file; UTF-8, blank lines are skipped.
        split: "dev" or "test" reads only these; None reads all. Lines of the other are checked too.

    Raises:
        DatasetError: The file cannot be read, holds bad lines (all are named, at most 20 shown), or
            has no question of the split.
    """
    if split is not None and split not in get_args(Split):
        raise DatasetError(f"There is no split {split!r}: choose dev or test, or none for both.")
    try:
        # Not splitlines(): it also breaks at U+2028 and U+0085, which JSON strings may hold.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as UTF-8 text ({error}): give a JSONL file of questions.") from error
    questions, bad = _parse_lines(lines)
    if bad:
        raise DatasetError(_bad_lines(path, bad))
    chosen = [question for question in questions if split is None or question.split == split]
    if not chosen:
        raise DatasetError(f"{path} has no question{f' of the split {split!r}' if split else ''}.")
    return chosen


def drawn(questions: Sequence[EvalQuestion], count: int) -> list[EvalQuestion]:
    """Return `count` of the questions, or all if there are fewer, in their order; the same ones each time.

    Those whose ids have the least SHA-256: a question stays in the draw when others come or go.
    """
    by_hash = sorted(questions, key=lambda question: hashlib.sha256(question.id.encode()).digest())
    chosen = {question.id for question in by_hash[:count]}
    return [question for question in questions if question.id in chosen]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the file, as `sha256sum` prints it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_quotes(questions: Sequence[EvalQuestion], articles: Mapping[str, str]) -> list[str]:
    """Return what is wrong between questions and articles, one line each, in order.

    Args:
        questions: What to check.
        articles: Text by article id.

    Returns:
        Unknown articles, quotes that are not in their article's text, and groups of which no alias
        is in any quote, on whole tokens as in `contains_gold`. "yes" and "no" need not be quoted,
        nor the answers to questions tagged "yes-no".
    """
    return [f"{question.id}: {problem}" for question in questions for problem in _problems(question, articles)]


def _problems(question: EvalQuestion, articles: Mapping[str, str]) -> Iterator[str]:
    for item in question.evidence:
        if item.article_id not in articles:
            yield f"article {item.article_id!r} is not in the archive"
        elif item.quote not in articles[item.article_id]:
            yield f"the quote is not in {item.article_id!r}: {item.quote[:60]!r}"
    if "yes-no" in question.tags:
        return
    for group in question.answers:
        if any(tokens(alias) in (["yes"], ["no"]) for alias in group):
            continue
        if not any(contains_gold(item.quote, [group]) for item in question.evidence):
            yield f"no alias of {list(group)} is in a quote"


# -- one line ------------------------------------------------------------------------------------


def _as_moment(value: object) -> object:
    """Read ISO 8601; a bare day stands for its first moment, which strict JSON would refuse."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


_Moment = Annotated[datetime, BeforeValidator(_as_moment)]


class _Strict(BaseModel):
    # Unknown fields are refused: a mistyped "answer" would else make a question without answers.
    model_config = ConfigDict(strict=True, extra="forbid")


class _Turn(_Strict):
    question: str
    answer: str = ""


class _Evidence(_Strict):
    article_id: str
    quote: str


class _Window(_Strict):
    since: _Moment | None = None
    until: _Moment | None = None


class _Line(_Strict):
    id: str
    question: str
    history: list[_Turn] = []
    now: _Moment | None = None
    answerable: bool
    answers: list[list[str]]
    evidence: list[_Evidence]
    window: _Window | None = None
    tags: list[str] = []
    split: Split


def _parse_lines(lines: Sequence[str]) -> tuple[list[EvalQuestion], list[tuple[int, str]]]:
    questions: list[EvalQuestion] = []
    bad: list[tuple[int, str]] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = _question(_Line.model_validate_json(line))
        except ValidationError as error:
            bad.append((number, _reason(error)))
            continue
        reasons = list(_contradictions(question))
        if question.id in seen:
            reasons.append(f"the id {question.id!r} is already on line {seen[question.id]}")
        seen.setdefault(question.id, number)
        if reasons:
            bad.append((number, "; ".join(reasons)))
        questions.append(question)
    return questions, bad


def _question(line: _Line) -> EvalQuestion:
    window = line.window
    return EvalQuestion(
        id=line.id,
        question=line.question,
        turns=tuple(Turn(turn.question, turn.answer) for turn in line.history),
        now=_utc(line.now),
        answerable=line.answerable,
        answers=tuple(tuple(group) for group in line.answers),
        evidence=tuple(Evidence(item.article_id, item.quote) for item in line.evidence),
        window=TimeWindow(_utc(window.since), _utc(window.until)) if window else None,
        tags=tuple(line.tags),
        split=line.split,
    )


def _contradictions(question: EvalQuestion) -> Iterator[str]:
    if not question.id.strip() or not question.question.strip():
        yield "id or question is empty"
    if question.answerable and not (question.answers and question.evidence):
        yield "an answerable question needs answers and evidence"
    if not question.answerable and (question.answers or question.evidence):
        yield "an unanswerable question has neither answers nor evidence"
    if any(not group or not all(tokens(alias) for alias in group) for group in question.answers):
        yield "a group of answers is empty or has an empty alias"
    if any(not item.quote.strip() for item in question.evidence):
        yield "a quote is empty"
    window = question.window
    if window and not (window.since or window.until):
        yield "the window is open at both ends: give null"
    if window and window.since and window.until and window.since >= window.until:
        yield "the window ends before it begins"


def _utc(moment: datetime | None) -> datetime | None:
    """Convert to aware UTC; a moment without a zone is taken as UTC."""
    if moment is None:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _reason(error: ValidationError) -> str:
    found = []
    for item in error.errors(include_url=False):
        place = ".".join(str(part) for part in item["loc"])
        found.append(f"{place}: {item['msg']}" if place else item["msg"])
    return "; ".join(found)


def _bad_lines(path: Path, bad: Sequence[tuple[int, str]]) -> str:
    lines = [f"  line {number}: {reason}" for number, reason in bad[:_SHOWN]]
    if len(bad) > _SHOWN:
        lines.append(f"  and {len(bad) - _SHOWN} more")
    return f"{path} has {len(bad)} bad line{'s' if len(bad) > 1 else ''}; mend them:\n" + "\n".join(lines)
