"""A judge of groundedness against human labels: does it tell supported claims from unsupported ones?

The labels are split by document: one half sets the bounds of the trivial judges (`eval.judge_baselines`), on the other
they and the judge are measured. A case to which the judge gives no usable answer counts as judged wrong.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from eval.judge_baselines import Embed, EmbeddingSimilarity, best_bound, overlap
from eval.judge_calls import Judge, Judgement, asked
from eval.judge_figures import Flags, Scores, Verdicts, calibration_figures, difference, reliability, verdict_figures
from eval.judge_report import JudgeReport, TrivialJudge, best_of
from eval.metrics.statistics import Estimate, mean, percentile
from rag.errors import DatasetError
from rag.sentences import sentences
from rag.verifier import Verifier

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class JudgeCase:
    """A claim about a text, with what a person says of it.

    Attributes:
        claim: One sentence or more, without citation markers.
        text: All that the claim may rest on.
        supported: Whether the text supports the claim as a whole.
        group: Name of the document. Its cases are kept together when cases are split or resampled.
    """

    claim: str
    text: str
    supported: bool
    group: str


# -- cases ---------------------------------------------------------------------------------------


def dataset_name(path: Path) -> str:
    """Return the file's name without its ending and the name of a split: "wice" for wice_dev.jsonl."""
    return re.sub(r"[_-](train|dev|val|validation|test)$", "", path.stem)


def halves(cases: Sequence[JudgeCase], dataset: str) -> tuple[list[JudgeCase], list[JudgeCase]]:
    """Split cases by document; return those to set bounds on and those to measure.

    A document's half follows from the SHA-256 of "dataset:group", as in `training.claims`. Pitfall: the network in the
    package has learned from the first half of "summedits" and "wice"; under other names it would be measured on what it
    knows.
    """
    parts: tuple[list[JudgeCase], list[JudgeCase]] = ([], [])
    for case in cases:
        value = int(hashlib.sha256(f"{dataset}:{case.group}".encode()).hexdigest(), 16)
        parts[value % 2 == 0].append(case)
    return parts


# -- judging -------------------------------------------------------------------------------------


def validate(
    judge: Verifier | Judge,
    cases: Sequence[JudgeCase],
    *,
    name: str,
    dataset: str,
    embed: Embed,
    dev: Sequence[JudgeCase] | None = None,
    bound: float = 0.5,
    digest: str = "",
    progress: Progress | None = None,
) -> JudgeReport:
    """Measure a judge on human labels, beside trivial judges.

    Args:
        judge: A verifier, or a function of a sentence and a text.
        cases: The labels; without `dev`, the half of their documents that `halves` names is measured.
        name: Of the judge; of a chat model as judge its own name too, as the report is kept under it.
        dataset: Its name, as by `dataset_name`; the halves depend on it.
        embed: For the trivial judge by embeddings.
        dev: Cases to set the bounds of the trivial judges on; then all of `cases` are measured. If it is empty, the
            bounds are set on the measured cases themselves, which favours the trivial judges.
        bound: Chance from which a function means "supported"; a verifier has its own bounds.
        digest: SHA-256 of the dataset's file.
        progress: Called with (cases judged, all) after each.

    Raises:
        DatasetError: A claim is empty, a case is among both dev and measured cases, or one of these lacks supported or
            unsupported cases.
        ValueError: A function returns a score outside [0, 1].
    """
    other, measured = halves(cases, dataset) if dev is None else (list(dev), list(cases))
    _check(measured, "to measure", dataset)
    if dev is None or dev:
        _check(other, "to set bounds on", dataset)
    if {(case.claim, case.text) for case in other} & {(case.claim, case.text) for case in measured}:
        raise DatasetError(f"Some cases of {dataset} are both measured and dev cases: leave them out of either.")
    found = _judged(asked(judge, bound=bound), measured, progress)
    ours = _verdicts(measured, found)
    others = _trivial(other or measured, measured, embed)
    trivial = tuple(TrivialJudge(name, limit, verdict_figures(verdicts)) for name, limit, verdicts in others)
    best = best_of(trivial)
    answered = [place for place, item in enumerate(found) if item.supported is not None]
    known = _verdicts([measured[place] for place in answered], [found[place] for place in answered])
    return JudgeReport(
        created_at=datetime.now(UTC),
        judge=name,
        dataset=dataset,
        digest=digest,
        cases=len(measured),
        supported=sum(case.supported for case in measured),
        documents=len(set(ours.documents)),
        dev_cases=len(other),
        dev_given=dev is not None,
        sentences=sum(item.sentences for item in found),
        seconds=sum(item.ms for item in found) / 1000,
        figures={
            **verdict_figures(ours),
            **calibration_figures(known, of=len(found)),
            **_conduct(found, ours.documents),
        },
        bins=reliability(known.right, known.scores),
        trivial=trivial,
        above=difference(ours, next(verdicts for name, _, verdicts in others if name == best.name)),
    )


def _judged(
    ask: Callable[[str, str], Judgement], cases: Sequence[JudgeCase], progress: Progress | None
) -> list[Judgement]:
    found = []
    for done, case in enumerate(cases, 1):
        found.append(ask(case.claim, case.text))
        if progress:
            progress(done, len(cases))
    return found


# -- beside labels -------------------------------------------------------------------------------


def _check(cases: Sequence[JudgeCase], purpose: str, dataset: str) -> None:
    if not all(sentences(case.claim) for case in cases):
        raise DatasetError(f"A claim of {dataset} is empty: leave it out.")
    supported = sum(case.supported for case in cases)
    if not 0 < supported < len(cases):
        raise DatasetError(
            f"{dataset} has {supported} supported and {len(cases) - supported} unsupported cases {purpose}, and needs "
            "both: give labels on more documents, or dev cases apart."
        )


def _verdicts(cases: Sequence[JudgeCase], found: Sequence[Judgement]) -> Verdicts:
    """Set judgements beside labels; without a usable answer verdict and score are as wrong as can be."""
    pairs = list(zip(cases, found, strict=True))
    said = [not case.supported if item.supported is None else item.supported for case, item in pairs]
    scores = [float(not case.supported) if item.score is None else item.score for case, item in pairs]
    return _beside(cases, np.array(said, dtype=np.bool_), np.array(scores, dtype=np.float64))


def _beside(cases: Sequence[JudgeCase], said: Flags, scores: Scores) -> Verdicts:
    return Verdicts(_labels(cases), said, scores, [case.group for case in cases])


def _labels(cases: Sequence[JudgeCase]) -> Flags:
    return np.array([case.supported for case in cases], dtype=np.bool_)


def _trivial(
    dev: Sequence[JudgeCase], measured: Sequence[JudgeCase], embed: Embed
) -> list[tuple[str, float | None, Verdicts]]:
    """Return name, bound and verdicts of each trivial judge."""
    found: list[tuple[str, float | None, Verdicts]] = []
    for name, score in (("always supported", 1.0), ("always unsupported", 0.0)):
        scores = np.full(len(measured), score)
        found.append((name, None, _beside(measured, scores > 0, scores)))
    judges: dict[str, Callable[[str, str], float]] = {
        "word overlap": overlap,
        "embedding similarity": EmbeddingSimilarity(embed),
    }
    for name, judge in judges.items():
        limit = best_bound(np.array([judge(case.claim, case.text) for case in dev]), _labels(dev))
        scores = np.array([judge(case.claim, case.text) for case in measured])
        found.append((name, limit, _beside(measured, scores >= limit, scores)))
    return found


def _conduct(found: Sequence[Judgement], documents: Sequence[str]) -> dict[str, Estimate]:
    times = [item.ms for item in found]
    return {
        "unanswered": mean([float(item.supported is None) for item in found], documents),
        "settled": mean([None if item.settled is None else float(item.settled) for item in found], documents),
        "ms_p50": percentile(times, q=50, clusters=documents),
        "ms_p95": percentile(times, q=95, clusters=documents),
    }
