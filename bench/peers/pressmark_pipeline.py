"""Pressmark as its users call it: `rag.store`, `ingest.run` and `HybridRetriever` with the settings' defaults.

default   as shipped: passages of at most 128 tokens, vectors and BM25 fused, one vote for a story
vectors   the same without the search by words, to tell what the fusion adds
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.peers.contract import THREADS, Piece, run
from ingest.run import ingest
from rag.embeddings import SentenceEmbeddings
from rag.retriever import HybridRetriever
from rag.schema import RetrievedPassage
from rag.settings import load_settings
from rag.store import Store

SETTINGS: dict[str, dict[str, float]] = {"default": {}, "vectors": {"bm25_weight": 0.0}}


class PressmarkPipeline:
    """A store in a home of its own, which is opened as part of the ingest, and the hybrid search over it."""

    def __init__(self, setting: str, model: Path) -> None:
        del model  # the packaged one is the default
        self._changes = SETTINGS[setting]
        self._embeddings = SentenceEmbeddings.packaged(load_settings(threads=THREADS))

    def ingest(self, articles: Path, home: Path) -> int:
        """Index the file with the public ingest."""
        settings = load_settings(home=home, threads=THREADS, **self._changes)
        loaded = self._embeddings
        SentenceEmbeddings.from_settings = classmethod(lambda cls, settings: loaded)  # type: ignore[method-assign,assignment]
        store = Store.open(settings)
        ingest([articles], store, passage_tokens=settings.passage_tokens)
        self._retriever = HybridRetriever(
            store, k=settings.k, candidates=settings.candidates, bm25_weight=settings.bm25_weight
        )
        return len(store.archive.passage_ids())

    def search(self, question: str, k: int) -> Sequence[RetrievedPassage]:
        """Return what the chain gets for a question that stands alone and has no time window."""
        return self._retriever.retrieve(question, k=k)

    def piece(self, found: RetrievedPassage) -> Piece:
        """Return the passage's own text; headline and date, which travel with it, are not counted as text."""
        return Piece(found.passage.text, found.passage.url)


if __name__ == "__main__":
    run(PressmarkPipeline)
