"""Archives of any size for benches: texts by recombining the sample's sentences, vectors by recombining theirs.

A made article takes three of four sentences from one article of the sample and the others from anywhere. Names are
exchanged for made-up ones of a long-tailed vocabulary, numbers for others, and neighbouring words change places, so
that no two articles tell the same story, and rare words are as rare as in real news. A passage's vector is the mean of
those that the packaged model gives its sentences, with a little noise: embedding half a million passages would take
hours on two cores, and what is measured is everything else.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from eval.sample import ARTICLES
from rag.embeddings import PackagedEmbeddings
from rag.schema import Article
from rag.sentences import sentences

SENTENCES = 20  # of an article: some five passages
NAMES, NAME_TAIL = 200_000, 1.25
OUTLETS, OUTLET_TAIL = 200, 1.3
DAYS = 7300
BEGIN = datetime(2005, 1, 1, tzinfo=UTC)
_NOISE = 0.02
_NAME_OR_NUMBER = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+|\d+")
_SYLLABLES = (
    "ba be bo bri ca ce cor da del dra el fen gal gri ha hel ing jo ka kel la lin lor ma mer mor na nel o pa per qui "
    "ra ren ro sa sel sor ta tel tor u va ven vo wa wel yor za"
).split()


class MadeArchive:
    """Articles by number, always the same, and the embedder that knows their sentences."""

    def __init__(self, seed: int = 4) -> None:
        rng = random.Random(seed)
        self._seed = seed
        self._names = [
            "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 4))).capitalize() for _ in range(NAMES)
        ]
        sample = [json.loads(line) for line in ARTICLES.read_text(encoding="utf-8").splitlines()]
        self._titles = [article["title"] for article in sample]
        self._of_article = [list(sentences(article["text"])) for article in sample]
        self._all = [sentence for own in self._of_article for sentence in own]

    @property
    def texts(self) -> list[str]:
        """The sentences that everything is made of."""
        return self._all

    def articles(self, first: int, count: int, base_of: dict[str, int] | None = None) -> Iterator[Article]:
        """Yield articles; `base_of` gets for each of their sentences the number of the one it was made from."""
        for number in range(first, first + count):
            rng = random.Random(f"{self._seed}:{number}")
            own = rng.randrange(len(self._of_article))
            told = []
            for _ in range(SENTENCES):
                sentence = rng.choice(self._of_article[own] if rng.random() < 0.75 else self._all)
                made = self._varied(sentence, rng)
                told.append(made)
                if base_of is not None:
                    base_of[_key(made)] = self._all.index(sentence)
            yield Article(
                id=f"made-{number}",
                version="1",
                title=f"{self._varied(self._titles[own], rng)} ({number})",
                text=" ".join(told),
                source=f"Outlet {min(_zipf(rng, OUTLET_TAIL), OUTLETS)}",
                published_at=BEGIN + timedelta(seconds=rng.randrange(DAYS * 86_400)),
            )

    def _varied(self, sentence: str, rng: random.Random) -> str:
        def other(match: re.Match[str]) -> str:
            if match[0].isdigit():
                return match[0] if rng.random() < 0.3 else str(rng.randint(2, 2500))
            return self._names[min(_zipf(rng, NAME_TAIL), NAMES) - 1] if rng.random() < 0.6 else match[0]

        words = _NAME_OR_NUMBER.sub(other, sentence).split()
        inner = [n for n in range(1, len(words) - 2) if words[n].isalpha() and words[n + 1].isalpha()]
        for place in rng.sample(inner, len(inner) // 2):
            words[place : place + 2] = reversed(words[place : place + 2])
        return " ".join(words)


class MadeEmbeddings(PackagedEmbeddings):
    """The packaged model, whose vectors for made passages are put together from those of their sentences.

    Attributes:
        base_of: What `MadeArchive.articles` fills, for the articles that are embedded next.
    """

    def __init__(self, archive: MadeArchive, *, threads: int = 2) -> None:
        super().__init__(threads=threads)
        self.base_of: dict[str, int] = {}
        self._bases = super().embed(archive.texts)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        """Return one unit vector a text; questions are embedded by the model."""
        if query:
            return super().embed(texts, query=True)
        vectors = np.array([self._made(text) for text in texts], dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def count_tokens(self, text: str) -> int:
        """Return about as many tokens as the model would, in no time."""
        return int(1.3 * len(text.split()))

    def _made(self, text: str) -> np.ndarray:
        known = [self.base_of[key] for key in map(_key, sentences(text)) if key in self.base_of]
        noise = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(self.dimension)
        return np.asarray(self._bases[known].sum(axis=0) / max(1, len(known)) + _NOISE * noise)


def _key(sentence: str) -> str:
    return "".join(sentence.split())[-60:]


def _zipf(rng: random.Random, tail: float) -> int:
    """Return 1, 2, ...: 1 most often (Devroye 1986, X.6.1)."""
    power = 2.0 ** (tail - 1.0)
    while True:
        value = int(rng.random() ** (-1.0 / (tail - 1.0)))
        ratio = (1.0 + 1.0 / value) ** (tail - 1.0)
        if rng.random() * value * (ratio - 1.0) / (power - 1.0) <= ratio / power:
            return value
