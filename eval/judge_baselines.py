"""Trivial judges of groundedness: a judge that is not above them has understood nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from eval.judge_figures import Flags, Scores, balanced_accuracy
from rag.sentences import sentences
from rag.words import content_stems, stem, tokens

MOST_SENTENCES = 60  # of a text, that the embedding of a claim is compared with

Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]
"""Returns one unit vector per text, shape (len(texts), dimension), as `SentenceEmbeddings.embed`."""


def overlap(claim: str, text: str) -> float:
    """Return the share of the claim's content words that the text holds, compared by their stems."""
    held, wanted = _stems(text), content_stems(claim)
    return sum(word in held for word in wanted) / max(1, len(wanted))


@lru_cache(maxsize=256)  # many claims are about the same text
def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in tokens(text))


class EmbeddingSimilarity:
    """The greatest cosine of the claim with one of the text's first sentences."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._texts: dict[str, npt.NDArray[np.float32]] = {}

    def __call__(self, claim: str, text: str) -> float:
        """Return it for one claim, in [-1, 1]."""
        if text not in self._texts:
            self._texts[text] = self._embed(sentences(text)[:MOST_SENTENCES] or [""])
        return float((self._texts[text] @ self._embed([claim])[0]).max())


def best_bound(scores: Scores, right: Flags) -> float:
    """Return the bound from which "supported" gives the best balanced accuracy, among 101 quantiles of the scores."""
    tried = np.quantile(scores, np.linspace(0, 1, 101))
    return float(max(tried, key=lambda bound: balanced_accuracy(right, scores >= bound) or 0.0))
