"""Article to passages: runs of whole sentences, sized in the embedding model's tokens; pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.schema import Article, Passage
from rag.sentences import Span, sentence_spans

OVERLAP = 1  # sentences that open a passage again; chosen with the size by `python -m bench.passages`


def split(
    article: Article, *, max_tokens: int, count_tokens: Callable[[str], int], overlap: int = OVERLAP
) -> list[Passage]:
    """Cut the text of `article` into passages, in order.

    A passage is a run of whole sentences of at most `max_tokens` tokens. Each sentence is in at
    least one passage; the last sentences of a passage open the next one where they fit, so that a
    sentence that leans on the one before it is found together with it. Only a single sentence that
    is longer than `max_tokens` is cut, between words.

    Args:
        article: Its `text` is what the offsets point into.
        max_tokens: Largest passage.
        count_tokens: The embedding model's own count.
        overlap: How many sentences open the next passage again, at most.
    """
    units: list[tuple[Span, int]] = []
    for span in sentence_spans(article.text):
        units += _fitting(article.text, span, max_tokens, count_tokens)
    spans: list[Span] = []
    first = 0
    while first < len(units):
        last = first
        size = units[first][1]
        while last + 1 < len(units) and size + units[last + 1][1] <= max_tokens:
            last += 1
            size += units[last][1]
        spans.append((units[first][0][0], units[last][0][1]))
        if last + 1 >= len(units):
            break
        begin = last + 1
        while begin > max(first + 1, last + 1 - overlap):
            if sum(tokens for _, tokens in units[begin - 1 : last + 2]) > max_tokens:
                break
            begin -= 1
        first = begin
    return [_passage(article, number, span) for number, span in enumerate(spans)]


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
