"""The time window a question asks for, read by rules; pure.

A window is made only where the words limit *publication time* in a plain way ("in June", "last
week", "since 3 July"). Windows that begin in the future or end before 1900 are none: such a date is
what the question is about, not when the reports appeared. A word that may be no date at all ("the
march", "May resigned") makes none either.

Words to spans of days: a rule of `_RULES` finds the phrase, and its reader turns the pieces of the
phrase ("point": a date, month, year or part of one) into days with `rag.timewords.point_of`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from rag.schema import TimeWindow
from rag.timewords import (
    COUNT,
    DATE,
    DAY,
    FULL_MONTH,
    ISO,
    MONTH,
    MONTH_WORD,
    OF_YEAR,
    ONE_DAY,
    ORDINALS,
    PART_OF_PERIOD,
    POINT,
    RELATIVE,
    SEASON,
    YEAR,
    Clock,
    count_of,
    day_of,
    months,
    past,
    point_of,
    year_in,
)
from rag.words import MONTHS, STOP_WORDS, WEEKDAYS

Open = tuple[datetime | None, datetime | None]  # half-open, midnights UTC; None is open

# A day's events stand in that day's and the next two days' papers.
_REPORTED_WITHIN = timedelta(days=3)
_FUTURE = re.compile(
    r"\b(?:will|won't|shall|can|must|should|may|going to|(?:is|are|was|were) to|due|plan\w*|scheduled|expected|next"
    r"|happens|returns?|starts?|begins?|opens?|closes?|ends?|expires?|comes?|takes?|arrives?|leaves?)\b"
)
_WILL = re.compile(r"\b(?:will|won't|shall|going to)\b", re.IGNORECASE)
_GENERAL = re.compile(r"\b(?:do|does|is|are|can|should|need|needs)\b", re.IGNORECASE)
_PAST = re.compile(r"\b(?:did|didn't|was|were|had)\b", re.IGNORECASE)


_DAY_ONLY = re.compile(DAY, re.IGNORECASE)
_ENDS = re.compile(r"(?:(?:19|20)\d\d|[a-z]+)\.?$", re.IGNORECASE)
# What may follow a bare month, season or year that is one; a noun may not ("in 2000 homes").
_CLOSES = re.compile(
    r"\s*(?:$|[?.,;:!)\]\"”]|'s\b)|\s+(?:" + "|".join(sorted(word for word in STOP_WORDS if len(word) > 1)) + r")\b"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A phrase, what it means, and whether a bare month at its end may be followed by any word."""

    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], Clock], Open | None]
    strict: bool = False


def window_of(question: str, now: datetime) -> TimeWindow | None:
    """Return the window that `question` names, or None.

    Args:
        question: The standalone question.
        now: Aware; "last month" counts from its day in UTC.
    """
    question = question.replace("’", "'")
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    clock = Clock(today, ahead=bool(_FUTURE.search(question)), behind=bool(_PAST.search(question)))
    for rule, match in _matches(question):
        if not _names_time(match, strict=rule.strict):
            continue
        span = rule.read(match, clock)
        if span and _plain(span, today, expects=bool(_WILL.search(question))):
            return TimeWindow(since=span[0], until=span[1], inferred_from=match.group().strip(" ,?."))
    return None


def _matches(question: str) -> Iterator[tuple[_Rule, re.Match[str]]]:
    for rule in _RULES:
        for match in rule.pattern.finditer(question):
            yield rule, match


def _plain(span: Open, today: datetime, *, expects: bool) -> bool:
    since, until = span
    if (since is not None and since > today) or (until is not None and until.year < 1900):
        return False
    ahead = until is not None and until > today + ONE_DAY
    return not ahead or (since is not None and not expects)


def _names_time(match: re.Match[str], *, strict: bool) -> bool:
    """Tell whether the month or year that ends the match is one: "in August Strindberg's play", "in 2000 homes"."""
    before, after = match.string[: match.start()].rstrip(), match.string[match.end() :]
    closed = _CLOSES.match(after) is not None
    last = _ENDS.search(match.group())
    if last is None:
        return closed or not strict
    word = last.group()
    if re.search(rf"{MONTH},?\s+{YEAR}$", match.group(), re.IGNORECASE):
        return True
    if word.isdigit() or word.lower() == "fall":
        return closed and not (word.lower() == "fall" and re.match(r"\s+(?:in|of)\s+(?!(?:19|20)\d\d)", after))
    opens = not before or before[-1] in ".?!:"
    if re.match(r"\s+Day\b", after) or (re.match(r"\s+[A-Z]", after) and not opens):
        return False  # May Day; August Strindberg
    if word.lower() == "march" and re.match(r"\s+(?:for|on|of|against)\s+[A-Z]", after):
        return False
    return closed or not (strict or word in ("march", "may", "august", "spring", "summer", "autumn", "winter"))


def _read_point(match: re.Match[str], clock: Clock) -> Open | None:
    return point_of(match["point"], clock)


def _between(match: re.Match[str], clock: Clock) -> Open | None:
    """Read "between 3 and 9 July", "from November to January 2026": what the first lacks the second has."""
    other, first = point_of(match["other"], clock), match["one"]
    if other is None:
        return None
    if _DAY_ONLY.fullmatch(first):
        first = f"{first} {MONTHS[other[0].month - 1]}"
    if ISO.fullmatch(first) or year_in(first, clock.today) or not MONTH_WORD.search(first):
        one = point_of(first, clock)
    else:  # in the second's year, or over the turn of the year
        one = point_of(f"{first} {other[0].year}", clock)
        if one and one[0] >= other[1] and one[0].month != other[0].month:
            one = point_of(f"{first} {other[0].year - 1}", clock)
    return (one[0], other[1]) if one and one[0] < other[1] else None


def _days_of(match: re.Match[str], clock: Clock) -> Open | None:
    """Read "on 14 July", "on 5 and 6 July", "the weekend of 5 and 6 July", "the week of 7 July"."""
    last = point_of(match["point"], clock)
    if last is None:
        return None
    first = day_of(last[0].year, last[0].month, int(re.sub(r"\D", "", match["first"]))) if match["first"] else last
    if first is None or first[0] > last[0]:
        return None
    what = match["what"].lower()
    if "weekend" in what and not match["first"]:
        saturday = last[0] + timedelta(days=5 - last[0].weekday())
        return saturday, saturday + timedelta(days=2)
    if "week" in what and "end" not in what:
        return first[0], max(last[1], first[0] + timedelta(days=7))
    return first[0], last[1] if "weekend" in what else last[0] + _REPORTED_WITHIN


def _since(match: re.Match[str], clock: Clock) -> Open | None:
    point = point_of(match["point"], clock)
    after = match["side"].lower() == "after"
    return (point[1] if after else point[0], None) if point else None


def _before(match: re.Match[str], clock: Clock) -> Open | None:
    """Read "before June"; a June still to come is last year's only if the question looks back."""
    point = point_of(match["point"], replace(clock, ahead=clock.ahead or not clock.behind))
    side = match["side"].lower()
    return (None, point[0] if side == "before" else point[1]) if point else None


def _decade(match: re.Match[str], clock: Clock) -> Open:
    first = datetime(int(match["decade"]), 1, 1, tzinfo=UTC)
    return first, first.replace(year=first.year + 10)


def _possessive(match: re.Match[str], clock: Clock) -> Open | None:
    """Read "July's floods", not "Theresa May's cabinet"."""
    before = re.search(r"(\w+)\s+$", match.string[: match.start()])
    person = before is not None and before[1][0].isupper() and before[1].lower() not in STOP_WORDS
    return None if person else point_of(match["point"], clock)


def _quarter(match: re.Match[str], clock: Clock) -> Open | None:
    first = 1 + 3 * ORDINALS[match["which"].lower()]
    return months(clock.today.year if first <= clock.today.month else clock.today.year - 1, first, 3)


def _counted(match: re.Match[str], clock: Clock) -> Open:
    return past(count_of(match["count"]), match["unit"].lower().removesuffix("s"), clock.today)


def _ago(match: re.Match[str], clock: Clock) -> Open:
    count, today = count_of(match["count"]), clock.today
    if match["unit"].lower().startswith("day"):
        return today - timedelta(days=count), min(today - timedelta(days=count) + _REPORTED_WITHIN, today + ONE_DAY)
    start = today - timedelta(days=today.weekday(), weeks=count)
    return start, start + timedelta(weeks=1)


def _weekday(match: re.Match[str], clock: Clock) -> Open | None:
    """Read "last Tuesday", "on Friday", "since Monday": the latest that is over, of "since" also today."""
    side = (match["side"] or "").lower().strip()
    number = WEEKDAYS.index(match["weekday"].lower())
    back = (clock.today.weekday() - number) % 7
    if side.startswith("since"):
        return clock.today - timedelta(days=back), None
    if not clock.behind and (clock.ahead or side.startswith("on")):
        return None
    day = clock.today - timedelta(days=back or 7)
    return day, min(day + _REPORTED_WITHIN, clock.today + ONE_DAY)


def _weekend(match: re.Match[str], clock: Clock) -> Open | None:
    """Read "over the weekend": the latest that has begun."""
    if clock.ahead and not clock.behind:
        return None
    saturday = clock.today - timedelta(days=(clock.today.weekday() - 5) % 7)
    return saturday, saturday + timedelta(days=2)


def _in_season(match: re.Match[str], clock: Clock) -> Open | None:
    """Read "in winter", not in what is said of every winter: "does a child need in winter"."""
    bare = not re.search(r"\d|\b(?:the|last|this)\b", match["point"].lower())
    return None if bare and _GENERAL.search(match.string) and not clock.behind else point_of(match["point"], clock)


def _relative_day(match: re.Match[str], clock: Clock) -> Open:
    today = clock.today
    back = {"yesterday": 1, "last night": 1}.get(match["word"].lower(), 0)
    return today - timedelta(days=back), today if match["word"].lower() == "yesterday" else today + ONE_DAY


_IN = r"(?:in|during|throughout|over)"
_OTHER = rf"{POINT}|now\b|today\b"
_BARE_WEEKDAY = "(?P<weekday>" + "|".join(WEEKDAYS) + r")\b(?!'s|\s+(?-i:[A-Z]))"
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+(?:the\s+)?)"
_DAYS_OF = rf"(?:{_WEEKDAY}|the\s+)?(?:(?P<first>{DAY})\s*(?:and|to|[-–])\s*)?(?P<point>{DATE})"
_TERM = rf"(?:the\s+)?(?:{SEASON}{OF_YEAR}?|{SEASON}\s+of\s+{YEAR})"


def _rule(pattern: str, read: Callable[[re.Match[str], Clock], Open | None], *, strict: bool = False) -> _Rule:
    return _Rule(re.compile(rf"\b{pattern}", re.IGNORECASE), read, strict)


# In order: the first that matches is read, so the narrower comes first.
_RULES = (
    _rule(rf"between\s+(?P<one>{POINT}|{DAY})\s+and\s+(?P<other>{_OTHER})", _between, strict=True),
    _rule(rf"from\s+(?P<one>{POINT}|{DAY})\s+(?:to|until|till|through)\s+(?P<other>{_OTHER})", _between, strict=True),
    _rule(rf"(?P<one>{DATE}|{DAY})\s*(?:to|until|till|through|[-–])\s*(?P<other>{DATE})", _between),
    _rule(rf"{_IN}\s+(?P<one>{MONTH})\s*(?:and|or|to|[-–])\s*(?P<other>{MONTH}{OF_YEAR}?)", _between),
    _rule(rf"(?P<side>since|after)\s+(?P<point>{POINT})", _since, strict=True),
    _rule(rf"(?P<side>from)\s+(?P<point>{POINT})\s+on(?:wards?)?\b", _since, strict=True),
    _rule(rf"(?P<side>before|until|up to)\s+(?P<point>{POINT})", _before, strict=True),
    _rule(rf"(?P<side>by)\s+(?P<point>{DATE}|{MONTH}\s+{YEAR})", _before, strict=True),
    _rule(rf"{_IN}\s+the\s+(?P<decade>(?:19|20)\d0)'?s\b", _decade),
    _rule(rf"(?P<what>(?:week|weekend)\s+(?:of|from))\s+{_DAYS_OF}", _days_of),
    _rule(rf"(?P<what>on)\s+{_DAYS_OF}", _days_of),
    _rule(rf"(?:(?:in|during|at|over)\s+)?(?P<point>{PART_OF_PERIOD})", _read_point),
    _rule(r"in\s+the\s+(?P<which>first|second|third|fourth)\s+quarter\b(?!\s+of)", _quarter),
    _rule(rf"{_IN}\s+(?:the\s+(?:whole\s+)?(?:month\s+)?of\s+)?(?P<point>{MONTH}{OF_YEAR}?)", _read_point),
    _rule(rf"(?P<point>{FULL_MONTH}{OF_YEAR}?)(?='s\b)", _possessive),
    _rule(
        rf"(?:{_IN}\s+)?(?:the\s+)?(?:past|last)\s+(?P<count>{COUNT})\s+(?P<unit>hours|days|weeks|months|years)\b",
        _counted,
    ),
    _rule(rf"(?P<count>{COUNT}|a)\s+(?P<unit>days?|weeks?)\s+ago\b", _ago),
    _rule(rf"(?P<point>{RELATIVE})(?!\s+of\b)", _read_point),
    _rule(rf"{_IN}\s+(?P<point>{_TERM})", _in_season, strict=True),
    _rule(rf"(?:from\s+)?the\s+(?P<point>{SEASON}\s+of\s+{YEAR})", _read_point),
    _rule(r"(?:over|during|at|on)\s+the\s+weekend\b(?!\s+(?:of|from|before|after))", _weekend),
    _rule(
        rf"(?P<side>since\s+|last\s+|on\s+){_BARE_WEEKDAY}(?!\s+(?:\d|morning|afternoon|evening|night)?s\b)", _weekday
    ),
    _rule(rf"^(?P<point>{MONTH}\s+{YEAR}|{YEAR})(?=\s*[:,–—-])", _read_point),
    _rule(rf"(?P<what>)(?P<first>)(?P<point>{ISO.pattern})", _days_of),
    _rule(r"(?P<word>(?-i:today|this morning|tonight|yesterday|last night)\b)", _relative_day),
    _rule(r"^(?P<word>Today|This morning|Tonight|Yesterday|Last night)\b", _relative_day),
    _rule(rf"{_IN}\s+(?P<point>{YEAR})", _read_point, strict=True),
)
