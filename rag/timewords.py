"""Words for a date, a month, a year or a part of one, as spans of days; pure, English.

The patterns are for both sides: `rag.timeframe` finds phrases with them, `point_of` reads the pieces.
None has a named group, so that a rule may hold several.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rag.words import MONTHS, NUMBER_WORDS

Days = tuple[datetime, datetime]  # half-open, midnights UTC

ONE_DAY = timedelta(days=1)
ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3}
_SEASONS = {"spring": (3, 3), "summer": (6, 3), "autumn": (9, 3), "fall": (9, 3), "winter": (12, 3)}

FULL_MONTH = "(?:" + "|".join(MONTHS) + ")"
_SHORT_MONTH = "(?:" + "|".join(name[:3] for name in MONTHS if name != "may") + r"|sept)\b\.?"
MONTH = rf"(?:{FULL_MONTH}\b|{_SHORT_MONTH})"
SEASON = "(?:" + "|".join(_SEASONS) + r")\b"
YEAR = r"(?:19|20)\d\d\b"
OF_YEAR = rf"(?:,?\s+(?:of\s+)?(?:{YEAR}|(?:last|this)\s+year\b))"
DAY = r"\d{1,2}(?:st|nd|rd|th)?\b"
_ISO_DATE = r"\d{4}-\d\d-\d\d\b"
DATE = rf"(?:{DAY}\s+(?:of\s+)?{MONTH}{OF_YEAR}?|{MONTH}\s+{DAY}{OF_YEAR}?|{_ISO_DATE})"
_PART = (
    r"(?:early|mid\b-?|late|(?:the\s+)?(?:beginning|start|middle|end)\s+of"
    r"|(?:the\s+)?(?:first|second|third|fourth|last)\s+(?:week|half|quarter)\s+of)[\s-]*"
)
_UNIT = rf"(?:week|weekend|month|quarter|year|{SEASON}|{FULL_MONTH})\b"
RELATIVE = rf"(?:(?:the\s+)?(?:last|past)|this)\s+{_UNIT}"
_PERIOD = rf"(?:{MONTH}{OF_YEAR}?|{YEAR}|(?:last|this)\s+(?:month|year)\b|the\s+(?:month|year)\b)"
PART_OF_PERIOD = _PART + _PERIOD
POINT = rf"(?:{DATE}|(?:{_PART})?{_PERIOD}|yesterday\b|{RELATIVE})"
COUNT = (
    r"(?:\d{1,3}|(?:a\s+)?(?:couple of|few)|"
    + "|".join(word for word, value in NUMBER_WORDS.items() if 1 <= value <= 20)
    + ")"
)

ISO = re.compile(_ISO_DATE)
MONTH_WORD = re.compile(rf"\b{MONTH}", re.IGNORECASE)
_PART_OF = re.compile(rf"(?P<part>{_PART})")
_RELATIVE = re.compile(r"(?P<which>(?:the )?(?:last|past)|this|the) (?P<unit>[a-z]+)")


@dataclass(frozen=True, slots=True)
class Clock:
    """The moment that relative words count from, and where the question looks.

    Attributes:
        today: Midnight UTC.
        ahead: The question speaks of what is to come: "in December" is not last year's.
        behind: It speaks in the past tense.
    """

    today: datetime
    ahead: bool = False
    behind: bool = False


def point_of(words: str, clock: Clock) -> Days | None:
    """Return the days that a phrase like `POINT` means, or None if there are none ("31 June")."""
    text = " ".join(words.lower().split())
    if text in ("now", "today"):
        return clock.today, clock.today + ONE_DAY
    if text == "yesterday":
        return clock.today - ONE_DAY, clock.today
    part = _PART_OF.match(text)
    if part:
        period = point_of(text[part.end() :], clock)
        return _part(part["part"].removeprefix("the ").strip(" -"), period) if period else None
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return _calendar(relative["which"], relative["unit"], clock.today)
    if ISO.fullmatch(text):
        return day_of(*(int(piece) for piece in text.split("-")))
    return _date_or_month(text, clock)


def _date_or_month(text: str, clock: Clock) -> Days | None:
    season = next((name for name in _SEASONS if re.search(rf"\b{name}\b", text)), None)
    month = next((_month_number(found.group()) for found in MONTH_WORD.finditer(text)), None)
    day = re.search(r"\b(\d{1,2})(?:st|nd|rd|th)?\b", text)
    year = year_in(text, clock.today)
    if season:
        return _season(season, year) if year else _recent_season(season, clock.today, ended=False)
    if month is None:
        return months(year, 1, 12) if year else None
    if year:
        return day_of(year, month, int(day[1])) if day else months(year, month, 1)
    this_year = day_of(clock.today.year, month, int(day[1])) if day else months(clock.today.year, month, 1)
    if this_year and this_year[0] <= clock.today:
        return this_year
    if clock.ahead:
        return None
    if not day:
        return months(clock.today.year - 1, month, 1)
    earlier = (day_of(clock.today.year - back, month, int(day[1])) for back in range(1, 9))  # 29 February
    return next((found for found in earlier if found), None)


def _part(part: str, period: Days) -> Days | None:
    """Return a part of a month (in days) or of a longer period (in months)."""
    start, end = period
    n_months = (end.year - start.year) * 12 + end.month - start.month
    if "half" in part and n_months in (1, 12):
        middle = start + timedelta(days=15) if n_months == 1 else months(start.year, 7, 1)[0]
        return (start, middle) if part.startswith("first") else (middle, end)
    if "quarter" in part and n_months == 12:
        return months(start.year, 1 + 3 * ORDINALS.get(part.split()[0], 3), 3)
    if "week" in part and n_months == 1:
        first = end - timedelta(days=7) if part.startswith("last") else start + timedelta(7 * ORDINALS[part.split()[0]])
        return first, min(first + timedelta(days=7), end)
    if n_months not in (1, 12) or part.split()[0] in ORDINALS or part.startswith("last"):
        return None
    third = 0 if part.startswith(("early", "beg", "start")) else 1 if part.startswith("mid") else 2
    if n_months == 12:
        return months(start.year, 1 + 4 * third, 4)
    return start + timedelta(days=10 * third), end if third == 2 else start + timedelta(days=10 * third + 10)


def _calendar(which: str, unit: str, today: datetime) -> Days:
    """Read "last month", "this week", "the year": calendar periods; "past", "the last" reach up to now."""
    shift = -1 if which == "last" else 0
    if which.endswith("past") or (which == "the last" and unit in ("week", "month", "year")):
        if unit in ("week", "month", "year"):
            return past(1, unit, today)
        shift = -1
    if unit == "week":
        start = today + timedelta(weeks=shift, days=-today.weekday())
        return start, start + timedelta(weeks=1)
    if unit == "weekend":
        start = today + timedelta(weeks=shift, days=5 - today.weekday())
        return start, start + timedelta(days=2)
    if unit == "month":
        return months(today.year, today.month + shift, 1)
    if unit == "quarter":
        return months(today.year, 1 + 3 * ((today.month - 1) // 3 + shift), 3)
    if unit == "year":
        return months(today.year + shift, 1, 12)
    if unit in _SEASONS:
        return _recent_season(unit, today, ended=which != "the") if which != "this" else _this_season(unit, today)
    month = _month_number(unit)
    return months(today.year if month <= today.month else today.year - (which != "this"), month, 1)


def past(count: int, unit: str, today: datetime) -> Days:
    """Return the days up to and with today: "the past three weeks"; `unit` is hour, day, week, month or year.

    Months and years go back to the same day of the month, or to its last.
    """
    if unit in ("month", "year"):
        number = today.year * 12 + today.month - 1 - count * (12 if unit == "year" else 1)
        year, month = divmod(number, 12)
        day = min(today.day, calendar.monthrange(year, month + 1)[1]) if 1 <= year <= today.year else 1
        return today.replace(year=max(1, year), month=month + 1, day=day), today + ONE_DAY
    days = max(1, round(count / 24)) if unit == "hour" else count * {"day": 1, "week": 7}[unit]
    return today - timedelta(days=days), today + ONE_DAY


def _season(name: str, year: int) -> Days:
    return months(year, *_SEASONS[name])


def _recent_season(name: str, today: datetime, *, ended: bool) -> Days:
    seasons = (_season(name, today.year - back) for back in range(3))
    return next(season for season in seasons if (season[1] if ended else season[0]) <= today)


def _this_season(name: str, today: datetime) -> Days:
    running = _recent_season(name, today, ended=False)
    return running if today < running[1] else _season(name, today.year)


def months(year: int, month: int, count: int) -> Days:
    """Return `count` months from a month number that may run over the year's end or start."""
    start, stop = year * 12 + month - 1, year * 12 + month - 1 + count
    return datetime(start // 12, start % 12 + 1, 1, tzinfo=UTC), datetime(stop // 12, stop % 12 + 1, 1, tzinfo=UTC)


def day_of(year: int, month: int, day: int) -> Days | None:
    """Return one day, or None if the calendar lacks it."""
    try:
        start = datetime(year, month, day, tzinfo=UTC)
        return start, start + ONE_DAY
    except (ValueError, OverflowError):  # 31 June; 9999-12-31
        return None


def _month_number(name: str) -> int:
    return [month[:3] for month in MONTHS].index(name.lower()[:3]) + 1


def year_in(text: str, today: datetime) -> int | None:
    """Return the year that a phrase names ("2024", "last year"), or None."""
    found = re.search(rf"\b{YEAR}", text)
    if found:
        return int(found.group())
    return today.year - 1 if "last year" in text else today.year if "this year" in text else None


def count_of(words: str) -> int:
    """Return the value of a phrase like `COUNT`."""
    word = words.lower().removeprefix("a ").strip()
    return {"couple of": 2, "few": 3, "a": 1, "one": 1}.get(word) or NUMBER_WORDS.get(word) or int(word)
