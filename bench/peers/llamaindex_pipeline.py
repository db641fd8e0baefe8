"""LlamaIndex as its tutorials put it together: SentenceSplitter, HuggingFaceEmbedding, ChromaVectorStore, retriever.

default   pieces of 1,024 tokens (tiktoken's), 200 of overlap: longer than the 256 that the model reads. Title, outlet
          and date are metadata, which LlamaIndex embeds with the text by itself and counts as part of the size
128       at most 128 tokens of the model, metadata included, 20 of overlap
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import chromadb
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import NodeWithScore
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore
from transformers import AutoTokenizer

from bench.peers.contract import OVERLAP, SIZE, Piece, articles_of, run


class LlamaIndexPipeline:
    """A vector index over a persistent Chroma collection."""

    def __init__(self, setting: str, model: Path) -> None:
        self._model = HuggingFaceEmbedding(model_name=str(model), device="cpu")
        if setting == "default":
            self._splitter = SentenceSplitter()
        else:
            tokenizer = AutoTokenizer.from_pretrained(str(model))
            self._splitter = SentenceSplitter(chunk_size=SIZE, chunk_overlap=OVERLAP, tokenizer=tokenizer.tokenize)

    def ingest(self, articles: Path, home: Path) -> int:
        """Split, embed and store."""
        documents = [
            Document(
                doc_id=record["url"],
                text=record["text"],
                metadata={
                    "title": record["title"],
                    "source": record["source"],
                    "published_at": record["published_at"][:10],
                },
            )
            for record in articles_of(articles)
        ]
        collection = chromadb.PersistentClient(path=str(home)).get_or_create_collection("articles")
        storage = StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection))
        self._index = VectorStoreIndex.from_documents(
            documents, storage_context=storage, embed_model=self._model, transformations=[self._splitter]
        )
        return collection.count()

    def search(self, question: str, k: int) -> Sequence[NodeWithScore]:
        """Ask the retriever."""
        return self._index.as_retriever(similarity_top_k=k).retrieve(question)

    def piece(self, found: NodeWithScore) -> Piece:
        """Return the node's own text."""
        return Piece(found.node.get_content(), found.node.ref_doc_id or "")


if __name__ == "__main__":
    run(LlamaIndexPipeline)
