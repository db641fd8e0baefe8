"""Numbers with their units, dates and clock times of a text as values; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from rag.timewords import FULL_MONTH, MONTH, YEAR, day_of
from rag.words import MONTHS, NUMBER_WORDS, STOP_WORDS, WEEKDAYS, stem

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


def stamp_of(passage: str) -> date | None:
    """Return the date in a passage's second line, where outlet and date stand before the text; None without one."""
    found = next((day for line in passage.split("\n")[1:2] for day in days(line)), None)
    span = day_of(found.year, found.month, found.day) if found and found.day and found.year else None
    return span[0].date() if span else None


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
