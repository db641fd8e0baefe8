"""The text on either side of a quote, so that a reader can judge it in its context; pure."""

from __future__ import annotations

import re

from rag.schema import Article, Citation, RetrievedPassage

_AROUND_CHARS = 300  # on either side: two or three sentences
# A word broken by the cut; bounded, for scripts without spaces would lose everything.
_CUT_WORD_FIRST = re.compile(r"^\S{0,30}\s")
_CUT_WORD_LAST = re.compile(r"\s\S{0,30}$")


def surroundings(citation: Citation, article: Article | None, found: RetrievedPassage | None = None) -> tuple[str, str]:
    """Return the text before and after the quote, cut on words and then marked by an ellipsis.

    Where article and citation do not agree, nothing is shown around the quote: a quote in the
    wrong place would be a false citation.
    """
    if article is None or article.text[citation.start : citation.end] != citation.quote:
        return "", ""
    low = found.passage.start if found else 0
    high = found.passage.end if found else len(article.text)
    start = max(low, citation.start - _AROUND_CHARS)
    end = min(high, citation.end + _AROUND_CHARS)
    before, after = article.text[start : citation.start], article.text[citation.end : end]
    if start > low:
        before = _CUT_WORD_FIRST.sub("", before)
    if end < high:
        after = _CUT_WORD_LAST.sub("", after)
    before = "… " + before.lstrip() if start > 0 else before
    return before, after.rstrip() + " …" if end < len(article.text) else after
