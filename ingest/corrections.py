"""Correction and retraction notes in the text of an article: taken out of it, kept beside it; pure.

A note often repeats the error ("An earlier version said twelve"): as a part of the text it would be evidence for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.schema import RETRACTED

_MOST_CHARS = 900
_KIND = r"(?:article|story|report|piece|item|post|column|page|headline|obituary|caption|version|interview)"
_THIS = rf"(?:this|our) (?:\w+ \d{{1,2}} )?{_KIND}"
_EARLIER = rf"(?:earlier|previous|original) versions? of {_THIS}"
_HAS_BEEN = r"(?:was|has been|is|is being|had been)(?: \w+ly)?"
_MENDED = r"(?:corrected|amended|clarified|(?:updated|changed|edited|revised) to (?:correct|clarify|fix))"
_DATED = r"(?:,? ?\(?(?:on )?(?=[^:–—-]*\d)[\w ,./]{3,25}\)?)?"
_LABEL = r"(?:corrections?(?: (?:and|&) clarifications?| note)?|clarifications?|errat(?:um|a))"
_SPOKEN = rf"(?:editors?.s?.? note|note|update|for the record){_DATED} ?[:：–—-] ?"

_NOTES = (
    rf"{_LABEL}{_DATED} ?(?:[:：]|[–—] (?=the |this |an? ))",
    rf"(?:{_SPOKEN})?{_THIS} {_HAS_BEEN} {_MENDED}\b",
    rf"(?:{_SPOKEN})(?:the |a )?(?:\w+ ){{1,5}}(?:of|in|on) {_THIS} {_HAS_BEEN} {_MENDED}\b",
    rf"(?:the|a|an?) \w+ (?:of|in|on|to) (?:an? )?(?:{_EARLIER}|{_THIS}) "
    rf"(?:{_HAS_BEEN} {_MENDED}|mis\w+|gave|said)\b",
    rf"(?:{_SPOKEN})?(?:(?:due to|because of) [^.:]{{3,60}}, )?(?:in )?(?:an? |the )?{_EARLIER}\b",
    rf"{_THIS} (?:originally|previously|initially|incorrectly|wrongly|mistakenly) \w+",
    rf"{_THIS} corrects\b|corrects (?:\w+ )?(?:paragraph|headline|name|spelling|figure|day|date|title|first|second)\b",
    rf"we have (?:corrected|amended|clarified) {_THIS}\b",
    r"(?:a|the following) (?:correction|clarification)s? (?:was|were|has been|have been) (?:made|added|appended)\b",
)
_RETRACTIONS = (
    r"(?:retract(?:ion|ed)|withdrawn)(?: notice| note)? ?(?:[:：]|[–—] (?=the |this |our ))",
    rf"(?:{_SPOKEN})?(?:this|our) {_KIND}(?: on [^.:]{{3,60}})? {_HAS_BEEN} "
    r"(?:retracted|withdrawn|taken down|removed)\b(?! from (?:sale|the (?:auction|market)))",
    rf"(?:we|the (?:\w+ ){{0,5}}\w+) (?:(?:has|have|is|are|hereby) )?(?:retract|withdr[ae]w)\w* {_THIS}\b",
)


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"[\W_]{{0,3}}(?:{'|'.join(patterns)})", re.IGNORECASE)


_NOTE, _WITHDRAWN = _any_of(_NOTES), _any_of(_RETRACTIONS)
_WITHDRAWN_TITLE = re.compile(
    r"(?:[\[(](?:retract(?:ed|ion)|withdrawn)[\])]|(?:retract(?:ed|ion)|withdrawn)(?: article| story)? ?[:：–—])",
    re.IGNORECASE,
)


def take_notes(title: str, paragraphs: Sequence[str], known: str = "") -> tuple[list[str], str]:
    """Return the paragraphs that are no notes, and the notes in one line, "" if there are none.

    A note on a withdrawn article begins with `RETRACTED`. A text of nothing but notes keeps them. Taking notes of what
    was returned changes nothing.

    Args:
        title: A headline that says so withdraws the article.
        paragraphs: Of the article's text, in order.
        known: A note from elsewhere, one line; it stands first.
    """
    found = [part for part in paragraphs if len(part) <= _MOST_CHARS and (_NOTE.match(part) or _WITHDRAWN.match(part))]
    notes = [part for part in (known, *(part for part in found if part not in known)) if part]
    note = " ".join(notes)
    if _WITHDRAWN_TITLE.match(title) or any(map(_WITHDRAWN.match, [*notes, *found])):
        note = note if note.lower().startswith(RETRACTED.lower()) else f"{RETRACTED}: {note or title}"
    return [part for part in paragraphs if part not in found] or list(paragraphs), note
