"""Numbers with their units, dates and clock times of a text as values, and claim against evidence by them; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from rag.timewords import FULL_MONTH, MONTH, YEAR
from rag.words import MONTHS, NUMBER_WORDS, STOP_WORDS, WEEKDAYS, stem, tokens

Unit = Literal["percent", "money", ""]
Bound = Literal["over", "under", "about", ""]

_SCALES = {
    "dozen": 12, "hundred": 100, "thousand": 10**3, "k": 10**3, "million": 10**6, "m": 10**6, "mn": 10**6,
    "billion": 10**9, "bn": 10**9, "trillion": 10**12, "tn": 10**12,
}  # fmt: skip
_TENS = "|".join(word for word, value in NUMBER_WORDS.items() if value >= 20)
_WORDS = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_ONE = rf"(?:\d{{1,3}}(?:[,\u00a0\u202f]\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?|(?:{_TENS})[- ](?:{_WORDS})|{_WORDS})"
_LONG_SCALE = r"(?:dozen|hundred|thousand|million|billion|trillion)\b"
_SCALE = rf"(?:[\s-]?{_LONG_SCALE}|\s?(?:bn|mn|tn)\b|k\b)"
_NUMBER = re.compile(
    rf"(?<![\w.,])(?P<sign>[€$£¥]\s?)?(?P<first>{_ONE}|an?(?=\s+{_LONG_SCALE}))(?P<half>\s+and\s+a\s+half)?"
    rf"(?:(?P<scale>{_SCALE}+|(?<=\.\d)m\b)(?:\s+and\s+(?P<rest>(?:{_TENS})(?:[- ](?:{_WORDS}))?|{_WORDS})\b)?)?"
    r"(?:st|nd|rd|th|s|(?P<m>m))?(?!\w)"
    r"(?P<unit>\s?%|[\s-]per\s?cent\w*|\s+(?:percentage|crowns?|dollars?|euros?|pounds?|francs?|marks?|yen)\b)?",
    re.IGNORECASE,
)
_BOUNDS: tuple[tuple[Bound, re.Pattern[str]], ...] = (
    ("over", re.compile(r"\b(?:more than|over|at least|above|upwards of|no fewer than|no less than|exceed\w*)\s+$")),
    ("under", re.compile(r"\b(?:fewer than|less than|under|at most|up to|below|nearly|almost|no more than)\s+$")),
    ("about", re.compile(r"\b(?:about|around|roughly|some|approximately|an estimated|close to|or so)\s+$")),
)
_DAY = r"(?P<{}>\d{{1,2}})(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"\b(?:(?:{_DAY.format('day')}\s+(?:of\s+)?)?(?P<month>{MONTH})(?:\s+{_DAY.format('after')}(?![\d,.]*\d))?"
    rf"(?:,?\s+(?P<year>{YEAR}))?|(?P<iso>\d{{4}}-\d\d-\d\d)"
    rf"|(?<![\d/.])(?P<numeric>\d{{1,2}}[/.]\d{{1,2}}[/.]{YEAR}))",
    re.IGNORECASE,
)
# "half past ten", "shortly before six in the morning": no number of anything.
_SPOKEN_CLOCK = re.compile(
    rf"\b(?:half past|quarter (?:past|to))\s+(?:{_WORDS}|\d{{1,2}})\b"
    rf"|\b(?:{_WORDS}|\d{{1,2}})(?=\s+(?:o'clock|in the (?:morning|afternoon|evening)|at night)\b)",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"\b(?P<hour>\d{1,2})(?:[.:](?P<minute>\d\d))?\s?(?P<half>[ap])\.?m\b|\b(?P<h24>\d{1,2}):(?P<m24>\d\d)\b"
)
ROUNDING = 0.05  # "about 12,000" may stand for 11,870
_ORDINALS = "second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it counts or measures something.

    Attributes:
        words: As written, with its unit.
        bound: "over" for "more than 300", "under" for "nearly 300", "about" for "some 300".
        noun: Stem of the content word that follows, "" if none is near.
        start: Offset in the text.
    """

    value: float
    unit: Unit
    words: str
    bound: Bound = ""
    noun: str = ""
    start: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """A date as far as it is given: month alone, with a day, with a year."""

    month: int
    day: int | None = None
    year: int | None = None

    def agrees(self, other: Day) -> bool:
        """Tell whether both can be the same date; what one leaves out does not matter."""
        pairs = ((self.day, other.day), (self.year, other.year))
        return self.month == other.month and all(one is None or two is None or one == two for one, two in pairs)

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.day, MONTHS[self.month - 1].capitalize(), self.year) if part)


def figures(text: str) -> list[Figure]:
    """Return the numbers of `text` that belong to no date and no clock time, in order; "one" is none."""
    plain = _SPOKEN_CLOCK.sub(_blank, _CLOCK.sub(_blank, _DATE.sub(_blank_date, text)))
    found = []
    for match in _NUMBER.finditer(plain):
        value = _value(match)
        if match["first"].lower() == "one" and not match["scale"]:
            continue
        unit: Unit = "money" if match["sign"] else ""
        if match["unit"]:
            unit = "percent" if re.match(r"[\s-]*(?:%|per)", match["unit"], re.IGNORECASE) else "money"
        before = plain[max(0, match.start() - 25) : match.start()].lower()
        bound: Bound = next((name for name, pattern in _BOUNDS if pattern.search(before)), "")
        words = " ".join(text[match.start() : match.end()].split())
        found.append(Figure(value, unit, words, bound, _noun(plain[match.end() :]), match.start()))
    return found


def days(text: str) -> list[Day]:
    """Return the dates and months of `text`, in order."""
    found = []
    for match in _DATE.finditer(text):
        if match["iso"]:
            year, month, day = (int(part) for part in match["iso"].split("-"))
            if 1 <= month <= len(MONTHS):
                found.append(Day(month, day, year))
        elif match["numeric"]:
            day, month, year = (int(part) for part in re.split(r"[/.]", match["numeric"]))
            if month > len(MONTHS):  # as Americans write it
                day, month = month, day
            if 1 <= month <= len(MONTHS):
                found.append(Day(month, day, year))
        elif _is_month(match):
            number = [name[:3] for name in MONTHS].index(match["month"].lower()[:3]) + 1
            day_words = match["day"] or match["after"]
            found.append(
                Day(number, int(day_words) if day_words else None, int(match["year"]) if match["year"] else None)
            )
    return found


def relative_days(text: str, published: date) -> list[Day]:
    """Return the dates that "yesterday", "on Tuesday" and the like mean in an article of that day."""
    words = set(re.findall(r"\w+", text.lower()))
    shifts = {
        shift for word, shift in (("yesterday", -1), ("today", 0), ("tomorrow", 1), ("tonight", 0)) if word in words
    }
    if words & {"morning", "afternoon", "evening", "night", "midnight"}:
        shifts |= {0, -1}
    for number, name in enumerate(WEEKDAYS):
        if name in words:
            back = (published.weekday() - number) % 7
            shifts |= {-back, 7 - back, -back - 7}
    found = [published + timedelta(days=shift) for shift in sorted(shifts)]
    return [Day(day.month, day.day, day.year) for day in found]


def clock_times(text: str) -> dict[int, str]:
    """Return the clock times of `text` in minutes after midnight, each with its words."""
    found: dict[int, str] = {}
    for match in _CLOCK.finditer(text):
        if match["h24"]:
            minutes = int(match["h24"]) * 60 + int(match["m24"])
        else:
            minutes = int(match["hour"]) % 12 * 60 + int(match["minute"] or 0) + (720 if match["half"] == "p" else 0)
        found.setdefault(minutes, match.group())
    return found


def ordinals(text: str) -> dict[int, str]:
    """Return the places from second to twelfth that `text` names, each with its word."""
    words = re.findall(r"\w+", text.lower())
    return {number: word for number, word in enumerate(_ORDINALS, start=2) if word in words}


def _value(match: re.Match[str]) -> float:
    value = _one(match["first"]) + (0.5 if match["half"] else 0)
    for scale in re.findall(r"[a-z]+", (match["scale"] or "").lower()):
        value *= _SCALES[scale]
    if (match["sign"] or match["unit"]) and not match["scale"] and match["m"]:
        value *= _SCALES["m"]
    return value + (_one(match["rest"]) if match["rest"] else 0)


def _one(words: str) -> float:
    text = words.lower()
    if text[0].isdigit():
        return float(re.sub(r"[,\u00a0\u202f]", "", text))
    return float(sum(NUMBER_WORDS[part] for part in re.split(r"[- ]", text) if part in NUMBER_WORDS)) or float(
        text[0] == "a"
    )


def _noun(after: str) -> str:
    clause = re.split(r"[.,;:!?()]", after, maxsplit=1)[0]
    words = [word for word in re.findall(r"[^\W\d_]+", clause.lower())[:3] if word not in STOP_WORDS]
    return stem(words[0]) if words else ""


def _is_month(match: re.Match[str]) -> bool:
    """Pass over "may" and "march" that are no months: a name begins with a capital letter."""
    if match["month"] is None:
        return False
    return match["month"][0].isupper() or bool(match["day"]) or re.fullmatch(FULL_MONTH, match["month"], re.I) is None


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _blank_date(match: re.Match[str]) -> str:
    return match.group() if match["month"] and not _is_month(match) else _blank(match)


_THE_TWO = re.compile(r"\bthe\s+$", re.IGNORECASE)
_TWICE = re.compile(r"\b(?:twice|both|pair|couple|double[ds]?)\b", re.IGNORECASE)


# -- claim against evidence ------------------------------------------------------------------------------


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


def _counts_what_is_named(figure: Figure, claim: str, evidence: str) -> bool:
    """Tell whether a "two" may count what the passage names one by one: "the two companies", "on two occasions"."""
    two = not figure.unit and figure.words.lower() == "two"
    return two and bool(_THE_TWO.search(claim[: figure.start]) or _TWICE.search(evidence))


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


def stamp_of(passage: str) -> date | None:
    """Return the date in a passage's second line, where outlet and date stand before the text; None without one."""
    found = next((day for line in passage.split("\n")[1:2] for day in days(line)), None)
    return date(found.year, found.month, found.day) if found and found.day and found.year else None


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
