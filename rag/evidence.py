"""Passages to sentences that may be evidence, each with the context it leans on; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.instructions import touches
from rag.schema import RetrievedPassage
from rag.sentences import Span, sentence_spans
from rag.spans import AnswerSpan
from rag.words import names, tokens


@dataclass(frozen=True, slots=True)
class EvidenceSentence:
    """One sentence of a passage: offsets into the article's text, `score` the chance that it answers.

    `answer` is the likeliest answer inside it, its characters those of the article's text; None before it was read.
    `context_start` is where the sentence before begins if this one leans on it, else `start`; `context_end`
    is where a short afterthought ends that may turn it round ("He had not."), else `end`.
    """

    found: RetrievedPassage
    start: int
    end: int
    context_start: int
    context_end: int
    text: str
    score: float
    answer: AnswerSpan | None = None


def candidate_sentences(found: Sequence[RetrievedPassage]) -> list[EvidenceSentence]:
    """Return each sentence of the passages once (passages overlap), in the order of the passages.

    What speaks to the program and not to a reader is none (`rag.instructions`).
    """
    seen: set[tuple[str, int]] = set()
    candidates = []
    for item in found:
        passage = item.passage
        spans = sentence_spans(passage.text)
        for index, (start, end) in enumerate(spans):
            key = (passage.article_id, passage.start + end)
            text = passage.text[start:end]
            if key in seen or not any(character.isalpha() for character in text):
                continue
            if touches((start, end), item.instructed):
                continue
            seen.add(key)
            first, last = _readable(passage.text, spans, index)
            if touches((first, last), item.instructed):
                first, last = start, end
            candidates.append(
                EvidenceSentence(
                    found=item,
                    start=passage.start + start,
                    end=passage.start + end,
                    context_start=passage.start + first,
                    context_end=passage.start + last,
                    text=text,
                    score=0.0,
                )
            )
    return candidates


def _readable(text: str, spans: Sequence[Span], index: int) -> Span:
    """Return the characters to quote: the sentence with what it leans on, its afterthought, and who says it."""
    start, end = spans[index]
    before = spans[index - 1][1] if index else 0
    new_paragraph = "\n" in text[before:start]
    if index and _leans_on_the_sentence_before(text[start:end], new_paragraph=new_paragraph):
        start = spans[index - 1][0]
    end = _end_with_afterthought(text, spans, index)
    return _with_speaker(text, spans, index, (start, end))


SPEAKER_WITHIN = 2  # sentences before a quotation that may name its speaker
SAYING = re.compile(
    r"\b(?:said|says|told|tells|wrote|writes|added|adds|asked|explained|argued|claimed|insisted|warned|replied"
    r"|according to|announced|recalled|noted|commented|stated|continued|concluded)\b",
    re.IGNORECASE,
)
QUOTED = re.compile(r"[\"“][^\"“”]*(?:[\"”]|$)")


def _with_speaker(text: str, spans: Sequence[Span], index: int, chosen: Span) -> Span:
    """Widen `chosen` to the sentence that says who speaks, if all of it is quotation; before it first, then after."""
    quoted = text[slice(*chosen)]
    if not quoted.startswith(('"', "“")) or any(c.isalpha() for c in QUOTED.sub("", quoted)):
        return chosen
    for back in range(1, min(SPEAKER_WITHIN, index) + 1):
        start, end = spans[index - back]
        if SAYING.search(QUOTED.sub("", text[start:end])):
            return start, chosen[1]
    for _, end in spans[index + 1 : index + 1 + SPEAKER_WITHIN]:
        # From where the quotation opens: it may end sentences later, and who speaks stands after that.
        unquoted = QUOTED.sub("", text[chosen[0] : end])
        if SAYING.search(unquoted):
            return chosen[0], end
        if any(c.isalpha() for c in unquoted):
            break
    return chosen


AFTERTHOUGHT_WORDS = 5


def _end_with_afterthought(text: str, spans: Sequence[Span], index: int) -> int:
    """Return where the sentence ends, with a following one of a few words that leans on it in the same paragraph."""
    end = spans[index][1]
    if index + 1 == len(spans):
        return end
    start, stop = spans[index + 1]
    words = tokens(text[start:stop])
    short = 0 < len(words) <= AFTERTHOUGHT_WORDS and words[0] in _LEANING
    return stop if short and "\n" not in text[end:start] else end


_LEANING = frozenset("he she it they his her its their this that these those such both neither".split())
_PERSONAL = frozenset("he she they him her them".split())


def _leans_on_the_sentence_before(text: str, *, new_paragraph: bool) -> bool:
    """Tell whether it opens with a pronoun or, inside a paragraph, speaks of "him" before it names anybody."""
    words = tokens(text)
    if not words or words[0] in _LEANING:
        return bool(words)
    if new_paragraph:
        return False
    named = names(text)
    first_name = min((text.find(name) for name in named), default=len(text))
    return any(word in _PERSONAL for word in tokens(text[:first_name]))
