"""Where a story begins on a page: what speaks for a text opening a new one, and its weight.

For a new story speak: the text above broke off; a headline, a byline or the end of a story stands between; it opens
with a kicker or a dateline; it has little in common with the story so far, in its words (`_kinship`) and in its meaning
(`_meaning`). The weighted sum has to reach `_NEW`. Weights and bound were set on pages of our own and on whole
articles, which must stay whole (`python -m bench.pages`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.lines import BULLET, Line
from ingest.meaning import Meanings
from rag.sentences import sentences

if TYPE_CHECKING:
    import numpy as np

# What speaks for a new story, see `signs`; fitted by `python -m bench.pages --fit`.
_WEIGHTS: dict[str, float] = {
    "always": 1.22,
    "kinship": -3.03,
    "kinship of one that is cut": 1.16,
    "kinship under a headline": 0.03,
    "kinship, nothing between": -2.09,
    "kicker": 3.11,
    "dateline": 2.04,
    "continues": -1.26,
    "numbered": -0.24,
    "is cut": 1.72,
    "is cut, nothing between": 0.82,
    "is cut, under a headline": -0.63,
    "is cut, cut above": -0.22,
    "cut above": 1.06,
    "cut above, nothing between": 0.61,
    "cut above, its own end": -0.51,
    "colon above": -1.03,
    "headline": 0.30,
    "headline of under 4 words": 1.29,
    "headline of over 6 words": 1.33,
    "headline in quotes": -1.76,
    "headline asks": -2.71,
    "headline's kinship": -1.10,
    "headline of its text": -0.95,
    "list": 1.00,
    "credit": 1.65,
    "headline and credit": -0.70,
    "border": 2.11,
    "first lines": -0.69,
    "short story": 0.20,
    "after an item": 0.13,
    "an item after an item": 0.75,
    "dateline after a dateline": 1.74,
    "dateline, nothing between": 0.65,
    "nothing between": -0.41,
    "meaning": -1.89,
    "meaning of the nearest text": -2.32,
    "meaning of what follows": -6.45,
    "meaning of the story's title": -3.37,
    "meaning of the headline": 0.67,
    "meaning of the headline and its text": 5.50,
}
_NEW = -0.6

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
_COMPARED, _OPENING = 20, 4  # texts of a long story, its first among them, that tell what it means
HEAD_CHARS = 2000  # of a text, enough for its first sentences


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


def is_new(
    lines: Sequence[Line], place: int, between: Sequence[Line], part: Part, meanings: Meanings, *, whole: bool
) -> bool:
    """Tell whether a text opens a new story; `whole` if those above are one article's. Arguments as of `signs`."""
    line = lines[place]
    if whole:  # only teasers follow an article whose headline is known
        if not (line.cut or line.kicker or part.texts[-1].cut):
            return False
        teasers = [item.cut or item.kicker for item in lines[place:] if item.role == "text"]
        if 3 * sum(teasers) < 2 * len(teasers):
            return False
    found = signs(lines, place, [] if whole else between, part, meanings)
    return sum(_WEIGHTS[name] * value for name, value in found.items()) >= _NEW


def signs(
    lines: Sequence[Line], place: int, between: Sequence[Line], part: Part, meanings: Meanings
) -> dict[str, float]:
    """Return what speaks for or against a text opening a new story, each 0 or 1 but the kinships.

    Args:
        lines: Of the page.
        place: Of the text among them.
        between: The lines since the story's last text.
        part: The story above.
        meanings: Of the texts and short lines of the page.
    """
    line, above = lines[place], part.texts[-1]
    shorts = [item for item in between if item.role == "short"]
    headlines = [item for item in shorts if may_be_headline(item)]
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
        "is cut, under a headline": line.cut and last is not None,
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
    found |= _meaning(
        run, part, last, [item.text for item in lines[place : place + 8] if item.role == "text"], meanings
    )
    return {name: float(value) for name, value in found.items()}


def _meaning(
    run: Sequence[str], part: Part, headline: Line | None, following: Sequence[str], meanings: Meanings
) -> dict[str, float]:
    """Return cosines: of the run and of what follows with the story above, of the headline between with both."""
    import numpy as np

    below = _centre(meanings.of(run))
    texts = (
        part.texts if len(part.texts) <= _COMPARED else [*part.texts[:_OPENING], *part.texts[_OPENING - _COMPARED :]]
    )
    above = meanings.of([text.text for text in texts])
    centre = _centre(above)
    title = meanings.of([headline.text])[0] if headline else np.zeros_like(centre)
    own_title = meanings.of([part.title])[0] if part.title else np.zeros_like(centre)
    return {
        "meaning": centre @ below,
        "meaning of the nearest text": (above @ below).max(),
        "meaning of what follows": (meanings.of(following[:4]) @ centre).max(),
        "meaning of the story's title": own_title @ below,
        "meaning of the headline": title @ centre,
        "meaning of the headline and its text": title @ below,
    }


def _centre(vectors: np.ndarray) -> np.ndarray:
    mean: np.ndarray = vectors.mean(axis=0)
    return mean / max(float((mean @ mean) ** 0.5), 1e-9)


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
    flattened = len(sentences(part[:HEAD_CHARS])) >= _FLATTENED_SENTENCES
    if len(texts) == 1 and part.count(" ") > 1.5 * above.longest and flattened:
        value -= 0.25
    return value


def _share(part: set[str], whole: set[str]) -> float:
    return len(part & whole) / len(part) if part else 0.0


def _names(text: str) -> set[str]:
    return {name for name in map(str.casefold, _NAME.findall(text)) if name not in _COMMON_NAMES}


def _stems(text: str) -> set[str]:
    return {word[:6] for word in _LONG_WORD.findall(text.lower()) if word not in _COMMON_WORDS}


def may_be_headline(line: Line) -> bool:
    """Tell whether a short line can be a headline: no item of a list, no announcement of one, not a single word."""
    return line.words >= 2 and not BULLET.match(line.text.lstrip("0123456789")) and not line.text.endswith(":")
