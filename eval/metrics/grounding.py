"""Do the words follow from what is cited, and from what was retrieved? By a judge whose own worth is known.

A judge tells whether texts, read together, support a claim. It is one of the verifier's tiers; `pressmark eval judge`
measures it on human labels, and each report prints that figure beside these. All figures lie in [0, 1] and are None
where they do not apply: a refusal has no claims.

After ALCE (arXiv:2305.14627), with its defects mended (`evaluation_anchors.md` 8.1): markers are parsed strictly, so an
invalid number supports nothing and counts against precision; the whole answer is scored; a repeated citation counts
once; refusals are apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Judge = Callable[[str, Sequence[str]], bool]
"""Claim and texts to whether they support it."""


@dataclass(frozen=True, slots=True)
class ClaimSupport:
    """What a judge said of one claim.

    Attributes:
        cited: Its citation numbers, each once.
        by_cited: Its cited texts together support it; False without a valid citation.
        alone: The valid citations that support it alone.
        needed: The valid citations without which the others do not support it.
        by_retrieved: Some retrieved text, or the cited ones, support it.
    """

    cited: tuple[int, ...]
    by_cited: bool
    alone: frozenset[int]
    needed: frozenset[int]
    by_retrieved: bool


def judged(
    claim: str, cited: Sequence[int], texts: Mapping[int, str], retrieved: Sequence[str], judge: Judge
) -> ClaimSupport:
    """Ask a judge about one claim.

    Args:
        claim: One sentence without markers.
        cited: Its citation numbers as they stand.
        texts: The text of each number that exists.
        retrieved: All passages that were given to the writer.
        judge: See `Judge`.
    """
    distinct = tuple(dict.fromkeys(cited))
    valid = [number for number in distinct if number in texts]
    by_cited = bool(valid) and len(valid) == len(distinct) and judge(claim, [texts[number] for number in valid])
    alone, needed = set[int](), set[int]()
    if by_cited and len(valid) == 1:
        alone.add(valid[0])
    elif by_cited:
        alone = {number for number in valid if judge(claim, [texts[number]])}
        needed = {number for number in valid if not judge(claim, [texts[one] for one in valid if one != number])}
    by_retrieved = by_cited or any(judge(claim, [text]) for text in retrieved)
    return ClaimSupport(distinct, by_cited, frozenset(alone), frozenset(needed), by_retrieved)


def alce_recall(found: Sequence[ClaimSupport]) -> float | None:
    """Return the share of claims that their citations support together: ALCE's citation recall."""
    return _share([claim.by_cited for claim in found])


def alce_precision(found: Sequence[ClaimSupport]) -> float | None:
    """Return the share of citations that do something for a supported claim: ALCE's citation precision.

    A citation counts if its claim is supported, and it supports it alone or the others do not without it. An invalid
    number, and every citation of a claim that is not supported, counts against it.
    """
    return _share(
        [
            claim.by_cited and (number in claim.alone or number in claim.needed)
            for claim in found
            for number in claim.cited
        ]
    )


def grounded_in_retrieved(found: Sequence[ClaimSupport]) -> float | None:
    """Return the share of claims that some retrieved passage supports, whatever they cite: RAGAS' faithfulness.

    Pitfall: blind to wrong citations; read it beside `alce_recall`.
    """
    return _share([claim.by_retrieved for claim in found])


def miscited(found: Sequence[ClaimSupport]) -> float | None:
    """Return the share of claims that only another retrieved passage than the cited supports; lower is better."""
    return _share([claim.by_retrieved and not claim.by_cited for claim in found])


def _share(good: Sequence[bool]) -> float | None:
    return sum(good) / len(good) if good else None
