"""An event that a question counts time from ("before the election") to its day, if an article dates it; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rag.anchors import anchored
from rag.figures import days
from rag.schema import RetrievedPassage, TimeWindow
from rag.sentences import sentences
from rag.timewords import FULL_MONTH, YEAR, day_of
from rag.words import content_stems, stem, tokens

_COUNTED_FROM = re.compile(
    r"\b(?P<side>(?i:before|since|after|until))\s+(?P<event>(?:the|[A-Z][\w’'-]+(?:\s+[A-Z][\w’'-]+)*(?:'s|’s))\s+[^,?;:]{3,60}?)"
    r"(?:\s+(?:began|begun|started|broke out|ended|took place|happened|was held|opened))?\s*(?:[,?.]|$)"
)
_SIDES = {"before": "before", "until": "before", "since": "since", "after": "since"}
_LONGEST = 4  # content words; with more it is a sentence about something
_PLACE = re.compile(r"\s(?:in|on|of|at|off|for|by|against|to)\s")
_BESIDE = 6  # words
_DAY = re.compile(rf"\[?\d{{1,2}} {FULL_MONTH} {YEAR}\]?", re.IGNORECASE)
_CLAUSE = re.compile(r"\b(?:that|who|which|is|are|was|were|had|has|will|did|went|came|said)\b")


@dataclass(frozen=True, slots=True)
class Event:
    """What a question counts from, and the side of it asked for: "before" or "since"."""

    side: str
    words: str
    phrase: str


def event_in(question: str) -> Event | None:
    """Return the event that limits the question in time; None if it names none, or a date."""
    match = _COUNTED_FROM.search(question)
    if match is None or days(match["event"]) or _CLAUSE.search(match["event"]):
        return None
    if not 1 <= len(content_stems(match["event"])) <= _LONGEST:
        return None
    return Event(_SIDES[match["side"].lower()], match["event"], match.group().strip(" ,?."))


def window_from(event: Event, found: Sequence[RetrievedPassage]) -> TimeWindow | None:
    """Return the window, if sentences that name the event give one day for it, and no other as often.

    Args:
        event: From `event_in`.
        found: Passages that a search for it found.
    """
    head = set(content_stems(_PLACE.split(event.words)[0]))
    wanted = set(content_stems(event.words))
    given: Counter[datetime] = Counter()
    for item in {(item.passage.article_id, item.passage.index): item for item in found}.values():
        passage = item.passage
        if wanted <= {stem(word) for word in tokens(f"{passage.title} {passage.text}")}:
            for sentence in sentences(anchored(passage.text, passage.published_at)):
                given.update(_days_beside(sentence, head))
    ranked = given.most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[1][1] == ranked[0][1]):
        return None
    day = ranked[0][0]
    words = f"{event.phrase}: {day.day} {day:%B %Y}"
    return TimeWindow(None, day, words) if event.side == "before" else TimeWindow(day, None, words)


def _days_beside(sentence: str, wanted: set[str]) -> set[datetime]:
    """Return the day that stands within a few words of the event's words; nothing if the sentence has several days."""
    found = list(_DAY.finditer(sentence))
    if len(found) != 1:
        return set()
    before = tokens(sentence[: found[0].start()])[-_BESIDE:]
    after = tokens(sentence[found[0].end() :])[:_BESIDE]
    if not wanted <= {stem(word) for word in [*before, *after]}:
        return set()
    spans = [day_of(day.year, day.month, day.day) for day in days(found[0].group()) if day.year and day.day]
    return {span[0] for span in spans if span}
