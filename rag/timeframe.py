"""The time window a question asks for, read by rules; pure.

A window is made only where the words limit *publication time* in a plain way ("in June", "last
week", "since 3 July"). Windows that begin in the future or end before 1900 are none: such a date is
what the question is about, not when the reports appeared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rag.schema import TimeWindow
from rag.words import MONTHS, NUMBER_WORDS

Days = tuple[datetime, datetime]  # half-open, midnights UTC

_MONTH = "(?P<month>" + "|".join([*MONTHS, *(f"{name[:3]}\\.?" for name in MONTHS if name != "may"), "sept\\.?"]) + ")"
_YEAR = r"(?:,?\s+(?P<year>(?:19|20)\d\d))?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_DATE = rf"(?:{_DAY}\s+(?:of\s+)?{_MONTH}{_YEAR}|{_MONTH.replace('month', 'month2')}\s+{_DAY.replace('day', 'day2')}{_YEAR.replace('year', 'year2')}|(?P<iso>\d{{4}}-\d\d-\d\d))"
_COUNT = (
    r"(?P<count>\d{1,3}|"
    + "|".join(word for word, value in NUMBER_WORDS.items() if 1 < value <= 20)
    + "|couple of|few)"
)
_SEASONS = {"spring": (3, 6), "summer": (6, 9), "autumn": (9, 12), "fall": (9, 12), "winter": (12, 15)}
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3}


def window_of(question: str, now: datetime) -> TimeWindow | None:
    """Return the window that `question` names, or None.

    Args:
        question: The standalone question.
        now: Aware; "last month" counts from its day (UTC).
    """
    today = datetime(now.year, now.month, now.day, tzinfo=UTC)
    for pattern, read in _RULES:
        match = pattern.search(question)
        if match:
            span = read(match, today)
            if span and _plain(span, today):
                return TimeWindow(since=span[0], until=span[1], inferred_from=match.group().strip(" ,?."))
    return None


def _plain(span: tuple[datetime | None, datetime | None], today: datetime) -> bool:
    since, until = span
    return (since is None or since <= today) and (until is None or until.year >= 1900)


Open = tuple[datetime | None, datetime | None]


def _relative_day(match: re.Match[str], today: datetime) -> Open:
    back = {"today": 0, "this morning": 0, "tonight": 0, "yesterday": 1}[match["word"].lower()]
    return today - timedelta(days=back), today - timedelta(days=back - 1)


def _relative_period(match: re.Match[str], today: datetime) -> Open:
    """Read "last month", "this week", "past year": calendar periods; "past" is up to now."""
    which, unit = match["which"].lower(), match["unit"].lower()
    if which in ("past", "the past"):
        return _past(1, unit, today)
    shift = 0 if which == "this" else -1
    if unit == "week":
        start = today - timedelta(days=today.weekday()) + timedelta(weeks=shift)
        return start, start + timedelta(weeks=1)
    if unit == "weekend":
        start = today - timedelta(days=(today.weekday() - 5) % 7 or (7 if shift else 0))
        return start, start + timedelta(days=2)
    if unit == "month":
        return _months(today.year, today.month + shift, 1)
    if unit == "year":
        return _months(today.year + shift, 1, 12)
    return _season(unit, today.year if shift == 0 or _SEASONS[unit][1] <= today.month else today.year - 1)


def _counted(match: re.Match[str], today: datetime) -> Open:
    word = match["count"].lower()
    count = {"couple of": 2, "few": 3}.get(word) or NUMBER_WORDS.get(word) or int(word)
    return _past(count, match["unit"].lower().removesuffix("s"), today)


def _past(count: int, unit: str, today: datetime) -> Open:
    tomorrow = today + timedelta(days=1)
    days = {"day": 1, "week": 7, "weekend": 3, "month": 30, "year": 365}.get(unit, 90) * count
    return tomorrow - timedelta(days=days), tomorrow


def _part_of_month(match: re.Match[str], today: datetime) -> Open | None:
    """Read "the first week of July", "early June", "the second half of 2025's May"."""
    month = _month_of(match, today)
    part = match["part"].lower().removeprefix("the ")
    if part in ("early", "beginning of", "start of"):
        return month[0], month[0] + timedelta(days=10)
    if part in ("mid", "mid-", "middle of"):
        return month[0] + timedelta(days=10), month[0] + timedelta(days=20)
    if part in ("late", "end of"):
        return month[0] + timedelta(days=20), month[1]
    which, unit = part.split()[0], part.split()[1]
    if unit == "half":
        middle = month[0] + timedelta(days=15)
        return (month[0], middle) if which == "first" else (middle, month[1])
    if which == "last":
        return month[1] - timedelta(days=7), month[1]
    start = month[0] + timedelta(days=7 * _ORDINALS[which])
    return start, start + timedelta(days=7)


def _half_year(match: re.Match[str], today: datetime) -> Open:
    year = int(match["year"])
    if match["unit"].lower() == "half":
        return _months(year, 1 if match["which"].lower() == "first" else 7, 6)
    return _months(year, 1 + 3 * _ORDINALS[match["which"].lower()], 3)


def _between(match: re.Match[str], today: datetime) -> Open | None:
    one, other = _point(match["one"], today), _point(match["other"], today)
    return (one[0], other[1]) if one and other and one[0] < other[1] else None


def _since(match: re.Match[str], today: datetime) -> Open | None:
    point = _point(match["point"], today)
    if point is None:
        return None
    return (point[1] if match["side"].lower() == "after" else point[0]), None


def _before(match: re.Match[str], today: datetime) -> Open | None:
    point = _point(match["point"], today)
    if point is None:
        return None
    return None, (point[1] if match["side"].lower().startswith(("until", "up")) else point[0])


def _on_day(match: re.Match[str], today: datetime) -> Open | None:
    """A day's events are in that day's and the next two days' papers."""
    day = _point(match["point"], today)
    return (day[0], day[0] + timedelta(days=3)) if day else None


def _in_month(match: re.Match[str], today: datetime) -> Open:
    return _month_of(match, today)


def _in_year(match: re.Match[str], today: datetime) -> Open:
    return _months(int(match["year"]), 1, 12)


def _point(words: str, today: datetime) -> Days | None:
    """Read a date, a month or a year."""
    text = words.strip()
    match = re.fullmatch(_DATE, text, re.IGNORECASE)
    if match:
        return _date_of(match, today)
    match = re.fullmatch(rf"(?:the\s+(?:start|beginning|end)\s+of\s+)?{_MONTH}{_YEAR}", text, re.IGNORECASE)
    if match:
        return _month_of(match, today)
    match = re.fullmatch(r"(?P<year>(?:19|20)\d\d)", text)
    return _months(int(match["year"]), 1, 12) if match else None


def _date_of(match: re.Match[str], today: datetime) -> Days | None:
    try:
        if match["iso"]:
            start = datetime.fromisoformat(match["iso"]).replace(tzinfo=UTC)
        else:
            month = _month_number(match["month"] or match["month2"])
            day, year = int(match["day"] or match["day2"]), match["year"] or match["year2"]
            start = datetime(int(year) if year else today.year, month, day, tzinfo=UTC)
            if not year and start > today:
                start = start.replace(year=today.year - 1)
    except ValueError:  # 31 June
        return None
    return start, start + timedelta(days=1)


def _month_of(match: re.Match[str], today: datetime) -> Days:
    month = _month_number(match["month"])
    if match["year"]:
        return _months(int(match["year"]), month, 1)
    return _months(today.year if month <= today.month else today.year - 1, month, 1)


def _month_number(name: str) -> int:
    return next(
        number for number, month in enumerate(MONTHS, start=1) if month.startswith(name.lower().rstrip(".")[:3])
    )


def _season(name: str, year: int) -> Days:
    first, end = _SEASONS[name]
    return _months(year, first, end - first)


def _months(year: int, month: int, count: int) -> Days:
    """Return `count` months from a month number that may run over the year's end or start."""
    start, stop = year * 12 + month - 1, year * 12 + month - 1 + count
    return datetime(start // 12, start % 12 + 1, 1, tzinfo=UTC), datetime(stop // 12, stop % 12 + 1, 1, tzinfo=UTC)


def _rule(
    pattern: str, read: Callable[[re.Match[str], datetime], Open | None]
) -> tuple[re.Pattern[str], Callable[[re.Match[str], datetime], Open | None]]:
    return re.compile(pattern, re.IGNORECASE), read


_UNIT = "(?P<unit>day|week|weekend|month|year|spring|summer|autumn|fall|winter)"
_POINT = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH.replace('?P<month>', '?:')}(?:,?\s+\d{{4}})?|{_MONTH.replace('?P<month>', '?:')}(?:\s+\d{{1,2}}(?:st|nd|rd|th)?\b)?(?:,?\s+(?:19|20)\d\d)?|\d{{4}}-\d\d-\d\d|(?:19|20)\d\d)"
_PART = r"(?P<part>early|mid-?|late|(?:the\s+)?(?:beginning|start|middle|end) of|(?:the\s+)?(?:first|second|third|fourth|last) (?:week|half) of)"
# In order: the first that matches is read, so the narrower comes first.
_RULES = [
    _rule(rf"\b(?:between|from)\s+(?P<one>{_POINT})\s+(?:and|to|until|till)\s+(?P<other>{_POINT})\b", _between),
    _rule(rf"\b(?:in|during|at|since|over)?\s*{_PART}[\s-]*{_MONTH}\b{_YEAR}", _part_of_month),
    _rule(r"\b(?:in|during)\s+the\s+(?P<which>first|second|third|fourth) (?P<unit>half|quarter) of (?P<year>(?:19|20)\d\d)\b", _half_year),
    _rule(rf"\b(?P<side>since|after)\s+(?P<point>{_POINT})\b", _since),
    _rule(rf"\b(?P<side>before|until|up to)\s+(?P<point>{_POINT})\b", _before),
    _rule(rf"\bon\s+(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+)?(?:the\s+)?(?P<point>{_DATE})", _on_day),
    _rule(rf"\b(?:in|during|throughout|over|for)\s+(?:the (?:whole )?(?:month )?of\s+)?{_MONTH}\b{_YEAR}", _in_month),
    _rule(rf"\b{_MONTH}'s\b(?P<year>)", _in_month),
    _rule(rf"\b(?:in|over|during|within)?\s*the\s+(?:past|last)\s+{_COUNT}\s+(?P<unit>days|weeks|months|years)\b", _counted),
    _rule(rf"\b(?P<which>last|this|past|the past)\s+{_UNIT}\b", _relative_period),
    _rule(r"\b(?P<word>today|this morning|tonight|yesterday)\b", _relative_day),
    _rule(r"\b(?:in|during)\s+(?P<year>(?:19|20)\d\d)\b", _in_year),
]  # fmt: skip
