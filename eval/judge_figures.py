"""What verdicts and scores of a judge are worth against human labels; pure.

Intervals are bootstrap intervals over documents, as claims about one document are right or wrong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from eval.metrics.statistics import Estimate, bootstrap, mean

BINS = 10

Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a judge said of cases, one place a case in each field.

    Attributes:
        right: Supported, by the human label.
        said: Supported, by the judge.
        scores: In [0, 1] if they are to be calibrated; higher is more likely supported.
        documents: Names of the documents, which are resampled.
    """

    right: Flags
    said: Flags
    scores: Scores
    documents: Sequence[str]


@dataclass(frozen=True, slots=True)
class Bin:
    """The cases with a score in [low, high); the last bin holds 1 too.

    Attributes:
        score: Their mean score; None if there are none.
        supported: The share of them that is supported; None if there are none.
    """

    low: float
    high: float
    n: int
    score: float | None
    supported: float | None


def balanced_accuracy(right: Flags, said: Flags) -> float | None:
    """Return the mean of the shares judged right among the supported and the unsupported; None if either lacks.

    Any judge that pays no heed to the case has 0.5, whatever the share of supported cases.
    """
    if right.all() or not right.any():
        return None
    return float((said[right].mean() + (~said[~right]).mean()) / 2)


def auc(right: Flags, scores: Scores) -> float | None:
    """Return the chance that a supported case scores above an unsupported one, ties half; None if either lacks.

    The Mann-Whitney U over the number of pairs; scikit-learn's takes 30 times as long, a thousand times over. Pitfall:
    it says nothing of where the judge's bound lies; read it beside `balanced_accuracy`.
    """
    if right.all() or not right.any():
        return None
    others = np.sort(scores[~right])
    below = np.searchsorted(others, scores[right], side="left") + np.searchsorted(others, scores[right], side="right")
    return float(below.mean() / 2 / len(others))


def reliability(right: Flags, scores: Scores) -> tuple[Bin, ...]:
    """Return 10 bins of equal width over [0, 1], lowest first, for a reliability diagram."""
    place = _bin_of(scores)
    found = []
    for index in range(BINS):
        inside = place == index
        n = int(inside.sum())
        score, share = (float(scores[inside].mean()), float(right[inside].mean())) if n else (None, None)
        found.append(Bin(index / BINS, (index + 1) / BINS, n, score, share))
    return tuple(found)


def calibration_error(right: Flags, scores: Scores) -> float | None:
    """Return the expected calibration error, in [0, 1]: the bins' mean |share supported - mean score|, weighted by n.

    Guo et al., arXiv:1706.04599, with the chance of "supported" for the confidence. Pitfalls: it is biased upwards in
    small samples, so that the interval of a good judge may lie above its figure; a judge that always gives the share
    of supported cases has 0. None without cases.
    """
    if not len(right):
        return None
    gaps = np.bincount(_bin_of(scores), weights=right - scores, minlength=BINS)  # n * (share - mean) of each bin
    return float(np.abs(gaps).sum() / len(right))


def verdict_figures(verdicts: Verdicts) -> dict[str, Estimate]:
    """Return `balanced_accuracy`, `caught`, `passed` and `auc`, described at `eval.judge_report.JudgeReport`."""
    right, said, documents = verdicts.right, verdicts.said, verdicts.documents
    pairs = list(zip(right.tolist(), said.tolist(), strict=True))
    return {
        "balanced_accuracy": bootstrap(
            lambda rows: balanced_accuracy(right[rows], said[rows]), of=len(right), clusters=documents
        ),
        "caught": mean([None if label else float(not verdict) for label, verdict in pairs], documents),
        "passed": mean([float(verdict) if label else None for label, verdict in pairs], documents),
        "auc": bootstrap(lambda rows: auc(right[rows], verdicts.scores[rows]), of=len(right), clusters=documents),
    }


def calibration_figures(verdicts: Verdicts, *, of: int) -> dict[str, Estimate]:
    """Return `ece` and `brier`, the mean squared difference of score and label (Brier 1950), both in [0, 1].

    Args:
        verdicts: The cases that have an answer.
        of: Number of all cases.
    """
    right, scores, documents = verdicts.right, verdicts.scores, verdicts.documents
    ece = bootstrap(lambda rows: calibration_error(right[rows], scores[rows]), of=len(right), clusters=documents)
    found = {"ece": ece, "brier": mean(np.square(scores - right).tolist(), documents)}
    return {name: replace(estimate, of=of) for name, estimate in found.items()}


def difference(ours: Verdicts, other: Verdicts) -> Estimate:
    """Return our balanced accuracy less that of another judge of the same cases, compared on the same resamples."""

    def above(rows: npt.NDArray[np.intp]) -> float | None:
        mine = balanced_accuracy(ours.right[rows], ours.said[rows])
        its = balanced_accuracy(other.right[rows], other.said[rows])
        return None if mine is None or its is None else mine - its

    return bootstrap(above, of=len(ours.right), clusters=ours.documents)


def _bin_of(scores: Scores) -> npt.NDArray[np.intp]:
    return np.minimum((scores * BINS).astype(np.intp), BINS - 1)
