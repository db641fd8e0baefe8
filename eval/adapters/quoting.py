"""Texts of public datasets as articles of ours, and exact quotes from them.

The text is brought into the archive's form (`ingest.clean.normalise`) and kept whole: it is known to be one text, so
nothing of it is taken for a headline, a page's furniture or another story. That would lose sentences which answers
stand on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import cache, cached_property
from itertools import pairwise

from eval.datasets import Evidence
from eval.metrics.answers import contains_gold, tokens
from eval.metrics.answers import normalise as as_tokens
from ingest.clean import TITLE_CHARS, article_id, canonical_url, normalise, plausible, shortened, to_utc, version_of
from rag.schema import Article
from rag.sentences import sentence_spans


def one_line(text: str) -> str:
    """Return `text` in the archive's form, on one line."""
    return " ".join(normalise(text).split())


def aliases_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what can be looked for in an answer: on one line, each once, in order, without what holds no token."""
    lines = dict.fromkeys(one_line(text) for text in texts)
    return tuple(line for line in lines if tokens(line))


class Quotable:
    """An article with its sentences, to quote from."""

    def __init__(self, article: Article) -> None:
        self.article = article

    def sentences_at(self, start: int, end: int) -> Evidence:
        """Return the whole sentences that characters [start, end) of the text touch, as one quote."""
        touched = [span for span in self._spans if span[0] < end and span[1] > start]
        return self._quote(touched[0][0], touched[-1][1])

    def sentence_holding(self, aliases: Sequence[str]) -> Evidence | None:
        """Return the first sentence that holds an alias on whole tokens, or the two that one crosses, or None.

        Bare "yes" and "no" are found nowhere: they are said, not quoted.
        """
        named = [alias for alias in aliases if as_tokens(alias) not in ("yes", "no")]
        if not any(_padded(alias) in self._as_tokens for alias in named):
            return None
        spans = self._spans
        for start, end in [*spans, *((one[0], other[1]) for one, other in pairwise(spans))]:
            if contains_gold(self.article.text[start:end], [named]):
                return self._quote(start, end)
        return None

    def find(self, quote: str) -> Evidence | None:
        """Return where the text says `quote`, as it is written there; white space does not matter. None if nowhere."""
        bare = "".join(normalise(quote).split())
        place = self._bare.find(bare) if bare else -1
        if place < 0:
            return None
        return self._quote(self.offsets[place], self.offsets[place + len(bare) - 1] + 1)

    @cached_property
    def offsets(self) -> list[int]:
        """The offset in the text of each of its characters that is no white space, in order."""
        return [place for place, char in enumerate(self.article.text) if not char.isspace()]

    @cached_property
    def _bare(self) -> str:
        return "".join(self.article.text.split())

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        return sentence_spans(self.article.text)

    @cached_property
    def _as_tokens(self) -> str:
        return f" {as_tokens(self.article.text)} "

    def _quote(self, start: int, end: int) -> Evidence:
        return Evidence(self.article.id, self.article.text[start:end])


@cache
def _padded(alias: str) -> str:
    return f" {as_tokens(alias)} "


class Pool:
    """The articles that the questions are about, in the order they came; one for each id."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._found: dict[str, Quotable] = {}

    def __contains__(self, id_: str) -> bool:
        return id_ in self._found

    def __getitem__(self, id_: str) -> Quotable:
        return self._found[id_]

    @property
    def articles(self) -> tuple[Article, ...]:
        """All of them."""
        return tuple(found.article for found in self._found.values())

    def id_of(self, text: str, *, title: str = "", id_: str = "", url: str = "") -> str:
        """Return the id that `add` gives: the record's own, else from the web address, else from title and text."""
        return article_id(one_line(id_), url, f"{self._form}\n{one_line(title)}\n{normalise(text)}", 0)

    def add(
        self,
        text: str,
        *,
        title: str = "",
        id_: str = "",
        url: str = "",
        source: str = "",
        published: str | float | date | None = None,
        authors: Iterable[str] = (),
        section: str = "",
    ) -> Quotable | None:
        """Add an article and return it; None if it has neither text nor title.

        An id that is there already keeps its first text. A text that is empty is the title; a title that is empty is
        made from the first sentence, as `ingest` does. A time that cannot be read for certain is unknown.
        """
        id_ = self.id_of(text, title=title, id_=id_, url=url)
        if id_ in self._found:
            return self._found[id_]
        headline = one_line(title)
        body = normalise(text) or headline
        if not body:
            return None
        moment = to_utc(published)
        moment = moment if plausible(moment, datetime.now(UTC)) else None
        shown = headline or _headline(body)
        article = Article(
            id=id_,
            version=version_of(shown, body, moment, None),
            title=shown,
            text=body,
            source=one_line(source),
            url=one_line(url) if canonical_url(url) else "",
            published_at=moment,
            authors=tuple(name for name in map(one_line, authors) if name),
            section=one_line(section),
            title_inferred=not headline,
        )
        return self._found.setdefault(id_, Quotable(article))


def _headline(text: str) -> str:
    start, end = sentence_spans(text)[0]
    return shortened(text[start:end]) or text[:TITLE_CHARS]
