"""Claim and cited passages to verdict, by rules that a reader can follow; pure.

The checks, in order: a claim that stands word for word in a passage is supported. Otherwise each
quotation must stand there verbatim, each number and each name must occur there, negation and
direction words must agree with the closest sentence, and most content words must be found. One
failed hard check (quotation, number, name, polarity) makes the claim unsupported; thin coverage of
its words makes it partly supported at best.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.schema import Verdict
from rag.sentences import sentences
from rag.words import content_stems, names, numbers, stem, tokens

# Shares of a claim's content words that must be found in what it cites. Set on paraphrases and
# corruptions of sample `dev` answers; `tests/rag/test_verifier.py` holds the cases.
SUPPORTED_COVERAGE = 0.6
PARTLY_COVERAGE = 0.4

_QUOTATION = re.compile(r"[\"“«]([^\"“”«»]{3,}?)[\"”»]")
_NEGATIONS = frozenset(
    "not no never none nobody nothing neither nor without cannot n't refuse refused reject rejected deny denied "
    "denies fail failed unable unlikely".split()
)
_OPPOSITES = (
    ("rise rose risen rising increase increased increasing grow grew grown growing gain gained climb climbed up higher",
     "fall fell fallen falling decrease decreased drop dropped decline declined shrink shrank cut lower lowered down"),
    ("more", "fewer less"),
    ("before", "after"),
    ("win won victory", "lose lost defeat"),
    ("accept accepted approve approved back backed support supported",
     "reject rejected oppose opposed refuse refused"),
    ("open opened opening start started begin began begun", "close closed closing end ended stop stopped"),
    ("confirm confirmed", "deny denied"),
)  # fmt: skip
_DIRECTIONS = tuple((frozenset(one.split()), frozenset(other.split())) for one, other in _OPPOSITES)
_PUNCTUATION = str.maketrans({"“": '"', "”": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "–": "-", "—": "-"})


@dataclass(frozen=True, slots=True)
class Check:
    """Verdict on one claim: `score` in [0, 1]; `reasons` name what is wrong, empty if nothing is."""

    verdict: Verdict
    score: float
    reasons: tuple[str, ...]


def verify(claim: str, passages: Sequence[str]) -> Check:
    """Check one claim against the texts it cites (quote, passage or article text; headline and date may be put before).

    Args:
        claim: One sentence without citation markers.
        passages: What it cites, in any order; none means unsupported.
    """
    if not passages:
        return Check("unsupported", 0.0, ("it cites no passage",))
    if any(_folded(claim) in _folded(passage) for passage in passages):
        return Check("supported", 1.0, ())
    evidence = "\n".join(passages)
    hard = [*_quotations(claim, evidence), *_numbers(claim, evidence), *_names(claim, evidence)]
    hard += _polarity(claim, evidence)
    coverage = _coverage(claim, evidence)
    if hard:
        return Check("unsupported", round(coverage * 0.4, 3), tuple(hard))
    if coverage >= SUPPORTED_COVERAGE:
        return Check("supported", round(coverage, 3), ())
    missing = _missing_words(claim, evidence)
    reason = "the cited passage does not mention: " + ", ".join(missing[:5])
    return Check("partly" if coverage >= PARTLY_COVERAGE else "unsupported", round(coverage, 3), (reason,))


def _quotations(claim: str, evidence: str) -> list[str]:
    folded = _folded(evidence)
    return [
        f"the words “{quote}” are not in the cited passage"
        for quote in _QUOTATION.findall(claim)
        if _folded(quote).strip(" .,;:!?") not in folded
    ]


def _numbers(claim: str, evidence: str) -> list[str]:
    held = numbers(evidence)
    wrong = [value for value in numbers(claim) if value not in held]
    said = ", ".join(f"{value:g}" if value < 1e6 else f"{value:,.0f}" for value in held[:6]) or "no number"
    return [f"the cited passage says {said}, not {_plain(value)}" for value in wrong]


def _names(claim: str, evidence: str) -> list[str]:
    """Each capitalised word of a name must occur in the evidence; so "Ms Halloran" passes for "Ines Halloran"."""
    held = {stem(word) for word in tokens(evidence)}
    wrong = []
    for name in names(claim):
        parts = [stem(word) for word in tokens(name) if len(word) > 1 and word not in _TITLES]
        if any(part not in held for part in parts):
            wrong.append(f"the cited passage does not name {name}")
    return wrong


def _polarity(claim: str, evidence: str) -> list[str]:
    """Compare negation and direction words with the sentence closest to the claim."""
    wanted = set(content_stems(claim))
    closest = max(sentences(evidence), key=lambda text: len(wanted & set(content_stems(text))), default="")
    said, held = _token_set(claim), _token_set(closest)
    every = _token_set(evidence)
    reasons = []
    if bool(said & _NEGATIONS) != bool(held & _NEGATIONS) and not (
        (said & _NEGATIONS) and (every & _NEGATIONS) and not wanted <= set(content_stems(closest))
    ):
        reasons.append("one of claim and passage is a denial, the other is not")
    for one, other in _DIRECTIONS:
        for mine, theirs in ((one, other), (other, one)):
            if said & mine and not said & theirs and held & theirs and not every & mine:
                reasons.append(f"the claim says “{min(said & mine)}”, the passage “{min(held & theirs)}”")
    return reasons


def _coverage(claim: str, evidence: str) -> float:
    wanted = content_stems(claim)
    held = {stem(word) for word in tokens(evidence)}
    return sum(word in held for word in wanted) / len(wanted) if wanted else 0.0


def _missing_words(claim: str, evidence: str) -> list[str]:
    held = {stem(word) for word in tokens(evidence)}
    wanted = set(content_stems(claim))
    return [word for word in dict.fromkeys(tokens(claim)) if stem(word) in wanted and stem(word) not in held]


def _token_set(text: str) -> set[str]:
    found = set(tokens(text))
    if any(word.endswith(("n't",)) for word in found):
        found.add("n't")
    return found


def _folded(text: str) -> str:
    return " ".join(text.translate(_PUNCTUATION).lower().split())


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


_TITLES = frozenset("mr mrs ms dr prof professor minister mayor president governor judge sir".split())
