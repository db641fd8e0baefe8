"""Can a difference between two systems be chance? Paired over questions, by cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

_EXACT_UP_TO = 14  # differing clusters: 16,384 patterns of signs
_DRAWN, _DRAWN_AT_ONCE = 10_000, 500
_SEED = 20250901
_ZERO = 1e-9


def sign_flip_p(differences: Sequence[float], clusters: Sequence[str], *, two_sided: bool = True) -> float:
    """Return how often chance alone moves the sum of paired differences as far, in (0, 1].

    Fisher's randomisation test (for retrieval: Smucker, Allan & Carterette, CIKM 2007): if two systems are equally
    good, each difference might as well have the other sign. Exact over all patterns of signs where at most 14 clusters
    differ; else over 10,000 drawn ones, seeded, and the observed one (Phipson & Smyth 2010). Pitfall: with fewer than
    6 differing clusters no two-sided p-value is below 0.05.

    Args:
        differences: One for each pair.
        clusters: The cluster of each pair; those of one change sign together.
        two_sided: False asks how often the sum is as low or lower.
    """
    sums: dict[str, float] = {}
    for difference, cluster in zip(differences, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + difference
    moved = np.asarray([value for value in sums.values() if abs(value) > _ZERO])  # 0 has no sign
    seen = moved.sum()
    chance = np.concatenate([signs @ moved for signs in _signs(len(moved))])
    far = np.abs(chance) >= abs(seen) - _ZERO if two_sided else chance <= seen + _ZERO
    observed = int(len(moved) > _EXACT_UP_TO)  # among all patterns it is one of them already
    return (int(far.sum()) + observed) / (len(far) + observed)


def _signs(n: int) -> Iterator[np.ndarray]:
    """Yield patterns of 1 and -1, shape (patterns, n): each once, or drawn ones in parts that fit into memory."""
    if n <= _EXACT_UP_TO:
        yield 1.0 - 2.0 * ((np.arange(2**n)[:, np.newaxis] >> np.arange(n)) & 1)
        return
    drawn = np.random.default_rng(_SEED)
    for _ in range(_DRAWN // _DRAWN_AT_ONCE):
        yield 1.0 - 2.0 * drawn.integers(0, 2, size=(_DRAWN_AT_ONCE, n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the order given (Holm, Scand. J. Statist. 1979).

    However the tests hang together, chance alone brings any of them to x or below at most that often. What cannot be
    significant whatever the signs may be left out beforehand (Tarone, Biometrics 1990).
    """
    corrected = [1.0] * len(p_values)
    least = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = least
    return corrected
