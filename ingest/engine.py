"""Where the costly work of a run, reading and embedding, is done: here, or by workers (`ingest.ray_engine`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ingest.fetch import Fetcher
from ingest.loaders.source import Options
from ingest.passages import embedded_text, split
from ingest.report import Problem
from ingest.sources import Found, read
from rag.schema import Article, Passage

if TYPE_CHECKING:
    import numpy as np

    from rag.store import Embedder


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be written of a batch of articles.

    Attributes:
        passages: Of each article, in the order of the batch.
        vectors: One for each passage, shape (passages of all articles, dimension).
    """

    passages: Sequence[Sequence[Passage]]
    vectors: np.ndarray


class Engine(Protocol):
    """Reads and embeds for one run; what it returns depends on nothing but what it is given."""

    @property
    def ahead(self) -> int:
        """How many batches, and how many files, may be under way while the run goes on."""

    def read(self, found: Found, options: Options, fetcher: Fetcher) -> Iterator[Article | Problem]:
        """Begin to read a file or address; see `ingest.sources.read`."""

    def prepare(self, articles: Sequence[Article]) -> Callable[[], Prepared]:
        """Begin to split and embed a batch; return a function that waits for the outcome."""


class PlainEngine:
    """Does all in this process, when it is asked for."""

    ahead = 0

    def __init__(self, embeddings: Embedder, passage_tokens: int) -> None:
        self._embeddings = embeddings
        self._passage_tokens = passage_tokens

    def read(self, found: Found, options: Options, fetcher: Fetcher) -> Iterator[Article | Problem]:
        """Read a file or address, piece by piece as it is asked for."""
        return read(found, options, fetcher)

    def prepare(self, articles: Sequence[Article]) -> Callable[[], Prepared]:
        """Split and embed a batch when the function returned is called."""
        return lambda: prepare(articles, self._embeddings, self._passage_tokens)


def prepare(articles: Sequence[Article], embeddings: Embedder, passage_tokens: int) -> Prepared:
    """Split articles into passages of at most `passage_tokens`, and embed them in one go."""
    count = embeddings.count_tokens
    # A withdrawn article stays readable, but is no evidence for anything.
    passages = [
        [] if article.retracted else split(article, max_tokens=passage_tokens, count_tokens=count)
        for article in articles
    ]
    texts = [embedded_text(passage) for found in passages for passage in found]
    return Prepared(passages, embeddings.embed(texts))
