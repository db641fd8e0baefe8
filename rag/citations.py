"""Markers in a writer's text to passages, and passages to exact quotes; pure.

A marker is [1], [1][2] or [1, 2]. Anything else in brackets is text. Numbers are 1-based places in
the list of passages the writer was shown; 0 and numbers past the end are invalid and are reported,
never mapped to some passage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rag.anchors import anchors
from rag.instructions import touches
from rag.schema import Answer, Citation, RetrievedPassage
from rag.sentences import sentence_spans
from rag.words import content_stems

_MARKER = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")


@dataclass(frozen=True, slots=True)
class MarkedText:
    """One sentence as written, taken apart.

    Attributes:
        text: Without markers.
        numbers: Valid passage numbers, each once, in order.
        invalid: Numbers that name no passage.
    """

    text: str
    numbers: tuple[int, ...]
    invalid: tuple[int, ...]


def parse_markers(sentence: str, n_passages: int) -> MarkedText:
    """Take the citation markers out of one sentence; `n_passages` bounds the valid numbers."""
    found: list[int] = []
    for match in _MARKER.finditer(sentence):
        found += [int(number) for number in match.group(1).split(",")]
    distinct = list(dict.fromkeys(found))
    text = _MARKER.sub("", sentence)
    return MarkedText(
        text=re.sub(r"\s+([.,;:!?])", r"\1", text).strip(),
        numbers=tuple(number for number in distinct if 1 <= number <= n_passages),
        invalid=tuple(number for number in distinct if not 1 <= number <= n_passages),
    )


def cite_span(found: RetrievedPassage, start: int, end: int, *, number: int = 0) -> Citation:
    """Return the citation of the characters [start, end) of the article that `found` belongs to.

    Raises:
        ValueError: The span is not inside the passage.
    """
    passage = found.passage
    if not passage.start <= start < end <= passage.end:
        raise ValueError(f"span {start}-{end} is outside passage {passage.start}-{passage.end} of {passage.id}")
    quote = passage.text[start - passage.start : end - passage.start]
    return Citation(
        number=number,
        article_id=passage.article_id,
        version=passage.version,
        start=start,
        end=end,
        quote=quote,
        title=passage.title,
        source=passage.source,
        url=passage.url,
        published_at=passage.published_at,
        truncated=found.truncated,
        correction=found.correction,
        section=found.section,
        also_in=found.also_in,
        anchors=anchors(quote, passage.published_at),
    )


def as_of(citations: Iterable[Citation]) -> datetime | None:
    """Return when the newest of them was published; None if that is not known of any."""
    return max((c.published_at for c in citations if c.published_at is not None), default=None)


def cite_best(found: RetrievedPassage, claim: str) -> Citation:
    """Cite the sentence of the passage that shares most of the claim's words, or two in a row.

    A second sentence joins only if it brings words of the claim that the first one lacks.
    """
    wanted = set(content_stems(claim))
    whole = sentence_spans(found.passage.text)
    spans = [span for span in whole if not touches(span, found.instructed)] or whole
    shared = [wanted & set(content_stems(found.passage.text[start:end])) for start, end in spans]
    first = max(range(len(spans)), key=lambda index: (len(shared[index]), -index))
    low = high = first
    gains = [(len(shared[near] - shared[first]), near) for near in (first - 1, first + 1) if 0 <= near < len(spans)]
    if gains and max(gains)[0] > 0:
        near = max(gains)[1]
        both = min(first, near), max(first, near)
        if not touches((spans[both[0]][0], spans[both[1]][1]), found.instructed):
            low, high = both
    offset = found.passage.start
    return cite_span(found, offset + spans[low][0], offset + spans[high][1])


class CitationBook:
    """Numbers citations in order of first use; the same span of the same version keeps its number."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, int, int], int] = {}
        self._citations: list[Citation] = []

    @property
    def citations(self) -> tuple[Citation, ...]:
        """All citations, in order of number."""
        return tuple(self._citations)

    def add(self, citation: Citation) -> Citation:
        """Return the citation with its number, 1-based."""
        key = (citation.article_id, citation.version, citation.start, citation.end)
        if key not in self._numbers:
            self._numbers[key] = len(self._citations) + 1
            self._citations.append(replace(citation, number=self._numbers[key]))
        return self._citations[self._numbers[key] - 1]


def with_markers(text: str, numbers: Sequence[int]) -> str:
    """Return the sentence with its markers after it, as in "It rained. [1][2]"."""
    return f"{text} {''.join(f'[{number}]' for number in numbers)}" if numbers else text


def marker_spans(answer: Answer) -> list[tuple[int, int, int]]:
    """Return (number, start, end) of each marker in the answer's text, half-open, in order.

    Brackets that stand in a quoted sentence are not among them.
    """
    pieces = [(claim.text, claim.citations) for claim in answer.claims]
    if answer.short:
        pieces.insert(0, (answer.short.text, (answer.short.citation,)))
    found, position = [], 0
    for text, numbers in pieces:
        position = answer.text.index(with_markers(text, numbers), position) + len(text) + 1
        for number in numbers:
            start, position = position, position + len(f"[{number}]")
            found.append((number, start, position))
    return found
