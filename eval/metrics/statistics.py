"""Figures over questions, with their uncertainty.

Only values that exist are averaged, and `n` beside `of` says how many do: a mean over the few
questions a system answered must not pass for one over all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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


def mean(values: Sequence[float | None]) -> Estimate:
    """Return the mean of the values that are not None, with a bootstrap interval.

    Percentile bootstrap over questions (Efron & Tibshirani 1993, ch. 13), 1000 resamples, seeded:
    the same values give the same interval. Pitfall: if all values agree the interval is a point,
    though the true rate is not known that well ("3 / n" is the usual bound for a rate of 0).

    Raises:
        ValueError: A value is not a number; it would vanish or spread unseen.
    """
    known = _numbers(values)
    return _estimate(known, len(values), lambda rows: known[rows].mean(axis=1))


def percentile(values: Sequence[float | None], *, q: float) -> Estimate:
    """Return the q-th percentile, 0 to 100, interpolated linearly, with a bootstrap interval.

    Pitfall: p95 of 20 values rests on the largest one or two.
    """
    known = _numbers(values)
    return _estimate(known, len(values), lambda rows: np.percentile(known[rows], q, axis=1))


def bootstrap(statistic: Statistic, *, of: int) -> Estimate:
    """Return a figure that is no mean (an F1) with its interval.

    Args:
        statistic: Takes indices of questions, of any length, and returns the figure over them; None
            where it does not apply, as in a resample without unanswerable questions, which is
            left out of the interval.
        of: Number of questions.
    """
    value = statistic(np.arange(of)) if of else None
    if value is None:
        return Estimate(None, None, None, 0, of)
    if of < 2:
        return Estimate(value, None, None, of, of)
    drawn = [found for row in _resamples(of) if (found := statistic(row)) is not None]
    low, high = _interval(np.asarray(drawn))
    return Estimate(value, low, high, of, of)


def _estimate(
    known: npt.NDArray[np.float64], of: int, over_rows: Callable[[Indices], npt.NDArray[np.float64]]
) -> Estimate:
    n = len(known)
    if n == 0:
        return Estimate(None, None, None, 0, of)
    value = float(over_rows(np.arange(n)[np.newaxis, :])[0])
    if n < 2:
        return Estimate(value, None, None, n, of)
    low, high = _interval(over_rows(_resamples(n)))
    return Estimate(value, low, high, n, of)


def _numbers(values: Sequence[float | None]) -> npt.NDArray[np.float64]:
    known = [float(value) for value in values if value is not None]
    if not all(math.isfinite(value) for value in known):
        raise ValueError("A metric value is NaN or infinite: return None where a metric does not apply.")
    return np.asarray(known, dtype=np.float64)


def _interval(drawn: npt.NDArray[np.float64]) -> tuple[float, float]:
    tail = 100 * (1 - _LEVEL) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return float(low), float(high)


@lru_cache(maxsize=16)
def _resamples(n: int) -> Indices:
    """Return the drawn indices, shape (RESAMPLES, n); each size has the same ones every time."""
    return np.random.default_rng(_SEED).integers(0, n, size=(RESAMPLES, n))
