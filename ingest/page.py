"""One pasted or scraped page -> the stories on it; pure.

A page often holds a full article followed by teasers: paragraphs that each begin another story and
break off. The rules, in order:

1. Captions, credits, bylines, newsletter and copyright lines belong to no story.
2. The first short line without terminal punctuation is the headline.
3. From the end upwards, paragraphs that break off are teasers of their own, each with the short line
   before it as its headline; among them also stand paragraphs with a kicker ("HARBOUR NOISE: ...").
4. A paragraph that breaks off after an article may be its own cut end, not a teaser. It is taken
   for that if it has enough names and words in common with the article, see `_kinship`. Of several
   that break off, only the first can be it, and must have more in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.clean import DANGLING, KICKER, TITLE_CHARS, normalise, shortened
from rag.schema import ArticleKind
from rag.sentences import sentences

_HEADLINE_WORDS = 18  # longer lines without a full stop are text that breaks off
_HEAD_LINES = 5  # how far down a headline may stand: after section, date and byline
_CUT_WORDS = 8  # shorter lines are subheads, names, results
_BRIEF_WORDS = 60
_LONE_TEASER_WORDS = 150  # one cut paragraph, longer than this, is an article in one line
_FURNITURE_CHARS = 600
_KICKER_WORDS = 20  # of text after a kicker that can be a story without breaking off

_CLOSERS = "\"'”’»)]）」』*_"
_SIGN_OFF = re.compile(r"(?: ?[■●◼□▪]|(?<=[.!?”\"]) ?(?:\([A-Z][\w /]{1,30}\)|[—–-] ?[A-Z][\w /]{1,30}))$")
_ELLIPSIS = re.compile(r"(?:\.{3}|…|\[(?:\.{3}|…|\+\d+ chars)\])(?: ?(?:read more|continue reading|more))?$", re.I)
_NOT_KICKERS = re.compile(r"(?:UPDATED?|CORRECTION|CLARIFICATION|NOTE|EDITOR.S NOTE|DISCLAIMER)\b")
_BULLET = re.compile(r"(?:[•◦‣▪*–—-]|\d{1,2}[.)]) ")
_LABEL = r"(?:file )?(?:photo(?:graph)?|image|picture|illustration|graphic|video|screen(?:shot|grab)|cartoon)s?"
_DATE_LINE = re.compile(
    r"(?:(?:published|updated|posted)(?: on)?:? )?(?:\w{3,9}day,? )?"
    r"(?:\d{1,2} [A-Z][a-z]{2,8}\.?|[A-Z][a-z]{2,8}\.? \d{1,2}),? \d{4}\b.{0,30}$",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"by (?-i:[A-Z])[^.!?]{2,80}$", re.IGNORECASE)

# Whole paragraphs that belong to no story, each with the most words such a line has.
_FURNITURE: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (words, re.compile(pattern, re.IGNORECASE))
    for words, pattern in (
        (40, rf"\(?(?:{_LABEL}|credits?|caption)(?: credit| source| courtesy)?s?(?: of)? ?[:：]"),
        (15, rf"\(?{_LABEL} (?:courtesy|credit|provided by|supplied by) "),
        (10, rf"\(?{_LABEL} (?:by|from) [^.!?]*$"),
        (45, rf".*[.!?)\]”\"] \(?(?:{_LABEL}|credit)(?: credit| by| courtesy(?: of)?)*[:/] ?[^.!?]{{2,60}}[.)]*$"),
        (12, r"(?:© |(?:getty images|reuters|ap photo|afp|epa)\b ?[/,|-])"),
        (40, r"(?:©|\(c\) ?\d{4}|copyright (?:©|\(c\)|\d{4}|.{2,60}\d{4})|.{0,80}all rights reserved\b)"),
        (40, r"this (?:material|article|content) may not be (?:published|reproduced|copied)"),
        (40, r"(?:sign up|subscribe|get|join|register)\b.*\b(?:newsletter|inbox|e-?mails?|alerts|updates|briefing)\b"),
        (25, r"(?:follow|like|find) us on |(?:click|tap) (?:here )?to |(?:download|get) (?:our|the) .*\bapp\b"),
        (20, r"(?:advertisement$|(?:story|article) continues below|listen to this (?:article|story)|skip to )"),
        (20, r"(?:read|see|watch|more) (?:more|also|on this(?: story)?|next|:)(?: ?:.*)?$|continue reading"),
        (6, r"(?:related|recommended|most (?:read|popular)|share this|share|print|comments?|newsletter)(?: \w+)?:?$"),
    )
)  # fmt: skip

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
# Chosen on 34 Wikinews articles, 856 artificial cut ends and 1,060 cut leads of other articles: at 0.2, 92 of
# 100 cut ends and 94 of 100 leads are told right, on the same data. Among several cut paragraphs the article's
# own end is rare: 0.45 lets 1 lead in 1,000 pass for it, and finds half of the ends.
_KIN = 0.2
_KIN_OF_SEVERAL = 0.45
_FLATTENED_SENTENCES = 4


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
        title: The first story's headline if it is known from elsewhere; it then is removed from the
            head of the text, and no other line is taken for it.
    """
    paragraphs = [part for part in normalise(text).split("\n\n") if part and not _is_furniture(part)]
    known = " ".join(normalise(title).split())
    headline, paragraphs = _take_headline(paragraphs, known)
    if not paragraphs:
        return []
    begin = _teasers_begin(paragraphs)
    stories = list(_teasers(paragraphs[begin:], "" if begin else headline))
    if begin:
        stories.insert(0, _article(paragraphs[:begin], headline))
    return stories


# 1. Lines that are no story's text


def _is_furniture(paragraph: str) -> bool:
    if len(paragraph) > _FURNITURE_CHARS:
        return False
    words = paragraph.count(" ") + 1
    return any(words <= most and pattern.match(paragraph) for most, pattern in _FURNITURE)


def _take_headline(paragraphs: list[str], known: str) -> tuple[str, list[str]]:
    """Return the headline ("" if there is none) and the paragraphs without it and the byline."""
    size = next((n for n, part in enumerate(paragraphs[:_HEAD_LINES]) if not _is_short_line(part)), 0)
    head = [part for part in paragraphs[:size] if not _BYLINE.match(part)]
    first_text = paragraphs[size:]
    if known:
        return known, [part for part in (*head, *first_text[:1]) if not _same(part, known)] + first_text[1:]
    for place, part in enumerate(head):
        if " " in part and not _DATE_LINE.match(part) and not _BULLET.match(part):
            return part, head[:place] + head[place + 1 :] + first_text
    return "", head + first_text


def _is_short_line(paragraph: str) -> bool:
    return paragraph.count(" ") < _HEADLINE_WORDS and not _is_complete(paragraph) and not _is_cut(paragraph)


def _same(line: str, title: str) -> bool:
    return re.sub(r"\W+", "", line).casefold() == re.sub(r"\W+", "", title).casefold()


# 2. Paragraphs that break off


def _is_complete(paragraph: str) -> bool:
    bare = _SIGN_OFF.sub("", paragraph).rstrip(_CLOSERS + " ")
    return bare.endswith((".", "!", "?", "。", "！", "？", "…", ":")) and not _ELLIPSIS.search(paragraph)


def _is_cut(paragraph: str) -> bool:
    """Return True for a paragraph that stops in the middle of a sentence."""
    if _ELLIPSIS.search(paragraph):
        return True
    words = paragraph.split()
    if _is_complete(paragraph) or len(words) < _CUT_WORDS or _BULLET.match(paragraph):
        return False
    last = words[-1].rstrip(_CLOSERS)
    several_sentences = len(sentences(paragraph)) > 1
    return len(words) > _HEADLINE_WORDS or several_sentences or last.endswith((",", ";")) or last.lower() in DANGLING


def _cuts(paragraphs: Sequence[str]) -> list[bool]:
    """Tell of each paragraph if it breaks off; one that the next continues does not."""
    following = [*paragraphs[1:], ""]
    return [_is_cut(part) and not after[:1].islower() for part, after in zip(paragraphs, following, strict=True)]


# 3. Where the teasers begin


def _teasers_begin(paragraphs: Sequence[str]) -> int:
    """Return the index of the first paragraph that belongs to a teaser, `len(paragraphs)` if none."""
    cut = _cuts(paragraphs)
    if len(paragraphs) == 1:
        return 0 if cut[0] and paragraphs[0].count(" ") < _LONE_TEASER_WORDS else 1
    if not any(cut):
        return len(paragraphs)
    own = paragraphs[: cut.index(True)]
    kickers = _kickers(paragraphs)
    begin = len(paragraphs)
    for index in range(len(paragraphs) - 1, -1, -1):
        part = paragraphs[index]
        ends_by_chance = index > 0 and cut[index - 1] and _is_foreign(part, own)
        if cut[index] or index in kickers or ends_by_chance:
            begin = index
        elif not _is_short_line(part):
            break
    if begin and begin < len(paragraphs) and cut[begin] and begin not in kickers:
        several = sum(cut[begin:]) > 1
        if _kinship(paragraphs[begin], paragraphs[:begin]) >= (_KIN_OF_SEVERAL if several else _KIN):
            only_lines_follow = all(map(_is_short_line, paragraphs[begin + 1 :]))
            return len(paragraphs) if only_lines_follow else begin + 1
    return _with_headline(paragraphs, begin)


def _with_headline(paragraphs: Sequence[str], begin: int) -> int:
    """Move the border before the short line over the first teaser, or to the top if no text is above."""
    if begin == len(paragraphs):
        return begin
    if all(map(_is_short_line, paragraphs[:begin])):
        return 0
    return begin - 1 if _is_short_line(paragraphs[begin - 1]) else begin


def _kickers(paragraphs: Sequence[str]) -> set[int]:
    """Return which paragraphs after the first open with a kicker; labels that recur name speakers."""
    labels = {n: match.group() for n, part in enumerate(paragraphs) if n and (match := _kicker(part))}
    return set(labels) if len(set(labels.values())) == len(labels) else set()


def _kicker(paragraph: str) -> re.Match[str] | None:
    match = KICKER.match(paragraph)
    if match is None or _NOT_KICKERS.match(paragraph):
        return None
    return match if paragraph[match.end() :].count(" ") >= _KICKER_WORDS else None


def _is_foreign(paragraph: str, own: Sequence[str]) -> bool:
    return paragraph.count(" ") >= 2 * _KICKER_WORDS and _kinship(paragraph, own) < _KIN


def _kinship(paragraph: str, own: Sequence[str]) -> float:
    """Tell how much a paragraph that breaks off has in common with the article over it.

    The share of its names and of its longer words that the article has. One with hardly a name is
    likely a continuation, as a lead has to introduce people; one that is much longer than the
    article's own paragraphs is likely another article, flattened.
    """
    above = " ".join(own)
    names, words = _names(paragraph), _stems(paragraph)
    kinship = 0.3 * _share(names, _names(above)) + _share(words, _stems(above))
    if len(names) <= 1:
        kinship += 0.2
    longest = max((part.count(" ") for part in own), default=0)
    if paragraph.count(" ") > 1.5 * longest and len(sentences(paragraph)) >= _FLATTENED_SENTENCES:
        kinship -= 0.25
    return kinship


def _share(part: set[str], whole: set[str]) -> float:
    return len(part & whole) / len(part) if part else 0.0


def _names(text: str) -> set[str]:
    return {name for name in map(str.casefold, _NAME.findall(text)) if name not in _COMMON_NAMES}


def _stems(text: str) -> set[str]:
    return {word[:6] for word in _LONG_WORD.findall(text.lower()) if word not in _COMMON_WORDS}


# 4. The stories


def _article(paragraphs: Sequence[str], headline: str) -> Story:
    text = "\n\n".join(paragraphs)
    kind: ArticleKind = "brief" if len(text.split()) < _BRIEF_WORDS else "article"
    last = paragraphs[-1]
    # One line at the very end is no headline; several are a list.
    open_line = len(paragraphs) > 1 and last.count(" ") >= _CUT_WORDS and not _is_short_line(paragraphs[-2])
    truncated = _is_cut(last) or last.endswith(":") or (open_line and _is_short_line(last))
    return Story(headline or _inferred_title(paragraphs), not headline, text, kind, truncated)


def _teasers(paragraphs: Sequence[str], headline: str) -> Iterator[Story]:
    """Yield one story for each paragraph of text; a short line is the headline of the next one."""
    for part in paragraphs:
        if _is_short_line(part):
            headline = headline or part
            continue
        yield Story(headline or _inferred_title([part]), not headline, part, "teaser", _is_cut(part))
        headline = ""


def _inferred_title(paragraphs: Sequence[str]) -> str:
    text = next((part for part in paragraphs if not _is_short_line(part)), paragraphs[0])
    found = sentences(text)
    # "Gone." says too little: take the next sentence with it.
    first = found[0] if found[0].count(" ") >= 3 else " ".join(found[:2])
    return shortened(first) or text[:TITLE_CHARS]
