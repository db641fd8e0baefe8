"""What the texts of a page have in common in meaning: vectors of the packaged model, made when first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from rag.embeddings import SentenceEmbeddings

CHARS = 300  # of each text; 700 told stories apart no better


class Meanings:
    """Unit vectors of the given texts, all made at once the first time one is asked for."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = list(dict.fromkeys(text[:CHARS] for text in texts))
        self._rows: dict[str, int] = {}
        self._vectors: np.ndarray | None = None

    def of(self, texts: Sequence[str]) -> np.ndarray:
        """Return an array of shape (len(texts), dimension); the texts are among those given at first."""
        if self._vectors is None:
            self._vectors = _model().embed(self._texts)
            self._rows = {text: row for row, text in enumerate(self._texts)}
        return self._vectors[[self._rows[text[:CHARS]] for text in texts]]


@cache
def _model() -> SentenceEmbeddings:
    """Return the packaged model whatever model the index has: the weights of `ingest.borders` are fitted to it."""
    from rag.embeddings import SentenceEmbeddings
    from rag.settings import load_settings

    return SentenceEmbeddings.packaged(load_settings())
