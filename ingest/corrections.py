"""Correction and retraction notes in the text of an article: taken out of it, kept beside it; pure.

A note often repeats the error ("An earlier version said twelve"): as a part of the text it would be evidence for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.schema import RETRACTED

_MOST_CHARS = 900
_THIS = r"(?:this|the|our) (?:article|story|report|piece|item|post|column|page|headline|obituary)"
_HAS_BEEN = r"(?:was|has been|is|is being|had been)(?: \w+ly)?"
_WRONG = (
    r"(?:said|stated|gave|misstated|misspelled|misidentified|incorrect(?:ly)?|wrong(?:ly)?|error|mistaken(?:ly)?|named|"
    r"described|reported|referred|omitted|should)"
)
_NOTE = re.compile(
    "|".join(
        (
            r"\W{0,3}(?:corrections?(?: (?:and|&) clarifications?| note)?|clarifications?|errat(?:um|a))"
            r"(?: \(?(?:on )?[\w ,./]{3,25}\)?)? ?[:：–—-] ?\S",
            rf"{_THIS} {_HAS_BEEN} (?:corrected|amended|clarified|(?:updated|changed|edited|revised) to correct)\b",
            r"\W{0,3}(?:editor.?s.? note|note|update)\b.{0,40}\b(?:correct(?:ed|ion|s)|amended|in error|incorrectly)",
            rf"(?:in )?(?:an? |the )?(?:earlier|previous|original) versions? of {_THIS}\b.{{0,200}}\b{_WRONG}\b",
        )
    ),
    re.IGNORECASE | re.DOTALL,
)
_WITHDRAWN = re.compile(
    "|".join(
        (
            r"\W{0,3}(?:retract(?:ion|ed)|withdrawn)(?: notice| note)? ?[:：–—-]",
            rf"{_THIS} {_HAS_BEEN} (?:retracted|withdrawn|taken down)\b",
            rf"(?:we|the \w+(?: \w+){{0,3}}) (?:(?:has|have|is|are|hereby) )?(?:retract|withdr[ae]w)\w* {_THIS}\b",
        )
    ),
    re.IGNORECASE,
)
_WITHDRAWN_TITLE = re.compile(r"\W{0,2}(?:retract(?:ed|ion)|withdrawn) ?[:：–—\]-]", re.IGNORECASE)


def take_notes(title: str, paragraphs: Sequence[str], known: str = "") -> tuple[list[str], str]:
    """Return the paragraphs that are no notes, and the notes in one line, "" if there are none.

    A note on a withdrawn article begins with `RETRACTED`. A text of nothing but notes keeps them.

    Args:
        title: A headline that says so withdraws the article.
        paragraphs: Of the article's text, in order.
        known: A note from elsewhere, one line; it stands first.
    """
    found = [part for part in paragraphs if len(part) <= _MOST_CHARS and (_NOTE.match(part) or _WITHDRAWN.match(part))]
    notes = [part for part in (known, *found) if part]
    note = " ".join(notes)
    if _WITHDRAWN_TITLE.match(title) or any(map(_WITHDRAWN.match, notes)):
        note = note if note.lower().startswith(RETRACTED.lower()) else f"{RETRACTED}: {note or title}"
    return [part for part in paragraphs if part not in found] or list(paragraphs), note
