"""One pasted or scraped page -> the stories on it; pure.

A page often holds a full article followed by others, whole or as teasers that break off. In steps:

1. Each line is text, a short line, or furniture (`ingest/lines.py`); furniture belongs to no story.
2. Of the short lines over the first text, one is the headline.
3. A text opens a new story or goes on with the one above. For a new one speak: the text above broke off; a headline, a
   byline or the end of a story stands between; it opens with a kicker or a dateline; it has little in common with the
   story so far (`_kinship`). The sum of these has to reach `_NEW`.
4. The short lines between two texts are subheads and lists of the story that goes on, or hold the new one's headline.

Weights and bounds were set on pages of our own (`python -m bench.pages`) and on archives of whole articles, which must
stay whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.clean import TITLE_CHARS, normalise, shortened
from ingest.lines import BULLET, Line, classify
from rag.schema import ArticleKind
from rag.sentences import sentences

_BRIEF_WORDS = 60
_TEASER_WORDS = 150  # a text that breaks off and is longer is an article in one line
_ARTICLE_PARAGRAPHS = 4  # a page with one of these is an article's, and its short items announce others
_STANDFIRST_WORDS = 8

# What speaks for a new story, see `signs`; fitted by `python -m bench.pages --fit`.
_WEIGHTS: dict[str, float] = {
    "always": -2.89,
    "kinship": -5.69,
    "kinship of one that is cut": 1.34,
    "kinship under a headline": -0.14,
    "kinship, nothing between": -2.58,
    "kicker": 4.0,  # by hand: few pages of the fit have one
    "dateline": 2.66,
    "continues": -0.75,
    "numbered": -1.33,
    "is cut": 2.26,
    "is cut, nothing between": 1.85,
    "is cut, cut above": -1.01,
    "cut above": 1.60,
    "cut above, nothing between": 1.25,
    "cut above, its own end": -1.16,
    "colon above": -2.54,
    "headline": 2.08,
    "headline of under 4 words": 0.41,
    "headline of over 6 words": 2.13,
    "headline in quotes": -1.64,
    "headline asks": -1.66,
    "headline's kinship": -3.05,
    "headline of its text": -0.19,
    "list": 0.82,
    "credit": 3.27,
    "headline and credit": -1.05,
    "border": 1.89,
    "first lines": -0.98,
    "short story": -0.11,
    "after an item": 0.83,
    "an item after an item": 1.72,
    "dateline after a dateline": 3.11,
    "dateline, nothing between": 2.23,
    "nothing between": -0.84,
}
_NEW = -0.3

_CONTINUES = re.compile(
    r"(?:[\"“‘']|(?:he|she|it|they|his|her|their|its|this|that|these|those|but|and|so|also|however|meanwhile|then|instead|"
    r"asked|according to)\b)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\d{1,2}[.)] ")
_NAME = re.compile(r"\b[A-Z][\w-]*[a-z][\w-]*|\b[A-Z]{2,}\b")
# Capitalised because they open a sentence, or in any story: they tell two stories apart badly.
_COMMON_NAMES_TEXT = """
    a an the this that these those it he she they we you i his her their its our in on at by for from with as
    after before when while if but and or so there one two three some many most all more no not what who how why
    mr mrs ms dr president minister ministry government officials police authorities prosecutors
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december last another however according
"""
_COMMON_NAMES = frozenset(_COMMON_NAMES_TEXT.split())
_LONG_WORD = re.compile(r"[a-z][a-z’'-]{4,}")
_COMMON_WORDS_TEXT = """
    about after again against among around because before being between could during every first further other
    others people should since still their there these thing those three through under until where which while
    would years yesterday including according
"""
_COMMON_WORDS = frozenset(_COMMON_WORDS_TEXT.split())
_FLATTENED_SENTENCES = 4
_HEAD_CHARS = 2000  # of a text, enough for its first sentences


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


@dataclass(slots=True)
class Part:
    """Lines of one story while it grows.

    Attributes:
        texts: Those of `lines` that are texts.
        names: In the texts, and `stems` of their longer words; see `_kinship`.
        longest: Words of the longest text.
        own_end: What the last text has in common with those above it, if it breaks off.
    """

    title: str = ""
    lines: list[Line] = field(default_factory=list)
    texts: list[Line] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    stems: set[str] = field(default_factory=set)
    longest: int = 0
    own_end: float = 0.0

    def add(self, line: Line) -> None:
        """Add a text."""
        self.own_end = _kinship([line.text], self) if line.cut and self.texts else 0.0
        self.lines.append(line)
        self.texts.append(line)
        self.names |= _names(line.text)
        self.stems |= _stems(line.text)
        self.longest = max(self.longest, line.words)


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


# -- which text opens a story --------------------------------------------------------------------------


def _parts(lines: Sequence[Line], known: str) -> list[Part]:
    parts: list[Part] = []
    between: list[Line] = []
    for place, line in enumerate(lines):
        if line.role != "text":
            between.append(line)
            continue
        if not parts:
            parts.append(Part())
            begin(parts[-1], between, known, whole=bool(known))
        elif _is_new(lines, place, between, parts[-1], whole=bool(known) and len(parts) == 1):
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


def _is_new(lines: Sequence[Line], place: int, between: Sequence[Line], part: Part, *, whole: bool) -> bool:
    line = lines[place]
    if whole:  # only teasers follow an article whose headline is known
        if not (line.cut or line.kicker or part.texts[-1].cut):
            return False
        teasers = [item.cut or item.kicker for item in lines[place:] if item.role == "text"]
        if 3 * sum(teasers) < 2 * len(teasers):
            return False
    found = signs(lines, place, [] if whole else between, part)
    return sum(_WEIGHTS[name] * value for name, value in found.items()) >= _NEW


def signs(lines: Sequence[Line], place: int, between: Sequence[Line], part: Part) -> dict[str, float]:
    """Return what speaks for or against a text opening a new story, each 0 or 1 but the kinships.

    Args:
        lines: Of the page.
        place: Of the text among them.
        between: The lines since the story's last text.
        part: The story above.
    """
    line, above = lines[place], part.texts[-1]
    shorts = [item for item in between if item.role == "short"]
    headlines = [item for item in shorts if _may_be_headline(item)]
    last = headlines[-1] if headlines else None
    run = _run(lines, place)
    near = _kinship(run, part)
    cut_above = above.cut and not line.text[:1].islower()
    first_lines = len(part.texts) == 1 and above.words < 30 and not above.cut
    credited = any(item.role == "credit" for item in between)
    item_above = last is not None and bool(part.title) and len(part.texts) == 1
    found = {
        "always": True,
        "kinship": near,
        "kinship of one that is cut": near * line.cut,
        "kinship under a headline": near * (last is not None),
        "kinship, nothing between": near * (not between),
        "kicker": line.kicker,
        "dateline": line.dateline and not first_lines,
        "continues": _CONTINUES.match(line.text) is not None,
        "numbered": _NUMBERED.match(line.text) is not None,
        "is cut": line.cut,
        "is cut, nothing between": line.cut and not between,
        "is cut, cut above": line.cut and cut_above,
        "cut above": cut_above,
        "cut above, nothing between": cut_above and not between,
        "cut above, its own end": cut_above * part.own_end,
        "colon above": above.text.endswith(":"),
        "headline": last is not None,
        "headline of under 4 words": last is not None and last.words < 4,
        "headline of over 6 words": last is not None and last.words > 6,
        "headline in quotes": last is not None and last.text[0] in "\"'“‘",
        "headline asks": last is not None and last.text.endswith("?"),
        "headline's kinship": _kinship([last.text], part) if last else 0.0,
        "headline of its text": _held_by(last.text, run) if last else 0.0,
        "list": len(shorts) > 3,
        "credit": credited,
        "headline and credit": last is not None and credited,
        "border": any(item.role == "border" for item in between),
        "first lines": first_lines,
        "short story": len(part.texts) <= 2,
        "after an item": item_above,
        "an item after an item": item_above and _is_item(lines, place),
        "dateline after a dateline": line.dateline and part.texts[0].dateline,
        "dateline, nothing between": line.dateline and not between,
        "nothing between": not between and not cut_above,
    }
    return {name: float(value) for name, value in found.items()}


def _is_item(lines: Sequence[Line], place: int) -> bool:
    """Tell whether the next story line after a text is a short one, or none: a brief among briefs."""
    after = next((line for line in lines[place + 1 :] if line.role in ("text", "short")), None)
    return after is None or after.role == "short"


def _held_by(headline: str, texts: Sequence[str]) -> float:
    below = " ".join(texts)
    return _share(_stems(headline) | _names(headline), _stems(below) | _names(below))


def _run(lines: Sequence[Line], place: int) -> list[str]:
    """Return the text and those that follow it directly: more to tell its subject by."""
    run: list[str] = []
    for line in lines[place : place + 3]:
        if line.role != "text" or (run and (line.kicker or line.dateline or line.cut)):
            break
        run.append(line.text)
        if line.cut:
            break
    return run


def _kinship(texts: Sequence[str], above: Part) -> float:
    """Tell how much texts have in common with the story above them, about 0 to 1.5.

    The share of their names and of their longer words that the story has. Texts with hardly a name are likely a
    continuation, as a lead has to introduce people; one that is much longer than the story's own paragraphs is
    likely another article, flattened.
    """
    part = " ".join(texts)
    names, words = _names(part), _stems(part)
    value = 0.3 * _share(names, above.names) + _share(words, above.stems)
    if len(names) <= 1:
        value += 0.2
    flattened = len(sentences(part[:_HEAD_CHARS])) >= _FLATTENED_SENTENCES
    if len(texts) == 1 and part.count(" ") > 1.5 * above.longest and flattened:
        value -= 0.25
    return value


def _share(part: set[str], whole: set[str]) -> float:
    return len(part & whole) / len(part) if part else 0.0


def _names(text: str) -> set[str]:
    return {name for name in map(str.casefold, _NAME.findall(text)) if name not in _COMMON_NAMES}


def _stems(text: str) -> set[str]:
    return {word[:6] for word in _LONG_WORD.findall(text.lower()) if word not in _COMMON_WORDS}


# -- short lines ---------------------------------------------------------------------------------------


def begin(part: Part, between: Sequence[Line], known: str, *, whole: bool) -> None:
    """Give the new story its headline, and the lines under it that are text."""
    shorts = [(place, item) for place, item in enumerate(between) if item.role == "short"]
    if whole:
        part.title = known
        part.lines += [item for _, item in shorts]
        return
    last_border = max((place for place, item in enumerate(between) if item.role == "border"), default=-1)
    candidates = [(place, item) for place, item in shorts if _may_be_headline(item)]
    after_border = [pair for pair in candidates if pair[0] > last_border] or candidates
    if not after_border:
        return
    place, best = max(after_border, key=lambda pair: _headline_score(pair[0], between))
    part.title = best.text
    part.lines += [item for later, item in shorts if later > place and item.words >= _STANDFIRST_WORDS]


def _may_be_headline(line: Line) -> bool:
    return line.words >= 2 and not BULLET.match(line.text.lstrip("0123456789")) and not line.text.endswith(":")


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
    found = sentences(text[:_HEAD_CHARS])
    # "Gone." says too little: take the next sentence with it.
    first = found[0] if found[0].count(" ") >= 3 else " ".join(found[:2])
    return shortened(first) or text[:TITLE_CHARS]
