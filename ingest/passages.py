"""Article to passages: runs of whole sentences, sized in the embedding model's tokens; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from rag.schema import Article, Passage
from rag.sentences import Span, sentence_spans

_LABEL = re.compile(r"^(?P<who>[A-Z][\w.’'-]*(?: [A-Z][\w.’'-]*){0,3}) ?: (?=\S)", re.MULTILINE)
_ASKED = ("?", "?”", '?"')
_TURNS = 3  # labelled paragraphs that make an interview or a panel
OVERLAP = 1  # sentences that open a passage again; chosen with the size by `python -m bench.passages`


def split(
    article: Article, *, max_tokens: int, count_tokens: Callable[[str], int], overlap: int = OVERLAP
) -> list[Passage]:
    """Cut the text of `article` into passages, in order.

    A passage is a run of whole sentences of at most `max_tokens` tokens. Each sentence is in at
    least one passage; the last sentences of a passage open the next one where they fit, so that a
    sentence that leans on the one before it is found together with it. Only a single sentence that
    is longer than `max_tokens` is cut, between words. No passage holds the turns of two speakers of
    an interview or panel, but for a question, which stays with its answer.

    Args:
        article: Its `text` is what the offsets point into.
        max_tokens: Largest passage.
        count_tokens: The embedding model's own count.
        overlap: How many sentences open the next passage again, at most.
    """
    units: list[tuple[Span, int]] = []
    for span in sentence_spans(article.text):
        units += _fitting(article.text, span, max_tokens, count_tokens)
    turns = turn_starts(article.text)
    spans: list[Span] = []
    first = 0
    while first < len(units):
        last = first
        size = units[first][1]
        while last + 1 < len(units) and size + units[last + 1][1] <= max_tokens and units[last + 1][0][0] not in turns:
            last += 1
            size += units[last][1]
        spans.append((units[first][0][0], units[last][0][1]))
        if last + 1 >= len(units):
            break
        begin = last + 1
        while units[last + 1][0][0] not in turns and begin > max(first + 1, last + 1 - overlap):
            if sum(tokens for _, tokens in units[begin - 1 : last + 2]) > max_tokens:
                break
            begin -= 1
        first = begin
    return [_passage(article, number, span) for number, span in enumerate(spans)]


def turn_starts(text: str) -> frozenset[int]:
    """Return where speakers' turns begin, told by labels of which one recurs ("BRANDT: ..."); not answers' turns."""
    found = list(_LABEL.finditer(text))
    said = Counter(match["who"].casefold() for match in found)
    if len(found) < _TURNS or max(said.values()) < 2:
        return frozenset()
    starts = (match.start() for match in found)
    return frozenset(start for start in starts if not text[max(0, start - 9) : start].rstrip().endswith(_ASKED))


def embedded_text(passage: Passage) -> str:
    """Return what is embedded for a passage: headline and date travel with it, the quote stays bare."""
    date = f" ({passage.published_at:%d %B %Y})" if passage.published_at else ""
    return f"{passage.title}{date}\n{passage.text}"


def _passage(article: Article, index: int, span: Span) -> Passage:
    start, end = span
    return Passage(
        id=f"{article.id}@{article.version}#{index}",
        article_id=article.id,
        version=article.version,
        index=index,
        start=start,
        end=end,
        text=article.text[start:end],
        title=article.title,
        source=article.source,
        url=article.url,
        published_at=article.published_at,
    )


def _fitting(text: str, span: Span, max_tokens: int, count_tokens: Callable[[str], int]) -> list[tuple[Span, int]]:
    """Return (span, tokens) of the sentence, cut between words (or characters) until each part fits."""
    start, end = span
    tokens = count_tokens(text[start:end])
    if tokens <= max_tokens or end - start < 2:
        return [(span, tokens)]
    middle = (start + end) // 2
    borders = [match.start() for match in re.finditer(r"\s", text[start:end])]
    cut = start + min(borders, key=lambda border: abs(start + border - middle)) if borders else middle
    left, right = (start, cut), (_skip(text, cut, end), end)
    return _fitting(text, left, max_tokens, count_tokens) + _fitting(text, right, max_tokens, count_tokens)


def _skip(text: str, start: int, end: int) -> int:
    while start < end and text[start].isspace():
        start += 1
    return start
