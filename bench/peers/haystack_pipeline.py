"""Haystack as its tutorials put it together: cleaner, splitter, embedder, writer; text embedder and Chroma retriever.

default   150 words, 50 of overlap
128       96 words, which are about 128 tokens of the model in news text, 16 of overlap: Haystack's splitter counts
          words, and its count of tokens is that of other models, whose files it would download
headline  the same, with `meta_fields_to_embed` for headline and date
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from haystack import Document, Pipeline
from haystack.components.preprocessors import DocumentCleaner, DocumentSplitter
from haystack.components.writers import DocumentWriter
from haystack.utils import ComponentDevice
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from haystack_integrations.components.retrievers.chroma import ChromaEmbeddingRetriever
from haystack_integrations.document_stores.chroma import ChromaDocumentStore

from bench.peers.contract import Piece, articles_of, headline_of, run

WORDS = {"default": (150, 50), "128": (96, 16), "headline": (96, 16)}


class HaystackPipeline:
    """Two Haystack pipelines over one persistent Chroma store."""

    def __init__(self, setting: str, model: Path) -> None:
        self._words, self._overlap = WORDS[setting]
        device = ComponentDevice.from_str("cpu")
        self._documents = SentenceTransformersDocumentEmbedder(
            model=str(model),
            device=device,
            progress_bar=False,
            meta_fields_to_embed=["headline"] if setting == "headline" else None,
        )
        self._text = SentenceTransformersTextEmbedder(model=str(model), device=device, progress_bar=False)
        self._documents.warm_up()
        self._text.warm_up()

    def ingest(self, articles: Path, home: Path) -> int:
        """Run the indexing pipeline and make the querying one."""
        store = ChromaDocumentStore(collection_name="articles", persist_path=str(home))
        indexing = Pipeline()
        indexing.add_component("cleaner", DocumentCleaner())
        indexing.add_component(
            "splitter", DocumentSplitter(split_by="word", split_length=self._words, split_overlap=self._overlap)
        )
        indexing.add_component("embedder", self._documents)
        indexing.add_component("writer", DocumentWriter(document_store=store))
        for one, other in (("cleaner", "splitter"), ("splitter", "embedder"), ("embedder", "writer")):
            indexing.connect(one, other)
        documents = [
            Document(
                content=record["text"],
                meta={
                    **{name: record[name] for name in ("title", "source", "url", "published_at")},
                    "headline": headline_of(record),
                },
            )
            for record in articles_of(articles)
        ]
        indexing.run({"cleaner": {"documents": documents}})
        self._asking = Pipeline()
        self._asking.add_component("embedder", self._text)
        self._asking.add_component("retriever", ChromaEmbeddingRetriever(document_store=store))
        self._asking.connect("embedder.embedding", "retriever.query_embedding")
        return store.count_documents()

    def search(self, question: str, k: int) -> Sequence[Document]:
        """Run the querying pipeline."""
        found = self._asking.run({"embedder": {"text": question}, "retriever": {"top_k": k}})
        documents: Sequence[Document] = found["retriever"]["documents"]
        return documents

    def piece(self, found: Document) -> Piece:
        """Return the document's content."""
        return Piece(found.content or "", found.meta["url"])


if __name__ == "__main__":
    run(HaystackPipeline)
