"""One pasted or scraped page -> the stories on it.

A page often holds a full article followed by others, whole or as teasers that break off. In steps:

1. Each line is text, a short line, or furniture (`ingest/lines.py`); furniture belongs to no story.
2. Of the short lines over the first text, one is the headline.
3. A text opens a new story or goes on with the one above (`ingest/borders.py`).
4. The short lines between two texts are subheads and lists of the story that goes on, or hold the new one's headline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.borders import HEAD_CHARS, Part, is_new, may_be_headline
from ingest.clean import TITLE_CHARS, normalise, shortened
from ingest.lines import BULLET, Line, classify
from ingest.meaning import Meanings
from rag.schema import ArticleKind
from rag.sentences import sentences

_BRIEF_WORDS = 60
_TEASER_WORDS = 150  # a text that breaks off and is longer is an article in one line
_ARTICLE_PARAGRAPHS = 4  # a page with one of these is an article's, and its short items announce others
_STANDFIRST_WORDS = 8


@dataclass(frozen=True, slots=True)
class Story:
    """One story of a page.

    Attributes:
        title: Never empty.
        title_inferred: It was made from the text: the page showed none.
        text: Whole paragraphs of the normalised page, in order, a blank line between them.
        truncated: The text breaks off before its end.
    """

    title: str
    title_inferred: bool
    text: str
    kind: ArticleKind
    truncated: bool


def split(text: str, *, title: str = "") -> list[Story]:
    """Return the stories on a page, in their order; none if it holds no text.

    Args:
        text: The page, not yet normalised.
        title: The first story's headline if it is known from elsewhere: the text then is one article's, which
            only teasers may follow. The headline is removed from the head of the text.
    """
    lines = classify([part for part in normalise(text).split("\n\n") if part])
    known = " ".join(normalise(title).split())
    if known:
        lines = _without(lines, known)
    parts = _parts(lines, known)
    article_page = any(len(part.texts) >= _ARTICLE_PARAGRAPHS for part in parts)
    return [_story(part, article_page=article_page) for part in parts]


def _without(lines: list[Line], title: str) -> list[Line]:
    bare = _bare(title)
    head = next((place for place, line in enumerate(lines) if line.role == "text"), len(lines))
    return [line for place, line in enumerate(lines) if place > head or _bare(line.text) != bare]


def _bare(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


# -- from lines to stories -----------------------------------------------------------------------------


def _parts(lines: Sequence[Line], known: str) -> list[Part]:
    parts: list[Part] = []
    between: list[Line] = []
    meanings = meanings_of(lines, known)
    for place, line in enumerate(lines):
        if line.role != "text":
            between.append(line)
            continue
        if not parts:
            parts.append(Part())
            begin(parts[-1], between, known, whole=bool(known))
        elif is_new(lines, place, between, parts[-1], meanings, whole=bool(known) and len(parts) == 1):
            _end(parts[-1], between)
            parts.append(Part())
            begin(parts[-1], between, "", whole=False)
        else:
            parts[-1].lines += [item for item in between if item.role == "short"]
        parts[-1].add(line)
        between = []
    if parts:
        _end(parts[-1], between)
    elif any(line.role == "short" for line in between):
        parts.append(Part(known, [line for line in between if line.role == "short"]))
    return parts


def meanings_of(lines: Sequence[Line], known: str = "") -> Meanings:
    """Return the meanings of a page's texts and short lines, and of its headline if that is known."""
    return Meanings([known, *(line.text for line in lines if line.role in ("text", "short"))])


# -- short lines ---------------------------------------------------------------------------------------


def begin(part: Part, between: Sequence[Line], known: str, *, whole: bool) -> None:
    """Give the new story its headline, and the lines under it that are text."""
    shorts = [(place, item) for place, item in enumerate(between) if item.role == "short"]
    if whole:
        part.title = known
        part.lines += [item for _, item in shorts]
        return
    last_border = max((place for place, item in enumerate(between) if item.role == "border"), default=-1)
    candidates = [(place, item) for place, item in shorts if may_be_headline(item)]
    after_border = [pair for pair in candidates if pair[0] > last_border] or candidates
    if not after_border:
        return
    place, best = max(after_border, key=lambda pair: _headline_score(pair[0], between))
    part.title = best.text
    part.lines += [item for later, item in shorts if later > place and item.words >= _STANDFIRST_WORDS]


def _headline_score(place: int, between: Sequence[Line]) -> float:
    line = between[place]
    after = between[place + 1] if place + 1 < len(between) else None
    credited = any(item.role == "credit" for item in between[place:])
    score = min(line.words, 8) / 8 - 0.03 * max(0, line.words - 8)
    score += 0.3 * (after is None) + 0.3 * credited + 0.2 * (after is not None and after.role == "credit")
    score -= 0.5 * (line.text.isupper() and line.words <= 4)
    return score + 0.001 * place


def _end(part: Part, between: Sequence[Line]) -> None:
    """Keep the short lines under the last text that are a list of it."""
    announced = part.texts and part.texts[-1].text.endswith(":")
    for line in between:
        if line.role == "border":
            break
        is_item = BULLET.match(line.text) or (announced and line.role == "short")
        if line.role == "short" and is_item:
            part.lines.append(line)


# -- stories -------------------------------------------------------------------------------------------


def _story(part: Part, *, article_page: bool) -> Story:
    text = "\n\n".join(line.text for line in part.lines)
    words = len(text.split())
    last = part.lines[-1]
    truncated = last.cut or (last.text.endswith(":") and last.role == "text")
    alone = len(part.texts) <= 2
    kind: ArticleKind = "article"
    if alone and words < (_TEASER_WORDS if truncated else _BRIEF_WORDS) and (truncated or article_page):
        kind = "teaser"
    elif words < _BRIEF_WORDS:
        kind = "brief"
    return Story(part.title or _inferred_title(part), not part.title, text, kind, truncated)


def _inferred_title(part: Part) -> str:
    text = (part.texts or part.lines)[0].text
    found = sentences(text[:HEAD_CHARS])
    # "Gone." says too little: take the next sentence with it.
    first = found[0] if found[0].count(" ") >= 3 else " ".join(found[:2])
    return shortened(first) or text[:TITLE_CHARS]
