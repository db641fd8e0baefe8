"""A claim's numbers, dates and clock times against those of its evidence; pure. Part of `rag.rules`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from rag.figures import Day, Figure, clock_times, days, figures, ordinals, relative_days, stamp_of
from rag.words import WEEKDAYS, tokens

ROUNDING = 0.05  # "about 12,000" may stand for 11,870
_THE_TWO = re.compile(r"\bthe\s+$", re.IGNORECASE)
_TWICE = re.compile(r"\b(?:twice|both|pair|couple|double[ds]?)\b", re.IGNORECASE)


def wrong_figures(claim: str, evidence: str) -> list[tuple[str, bool]]:
    """Return a reason for each number of the claim that the evidence does not hold, with the nearest that it holds.

    With each stands whether it is surely wrong: a number that can be reckoned from the evidence's may be right.
    """
    held = figures(evidence)
    mine = figures(claim)
    years = {float(day.year) for day in days(evidence) if day.year}
    reasons: list[tuple[str, bool]] = []
    for figure in mine:
        same = [other for other in held if _same_value(figure, other)]
        if (
            not figure.unit
            and figure.value == 2
            and (_THE_TWO.search(claim[: figure.start]) or _TWICE.search(evidence))
        ):
            continue
        if not same and not figure.unit and figure.value in years | {float(number) for number in ordinals(evidence)}:
            continue
        if figure.value == 0 and not figure.unit and _NONE.search(evidence):
            continue
        if not any(_same_unit(figure, other) for other in same):
            sure = not _reckoned(figure, held, claim, evidence)
            reasons.append((f"the cited passage says {_nearest(figure, held)}, not {figure.words}", sure))
        elif all({figure.bound, other.bound} == {"over", "under"} for other in same):
            words = f"the claim says {figure.bound} {figure.words}, the passage {same[0].bound} {same[0].words}"
            reasons.append((words, True))
        else:
            reasons += [(reason, True) for reason in _swapped(figure, mine, held)]
    places = ordinals(evidence)
    wrong = [word for number, word in ordinals(claim).items() if number not in places and _counts_nothing(number, held)]
    return reasons + [(f"the cited passage does not say “{word}”", True) for word in wrong]


_NONE = re.compile(r"\b(?:no|none|nobody|no one|nothing|without|not (?:a|one))\b", re.IGNORECASE)
_FRACTIONS = {
    "half": 50, "halved": 50, "third": 100 / 3, "two thirds": 200 / 3, "two-thirds": 200 / 3, "quarter": 25,
    "three quarters": 75, "three-quarters": 75, "fifth": 20, "tenth": 10, "doubled": 100, "twice": 200, "tripled": 200,
}  # fmt: skip


_COMPARES = re.compile(
    r"\b(?:more|fewer|less|down|up|by|points|later|earlier|older|younger|total|together|altogether|combined|apart|other"
    r"|rest|remain\w*|left|margin|difference)\b"
)
_MEASURES = re.compile(r"\s*(?:milli|centi|kilo)?(?:metres?|litres?|grams?|tonnes?)\b", re.IGNORECASE)


def _reckoned(figure: Figure, held: Sequence[Figure], claim: str, evidence: str) -> bool:
    """Tell whether the number may be a sum, difference, share or other unit of numbers in the evidence."""
    values = [other.value for other in held if other.unit == figure.unit]
    found: set[float] = set()
    if _COMPARES.search(claim):
        found |= {sign * one + other for one in values for other in values for sign in (1, -1)}
    if _MEASURES.match(claim, figure.start + len(figure.words)):
        found |= {value * scale for value in values for scale in (0.001, 0.1, 10, 1000)}
    values = [other.value for other in held if not other.unit or other.unit == "money"]
    if figure.unit == "percent":
        shares = [100 * one / other for one in values for other in values if other]
        found |= {round(share) for share in shares} | {round(share - 100) for share in shares}
        low = evidence.lower()
        found |= {percent for word, percent in _FRACTIONS.items() if re.search(rf"\b{word}s?\b", low)}
    near = ROUNDING if figure.bound else 1e-6
    return any(abs(value - figure.value) <= near * abs(figure.value) for value in found)


def _same_value(mine: Figure, other: Figure) -> bool:
    if mine.value == other.value:
        return True
    if not mine.bound or not mine.value:
        return False
    share = (other.value - mine.value) / mine.value
    low, high = {"over": (0.0, ROUNDING), "under": (-ROUNDING, 0.0)}.get(mine.bound, (-ROUNDING, ROUNDING))
    return low <= share <= high


def _same_unit(mine: Figure, other: Figure) -> bool:
    """Money and bare numbers may meet ("840 million for the yard"); a percentage meets only its like."""
    return mine.unit == other.unit or "percent" not in (mine.unit, other.unit)


def _swapped(figure: Figure, mine: Sequence[Figure], held: Sequence[Figure]) -> list[str]:
    """Catch "31 passengers and 214 crew" where the passage has 214 passengers and 31 crew."""
    theirs = [other for other in held if other.noun == figure.noun and figure.noun]
    own = {other.noun for other in held if other.value == figure.value}
    crossed = own & {other.noun for other in mine if other.value != figure.value} - {""}
    if theirs and figure.noun not in own and crossed:
        return [f"the cited passage says {theirs[0].words} {figure.noun}, not {figure.words}"]
    return []


def _nearest(figure: Figure, held: Sequence[Figure]) -> str:
    """Return the words of the figure of the passage that the claim most likely garbles: like noun, unit and size."""
    if not held:
        return "no number"

    def distance(other: Figure) -> tuple[bool, bool, float]:
        small, large = sorted((abs(figure.value) + 1, abs(other.value) + 1))
        return other.noun != figure.noun or not figure.noun, other.unit != figure.unit, large / small

    return min(held, key=distance).words


def _counts_nothing(number: int, held: Sequence[Figure]) -> bool:
    return all(figure.value != number for figure in held)


def wrong_dates(claim: str, passages: Sequence[str]) -> list[str]:
    """Check dates, weekdays and clock times; words like "yesterday" count from the passage's own date."""
    evidence = "\n".join(passages)
    held = days(evidence)
    for passage in passages:
        stamp = stamp_of(passage)
        if stamp:
            held += relative_days(passage, stamp)
            if re.search(r"\b(?:last|next|this) month\b", passage):
                held += [Day((stamp.month + shift - 1) % 12 + 1) for shift in (-1, 0, 1)]
    wrong = [day for day in days(claim) if not any(day.agrees(other) for other in held)]
    reasons = [f"the cited passage says {_nearest_day(day, days(evidence))}, not {day}" for day in wrong]
    said = {word for word in tokens(claim) if word in WEEKDAYS}
    known = set(tokens(evidence)) | {name for day in held if (name := _weekday(day))}
    reasons += [f"the cited passage does not say {word.capitalize()}" for word in sorted(said - known)]
    clocks = clock_times(evidence)
    hours = {figure.value for figure in figures(evidence) if not figure.unit}
    for minutes, words in clock_times(claim).items():
        hour = minutes // 60 % 12 or 12
        if minutes not in clocks and not (minutes % 60 == 0 and hour in hours):  # "4 a.m." for "until four"
            nearest = min(clocks, key=lambda other: abs(other - minutes), default=None)
            reasons.append(
                f"the cited passage says {clocks[nearest] if nearest is not None else 'no time'}, not {words}"
            )
    return reasons


def _nearest_day(day: Day, held: Sequence[Day]) -> str:
    def distance(other: Day) -> tuple[bool, bool, int]:
        return (
            other.month != day.month,
            None not in (day.year, other.year) and day.year != other.year,
            abs((other.day or 0) - (day.day or 0)),
        )

    return str(min(held, key=distance)) if held else "no date"


def _weekday(day: Day) -> str | None:
    if not (day.day and day.year):
        return None
    try:
        return WEEKDAYS[date(day.year, day.month, day.day).weekday()]
    except ValueError:
        return None
