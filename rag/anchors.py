"""Relative words for time in an article ("last month", "on Tuesday") to the days they mean; pure, English.

They count from the article's publication. Bare weekdays and months look back or ahead as the nearest verb does; where
that does not tell ("until Friday", "the fair opens on Sunday"), nothing is said: a wrong date is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from rag.schema import Anchor
from rag.sentences import Span, sentence_spans
from rag.timewords import COUNT, ONE_DAY, Clock, Days, count_of, months, point_of
from rag.words import MONTHS, WEEKDAYS

UNKNOWN = "relative to an unknown date"

_WEEKDAY = "(?:" + "|".join(day.capitalize() for day in WEEKDAYS) + ")"
_DAY_NAMES = frozenset(day.capitalize() for day in WEEKDAYS)
_MONTH_NAME = "(?:" + "|".join(month.capitalize() for month in MONTHS) + ")"
_SEASON = "(?:spring|summer|autumn|winter)"
_UNIT = rf"(?:week|weekend|month|year|{_SEASON})"
_NEAR = r"(?:yesterday|today|tonight|tomorrow|last night|this (?:morning|afternoon|evening))"
_NO_YEAR = r"\b(?!,? (?:of )?\d|\d)"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_PHRASE = re.compile(
    rf"\b(?P<near>(?i:{_NEAR}))\b"
    rf"|(?<![Tt]he )(?<![Tt]hese )\b(?P<which>[Ll]ast|[Tt]his|[Nn]ext) (?P<unit>{_UNIT}|{_MONTH_NAME}|{_WEEKDAY})\b"
    r"(?! of\b)(?! (?:19|20)\d\d)"
    rf"|\b(?P<count>(?i:{COUNT}|a|an|one)) (?P<units>days?|weeks?|months?|years?) ago\b"
    rf"|(?P<side>\b[A-Za-z]+ )?\b(?P<weekday>{_WEEKDAY})\b(?!s\b)(?!,? (?:\d|{_MONTH_NAME}))"
    rf"|\b(?P<since>[Ii]n|[Ss]ince|[Ee]arly|[Ll]ate|[Mm]id)[ -](?:early |late |mid-)?(?P<month>{_MONTH_NAME}){_NO_YEAR}"
    rf"|\b(?P<day>{_DAY}(?: of)? {_MONTH_NAME}|{_MONTH_NAME} {_DAY}){_NO_YEAR}"
)
# After these the nearest verb does not tell which weekday is meant: "closed until Friday", "met on a Monday".
_UNTOLD_BY_VERB = frozenset(
    "until till by before after from for through to than between next every each most any a an one".split()
)
_CAPITAL = re.compile(r"\b[A-Z][\w’'-]*\s$")
_AHEAD = re.compile(
    r"(?:will|won’t|won't|shall|would|due|expected|scheduled|planned|plans?|hopes?|intends?|set|bound|going|about)\b",
    re.IGNORECASE,
)
_IRREGULAR = frozenset(
    """said told was were had went came took gave made found left began won lost met held saw became got put led kept
    sent sold paid fell rose grew cut hit set shot broke spoke wrote drove flew ran struck shut spent fought caught
    bought brought thought stood understood built felt read heard hurt beat bore blew chose drew ate forgot froze hung
    hid knew laid lay lent let lit meant rode rang sang sank slept swam swept threw wore woke did died""".split()
)
_NO_VERBS = frozenset("hundred indeed speed exceed proceed succeed embed".split())
_NEAR_DAY = timedelta(days=60)  # so near, "until 23 June" and "to run from 23 January" need no verb to tell the year
_VERB = re.compile(r"[A-Za-z’']+")


def anchors(text: str, published_at: datetime | None) -> tuple[Anchor, ...]:
    """Return the relative phrases of a text that can be told, in order.

    Args:
        text: Of an article or a part of it, whole sentences.
        published_at: Of the article; with None each phrase means `UNKNOWN`.
    """
    found = []
    for span in sentence_spans(text):
        for match in _PHRASE.finditer(text, *span):
            start, end = match.span()
            if match["weekday"]:
                start = match.start("weekday")
            if text[start].isupper() and (match["weekday"] or match["near"]) and _is_name(text, start, end):
                continue
            means = UNKNOWN if published_at is None else _meaning(match, span, published_at)
            if means:
                found.append(Anchor(start, end, text[start:end], means))
    return tuple(found)


def anchored(text: str, published_at: datetime | None) -> str:
    """Return the text with what each relative phrase means behind it: "last month [January 2025]"."""
    if published_at is None:
        return text
    for anchor in reversed(anchors(text, published_at)):
        text = f"{text[: anchor.end]} [{anchor.means}]{text[anchor.end :]}"
    return text


def _is_name(text: str, start: int, end: int) -> bool:
    """Tell whether a capitalised word belongs to a name: "Good Friday", "Monday Night Football", "USA Today"."""
    before = text[:start]
    named = _CAPITAL.search(before)
    opens = named is None or not before[: named.start()].strip() or before[: named.start()].rstrip()[-1] in ".!?\n"
    goes_on = text[start:end] in _DAY_NAMES and re.match(r"\s[A-Z][a-z]", text[end:]) is not None
    return goes_on or (named is not None and not opens)


def _meaning(match: re.Match[str], span: Span, published_at: datetime) -> str | None:
    today = published_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if match["near"]:
        words = match["near"].lower()
        shift = -1 if words in ("yesterday", "last night") else 1 if words == "tomorrow" else 0
        return _day(today + timedelta(days=shift))
    if match["which"]:
        return _which(match["which"].lower(), match["unit"], today, _looks_back(match, span))
    if match["count"]:
        return _ago(match["count"], match["units"].rstrip("s"), today)
    side = (match["side"] or match["since"] or "").strip().lower()
    if match["weekday"] and side in _UNTOLD_BY_VERB:
        return None
    back = True if side == "since" else _looks_back(match, span)
    if match["day"]:
        return _of_year(match["day"], today, back=back)
    if back is None:
        return None
    if match["weekday"]:
        return _weekday(match["weekday"], today, back=back, today_counts=back and side != "since")
    return _of_year(match["month"], today, back=back)


def _looks_back(match: re.Match[str], span: Span) -> bool | None:
    """Tell from the nearest verb whether a bare weekday or month is past; None if there is no telling."""
    text = match.string
    start = match.start("weekday") if match["weekday"] else match.start()
    before = list(_VERB.finditer(text, span[0], start))
    for place in range(len(before) - 1, -1, -1):
        back = _tense(before, place)
        if back is not None:
            return back
    after = list(_VERB.finditer(text, match.end(), span[1]))
    for place in range(len(after)):
        back = _tense(after, place)
        if back is not None:
            return back
    return None


def _tense(words: Sequence[re.Match[str]], place: int) -> bool | None:
    word = words[place].group().lower()
    previous = words[place - 1].group().lower() if place else ""
    if _AHEAD.fullmatch(word):
        return False
    if word == "to" and previous in ("is", "are", "was", "were"):
        return False
    regular = len(word) > 4 and word.endswith("ed") and word not in _NO_VERBS and words[place].group() == word
    if word in _IRREGULAR or regular:
        return None if previous in ("be", "to", "is", "are", "being", "get") else True
    return None


def _which(which: str, unit: str, today: datetime, back: bool | None) -> str | None:
    low = unit.lower()
    if low in WEEKDAYS:
        if which == "next":
            return None  # of this week or the one after: people differ
        return _weekday(unit, today, back=which == "last", today_counts=which == "this")
    if low in MONTHS:
        number = MONTHS.index(low) + 1
        if which == "this":
            return _month(*_shifted(today.year, number, 0))
        later = number > today.month if which == "next" else number >= today.month
        year = today.year - (which == "last" and later) + (which == "next" and not later)
        return _month(year, number)
    shift = {"last": -1, "this": 0, "next": 1}[which]
    if low == "year":
        return str(today.year + shift)
    if low == "month":
        return _month(*_shifted(today.year, today.month, shift))
    if low in ("week", "weekend"):
        if which == "this" and low == "weekend" and today.weekday() < WEEKDAYS.index("friday"):
            if back is None:
                return None
            shift = -1 if back else 0  # on a Tuesday "this weekend" is the one that has just been, or the coming one
        monday = today + timedelta(weeks=shift, days=-today.weekday())
        return _span(monday + timedelta(days=5 if low == "weekend" else 0), monday + timedelta(days=6))
    return _season(which, low, today)


def _season(which: str, season: str, today: datetime) -> str | None:
    if which == "next":
        return None
    found = point_of(f"{which} {season}", Clock(today))
    if not found:
        return None
    first, last = found[0].year, (found[1] - ONE_DAY).year
    return f"{season} {first}" if first == last else f"{season} {first}–{last % 100:02d}"


def _ago(count: str, unit: str, today: datetime) -> str | None:
    n = count_of("a" if count.lower() == "an" else count)
    if re.search(r"\b(?:few|couple)", count.lower()):
        return None
    if unit == "day":
        return _day(today - timedelta(days=n))
    if unit == "week":
        return f"about {_day(today - timedelta(weeks=n))}"
    if unit == "month":
        return f"about {_month(*_shifted(today.year, today.month, -n))}"
    return f"about {today.year - n}" if n < today.year else None


def _weekday(name: str, today: datetime, *, back: bool, today_counts: bool) -> str | None:
    number = WEEKDAYS.index(name.lower())
    days = (today.weekday() - number) % 7 if back else (number - today.weekday()) % 7
    if days == 0 and not today_counts:
        if not back:
            return None
        days = 7
    return _day(today - timedelta(days=days) if back else today + timedelta(days=days))


def _of_year(words: str, today: datetime, *, back: bool | None) -> str | None:
    """Read a day or a month without its year: a day near the publication, else the latest begun or the next to come."""
    spans = [point_of(f"{words.replace(' of ', ' ')} {today.year + shift}", Clock(today)) for shift in (-1, 0, 1)]
    found: list[Days] = [span for span in spans if span]
    near = [span[0] for span in found if span[1] - span[0] == ONE_DAY and abs(span[0] - today) <= _NEAR_DAY]
    if near:
        return _day(near[0])
    begun = [span for span in found if (span[0] <= today if back else span[1] > today)]
    if back is None or not begun:
        return None
    first = begun[-1 if back else 0]
    return _day(first[0]) if first[1] - first[0] == ONE_DAY else _month(first[0].year, first[0].month)


def _shifted(year: int, month: int, shift: int) -> tuple[int, int]:
    first = months(year, month + shift, 1)[0]
    return first.year, first.month


def _day(moment: datetime) -> str:
    return f"{moment.day} {MONTHS[moment.month - 1].capitalize()} {moment.year}"


def _month(year: int, month: int) -> str:
    return f"{MONTHS[month - 1].capitalize()} {year}"


def _span(first: datetime, last: datetime) -> str:
    if first.month == last.month:
        return f"{first.day}–{_day(last)}"
    begin = _day(first) if first.year != last.year else f"{first.day} {MONTHS[first.month - 1].capitalize()}"
    return f"{begin} – {_day(last)}"
