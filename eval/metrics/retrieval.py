"""Did the search find the evidence?

The unit is one place of the result: a passage, known by its article's id. `gold` holds one set of
article ids for each piece of evidence needed; any member of a set will do, as the wire copies of
one story say the same. All figures lie in [0, 1] and are None where there is no gold.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

Gold = Sequence[Collection[str]]


def gold_ranks(ranked: Sequence[str], gold: Gold) -> list[int | None]:
    """Return for each gold set the 1-based place of its first article, None if not found."""
    return [next((place for place, article in enumerate(ranked, 1) if article in group), None) for group in gold]


def hit_at_k(ranked: Sequence[str], gold: Gold, *, k: int) -> float | None:
    """Return 1.0 if any gold set has an article in the first k places, else 0.0.

    MultiHop-RAG's Hits@K (arXiv:2401.15391) as its code computes it. Pitfall: one of three needed
    articles is a hit; read it beside `all_evidence_at_k`.
    """
    found = _found(ranked, gold, k)
    return float(any(found)) if found else None


def recall_at_k(ranked: Sequence[str], gold: Gold, *, k: int) -> float | None:
    """Return the share of gold sets with an article in the first k places.

    A set counts once however many of its copies or passages are there, so repeating a story gains
    nothing.
    """
    found = _found(ranked, gold, k)
    return sum(found) / len(found) if found else None


def all_evidence_at_k(ranked: Sequence[str], gold: Gold, *, k: int) -> float | None:
    """Return 1.0 if every gold set has an article in the first k places, else 0.0.

    What a question over several articles needs, and what MultiHop-RAG does not report.
    """
    found = _found(ranked, gold, k)
    return float(all(found)) if found else None


def reciprocal_rank(ranked: Sequence[str], gold: Gold, *, k: int | None = None) -> float | None:
    """Return 1 / the place of the first gold article, 0.0 if none is in the first k places.

    Its mean is the MRR (Voorhees, TREC-8 1999). Pitfall: only the first gold article counts.
    """
    if k is not None:
        _check(k)
    if not gold:
        return None
    places = [place for place in gold_ranks(ranked[:k], gold) if place]
    return 1 / min(places) if places else 0.0


def ndcg_at_k(ranked: Sequence[str], gold: Gold, *, k: int) -> float | None:
    """Return the normalised discounted cumulative gain of the first k places, in [0, 1].

    Definition (Järvelin & Kekäläinen, TOIS 2002, with gain 1): the first place that shows a gold set gains
    1 / log2(1 + place); the ideal result shows one set a place from the first on. With one article a set and no
    article twice it equals `ir_measures.nDCG@k`. Pitfall: places are passages, so an article's second passage pushes
    the next article down, as it does for a reader.
    """
    _check(k)
    if not gold:
        return None
    places = [place for place in gold_ranks(ranked[:k], gold) if place]
    ideal = sum(1 / math.log2(1 + place) for place in range(1, min(k, len(gold)) + 1))
    return min(1.0, sum(1 / math.log2(1 + place) for place in places) / ideal)


def _found(ranked: Sequence[str], gold: Gold, k: int) -> list[bool]:
    _check(k)
    return [place is not None for place in gold_ranks(ranked[:k], gold)]


def _check(k: int) -> None:
    if k < 1:
        raise ValueError(f"k is {k}: give the number of places to look at, 1 or more.")
