"""Figures over questions, with their uncertainty.

Only values that exist are averaged, and `n` beside `of` says how many do: a mean over the few
questions a system answered must not pass for one over all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

RESAMPLES = 1000
_SEED = 20250901
_LEVEL = 0.95

Indices = npt.NDArray[np.intp]
Statistic = Callable[[Indices], float | None]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval.

    Attributes:
        value: None if it applies to no question.
        low: Lower end of the interval; None with fewer than two values.
        high: Upper end of the interval.
        n: Questions the figure applies to.
        of: All questions looked at.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    of: int


Clusters = Sequence[str]
"""For each question the name of its cluster: questions of one are drawn together, as they are not independent."""


def mean(values: Sequence[float | None], clusters: Clusters | None = None) -> Estimate:
    """Return the mean of the values that are not None, with a bootstrap interval.

    Percentile bootstrap over questions, or over clusters of them (Efron & Tibshirani 1993, ch. 13; Cameron, Gelbach &
    Miller 2008), 1000 resamples, seeded: the same values give the same interval. Pitfall: if all values agree the
    interval is a point, though the true rate is not known that well ("3 / n" is the usual bound for a rate of 0).

    Raises:
        ValueError: A value is not a number; it would vanish or spread unseen.
    """
    known, groups = _known(values, clusters)
    sums = np.bincount(groups, weights=known, minlength=1)
    counts = np.bincount(groups, minlength=1)
    # As sums of clusters: a resample of 1,000 questions need not be laid out.
    return _estimate(
        float(known.mean()) if len(known) else None,
        lambda drawn: sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1),
        clusters=len(set(groups.tolist())),
        n=len(known),
        of=len(values),
    )


def percentile(values: Sequence[float | None], *, q: float, clusters: Clusters | None = None) -> Estimate:
    """Return the q-th percentile, 0 to 100, interpolated linearly, with a bootstrap interval.

    Pitfall: p95 of 20 values rests on the largest one or two.
    """
    known, groups = _known(values, clusters)
    members = [known[groups == group] for group in range(int(groups.max()) + 1 if len(groups) else 0)]
    return _estimate(
        float(np.percentile(known, q)) if len(known) else None,
        lambda drawn: np.asarray([np.percentile(np.concatenate([members[i] for i in row]), q) for row in drawn]),
        clusters=len(members),
        n=len(known),
        of=len(values),
    )


def bootstrap(statistic: Statistic, *, of: int, clusters: Clusters | None = None) -> Estimate:
    """Return a figure that is no mean (an F1) with its interval.

    Args:
        statistic: Takes indices of questions, of any length, and returns the figure over them; None
            where it does not apply, as in a resample without unanswerable questions, which is
            left out of the interval.
        of: Number of questions.
        clusters: One name for each question; each its own if left out.
    """
    value = statistic(np.arange(of)) if of else None
    if value is None:
        return Estimate(None, None, None, 0, of)
    groups = _groups(range(of), clusters)
    members = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
    if len(members) < 2:
        return Estimate(value, None, None, of, of)
    rows = (np.concatenate([members[i] for i in row]) for row in _resamples(len(members)))
    drawn = [found for row in rows if (found := statistic(row)) is not None]
    low, high = _interval(np.asarray(drawn))
    return Estimate(value, low, high, of, of)


def _estimate(
    value: float | None, over: Callable[[Indices], npt.NDArray[np.float64]], *, clusters: int, n: int, of: int
) -> Estimate:
    """Return a figure with the interval of `over`, which takes drawn clusters, shape (draws, clusters)."""
    if value is None or clusters < 2:
        return Estimate(value, None, None, n, of)
    low, high = _interval(over(_resamples(clusters)))
    return Estimate(value, low, high, n, of)


def _known(
    values: Sequence[float | None], clusters: Clusters | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return the values there are, and the number of each one's cluster, from 0."""
    rows = [row for row, value in enumerate(values) if value is not None]
    known = np.asarray([values[row] for row in rows], dtype=np.float64)
    if not all(math.isfinite(value) for value in known):
        raise ValueError("A metric value is NaN or infinite: return None where a metric does not apply.")
    return known, _groups(rows, clusters)


def _groups(rows: Iterable[int], clusters: Clusters | None) -> npt.NDArray[np.intp]:
    numbers: dict[object, int] = {}
    names = (row if clusters is None else clusters[row] for row in rows)
    return np.asarray([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.intp)


def _interval(drawn: npt.NDArray[np.float64]) -> tuple[float, float]:
    tail = 100 * (1 - _LEVEL) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)


@lru_cache(maxsize=16)
def _resamples(n: int) -> Indices:
    """Return the drawn indices, shape (RESAMPLES, n); each size has the same ones every time."""
    return np.random.default_rng(_SEED).integers(0, n, size=(RESAMPLES, n))
