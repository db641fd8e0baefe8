"""LangChain as its tutorials put it together: recursive splitter, HuggingFaceEmbeddings, Chroma, retriever.

default   1,000 characters, 200 of overlap
128       at most 128 tokens of the model, 20 of overlap
headline  the same, headline and date before each piece's text
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from langchain_chroma import Chroma
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
from transformers import AutoTokenizer

from bench.peers.contract import OVERLAP, SIZE, Piece, articles_of, headline_of, run


class LangChainPipeline:
    """A persistent Chroma collection of split documents."""

    def __init__(self, setting: str, model: Path) -> None:
        self._embeddings = HuggingFaceEmbeddings(model_name=str(model), model_kwargs={"device": "cpu"})
        self._headline = setting == "headline"
        if setting == "default":
            self._splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        else:
            self._splitter = RecursiveCharacterTextSplitter.from_huggingface_tokenizer(
                AutoTokenizer.from_pretrained(str(model)), chunk_size=SIZE, chunk_overlap=OVERLAP
            )

    def ingest(self, articles: Path, home: Path) -> int:
        """Split, embed and store."""
        documents = [
            Document(
                page_content=record["text"],
                metadata={
                    **{name: record[name] for name in ("title", "source", "url", "published_at")},
                    "headline": headline_of(record),
                },
            )
            for record in articles_of(articles)
        ]
        pieces = self._splitter.split_documents(documents)
        if self._headline:
            for piece in pieces:
                piece.page_content = f"{piece.metadata['headline']}\n{piece.page_content}"
        self._store = Chroma(
            collection_name="articles", embedding_function=self._embeddings, persist_directory=str(home)
        )
        self._store.add_documents(pieces)
        return len(pieces)

    def search(self, question: str, k: int) -> Sequence[Document]:
        """Ask the retriever."""
        return self._store.as_retriever(search_kwargs={"k": k}).invoke(question)

    def piece(self, found: Document) -> Piece:
        """Return the document's content without the headline put before it."""
        text = found.page_content.removeprefix(f"{found.metadata['headline']}\n") if self._headline else None
        return Piece(found.page_content if text is None else text, found.metadata["url"])


if __name__ == "__main__":
    run(LangChainPipeline)
