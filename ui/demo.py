"""`pressmark demo`: five questions that show what the product does, each with what must come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from eval import report
from eval.datasets import load_questions
from eval.metrics.answers import contains_gold
from eval.runner import figures, run
from eval.sample import QUESTIONS as SAMPLE_QUESTIONS
from rag.schema import Answer, Query, Turn
from ui.wording import plain_text

if TYPE_CHECKING:
    from rag.chain import AnswerChain
    from rag.settings import Settings

# The day on which the sample archive is read: its last articles are of the end of August 2025.
SAMPLE_NOW = datetime(2025, 9, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Showpiece:
    """One demo question: what it shows, and the test that its answer must pass."""

    shows: str
    question: str
    passes: Callable[[Answer], bool]
    turns: tuple[Turn, ...] = ()


def _says(*words: str) -> Callable[[Answer], bool]:
    """Every one of `words` stands in the claims, each claim is supported and cites something."""

    def passes(answer: Answer) -> bool:
        text = " ".join(claim.text for claim in answer.claims)
        checked = all(claim.verdict == "supported" and claim.citations for claim in answer.claims)
        return checked and bool(contains_gold(text, [[word] for word in words]))

    return passes


def _in_conflict(*words: str) -> Callable[[Answer], bool]:
    said = _says(*words)
    return lambda answer: said(answer) and any(len(conflict.positions) >= 2 for conflict in answer.conflicts)


def _in_window(since: str, *words: str) -> Callable[[Answer], bool]:
    said = _says(*words)
    start = datetime.fromisoformat(since).replace(tzinfo=UTC)
    return lambda answer: said(answer) and answer.window is not None and answer.window.since == start


SHOWPIECES = (
    Showpiece("a plain fact", "Who conducts the Port Selwyn Philharmonic?", _says("Kovářík")),
    Showpiece(
        "a conflict between outlets",
        "How many people marched for the striking dockers in Port Selwyn on 17 May?",
        _in_conflict("12,000", "7,500"),
    ),
    Showpiece(
        "a question with a time window",
        "What turnout did the Brackwater by-election have last month?",
        _in_window("2025-08-01", "61.3"),
    ),
    Showpiece(
        "a follow-up",
        "And how many people were hurt?",
        _says("nine"),
        turns=(Turn("How strong was the earthquake off the Isle of Sorrel in August?"),),
    ),
    Showpiece(
        "a question that the archive cannot answer",
        "What did the Bishop of Meridian say about the sale of the cathedral organ?",
        lambda answer: answer.status == "abstained",
    ),
)


def show(chain: AnswerChain, settings: Settings, say: Callable[[str], None]) -> bool:
    """Print the five answers and a summary of all sample questions; return whether all five came out right."""
    right = 0
    for number, piece in enumerate(SHOWPIECES, start=1):
        say(f"\n=== {number}. {piece.shows} ===")
        for turn in piece.turns:
            say(f"> {turn.question}")
        say(f"> {piece.question}\n")
        answer = chain.invoke(Query(piece.question, turns=piece.turns))
        say(plain_text(answer))
        passed = piece.passes(answer)
        right += passed
        say(f"\n{'as it should be' if passed else 'NOT AS IT SHOULD BE'} ({answer.timings_ms['total'] / 1000:.1f} s)")
    say("\n=== Grounding of the answers to all sample questions ===")
    questions = load_questions(SAMPLE_QUESTIONS)
    done = run(chain, questions, dataset=SAMPLE_QUESTIONS, settings=settings)
    say(report.table(done, found=figures(done)))
    say(f"{right} of {len(SHOWPIECES)} demo answers came out as they should.")
    return right == len(SHOWPIECES)
