"""What a judge of groundedness says of one claim about one text.

A claim of several sentences is supported if each of its sentences is, as in an answer. Each sentence is judged against
the whole text; of a long one the models of `rag.entailment` read the part nearest to the sentence.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.rules import Check
from rag.sentences import sentences
from rag.verifier import Entailment, Verifier

Judge = Callable[[str, str], float | None]
"""Takes a sentence and a text; returns the chance in [0, 1] that the text supports it, None or NaN without one."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said of a claim.

    Attributes:
        supported: Whether all its sentences are; None without a usable answer, that is if one got none and no other is
            unsupported.
        score: The lowest of the sentences' scores, in [0, 1]; None without a usable answer.
        settled: No sentence was put to the verifier's model; None if the judge is no verifier.
        sentences: Of the claim.
        ms: Wall time in milliseconds.
    """

    supported: bool | None
    score: float | None
    settled: bool | None
    sentences: int
    ms: float


def asked(judge: Verifier | Judge, *, bound: float) -> Callable[[str, str], Judgement]:
    """Return a function of a claim, of one sentence at least, and a text, that puts them to the judge.

    It raises what the judge raises, and ValueError if the judge is a function and returns a score outside [0, 1].

    Args:
        judge: A verifier, or a function of a sentence and a text.
        bound: Chance from which a function means "supported"; a verifier has bounds of its own.
    """
    ask = _verifier(judge) if isinstance(judge, Verifier) else _function(judge, bound)

    def of_claim(claim: str, text: str) -> Judgement:
        began = time.perf_counter()
        parts = [ask(sentence, text) for sentence in sentences(claim)]
        return _whole(parts, 1000 * (time.perf_counter() - began))

    return of_claim


@dataclass(frozen=True, slots=True)
class _Part:
    """The same for one sentence."""

    supported: bool | None
    score: float | None
    settled: bool | None


def _whole(parts: Sequence[_Part], ms: float) -> Judgement:
    scores = [part.score for part in parts if part.score is not None]
    settled = None if parts[0].settled is None else all(part.settled for part in parts)
    if any(part.supported is False for part in parts):
        return Judgement(False, min(scores), settled, len(parts), ms)
    if len(scores) < len(parts):
        return Judgement(None, None, settled, len(parts), ms)
    return Judgement(True, min(scores), settled, len(parts), ms)


def _function(judge: Judge, bound: float) -> Callable[[str, str], _Part]:
    def ask(sentence: str, text: str) -> _Part:
        score = judge(sentence, text)
        if score is None or math.isnan(score):
            return _Part(None, None, None)
        if not 0 <= score <= 1:
            raise ValueError(f"The judge returned {score} for {sentence[:60]!r}: it must return a chance in [0, 1].")
        return _Part(score >= bound, float(score), None)

    return ask


class _Watched:
    """A verifier's model that keeps its last answer: where there is none, the verifier gives the rules' verdict."""

    def __init__(self, model: Entailment) -> None:
        self.name = model.name
        self.supported, self.thin = model.supported, model.thin
        self.doubted, self.partly = model.doubted, model.partly
        self.chances: list[float | None] = []
        self._model = model

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """Return what the model does."""
        self.chances = self._model.support(pairs)
        return self.chances


def _verifier(verifier: Verifier) -> Callable[[str, str], _Part]:
    if verifier.model is None:
        return lambda sentence, text: _of_check(verifier.verify(sentence, [text]), settled=True)
    watched = _Watched(verifier.model)
    watching = Verifier(watched)

    def ask(sentence: str, text: str) -> _Part:
        watched.chances = []
        check = watching.verify(sentence, [text])
        if watched.chances and all(chance is None for chance in watched.chances):
            return _Part(None, None, False)
        return _of_check(check, settled=not watched.chances)

    return ask


def _of_check(check: Check, *, settled: bool) -> _Part:
    return _Part(check.verdict == "supported", check.score, settled)
