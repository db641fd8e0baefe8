"""The Chroma index: passage vectors by id, with what a search filters by. Only file that knows chromadb."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError, StoreError
from rag.schema import Passage, TimeWindow

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

COLLECTION = "passages"
# Cosine is set because Chroma's default is l2; the other two trade a little memory for recall.
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 150, "max_neighbors": 32}
_PAGE = 10_000  # ids per read: SQLite takes at most 32,766 variables


class VectorIndex:
    """Vectors of passages. One process may own a folder: `rag.store` holds the lock."""

    def __init__(self, client: ClientAPI, collection: Collection) -> None:
        self._client = client
        self._collection = collection
        self._batch = int(client.get_max_batch_size())

    @classmethod
    def open(cls, folder: Path, *, model_id: str, dimension: int) -> VectorIndex:
        """Open the index in `folder`, making it if need be.

        Raises:
            ModelError: It was made with another embedding model.
            StoreError: Chroma cannot open it.
        """
        os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
        import chromadb
        from chromadb.config import Settings as ChromaSettings

        folder.mkdir(parents=True, exist_ok=True)
        made_with = {"model_id": model_id, "dimension": dimension}
        try:
            client = chromadb.PersistentClient(path=str(folder), settings=ChromaSettings(anonymized_telemetry=False))
            # embedding_function=None: Chroma never embeds, and never rebuilds a stored function.
            collection = client.get_or_create_collection(
                COLLECTION,
                embedding_function=None,
                metadata=made_with,
                configuration={"hnsw": _HNSW},  # type: ignore[arg-type]  # stub is narrower
            )
        except Exception as error:  # chromadb raises errors of its Rust core without a common base
            raise StoreError(
                f"The vector index in {folder} cannot be opened ({error}). "
                "Move that folder away and run `pressmark ingest` again: the archive keeps the articles."
            ) from error
        found = collection.metadata or {}
        if {name: found.get(name) for name in made_with} != made_with:
            raise ModelError(
                f"The index in {folder} was made with the embedding model {found.get('model_id')!r} "
                f"(dimension {found.get('dimension')}), but {model_id!r} (dimension {dimension}) is set. Set "
                "PRESSMARK_EMBEDDING_MODEL back, or use another home and ingest again."
            )
        return cls(client, collection)

    def close(self) -> None:
        """Release the folder."""
        self._client.close()  # type: ignore[attr-defined]  # missing from the stub

    def count(self) -> int:
        """Return the number of vectors."""
        return int(self._collection.count())

    def add(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        """Store the vectors, shape (len(passages), dimension); a known id is replaced."""
        for start in range(0, len(passages), self._batch):
            batch = passages[start : start + self._batch]
            self._collection.upsert(
                ids=[passage.id for passage in batch],
                embeddings=vectors[start : start + self._batch],
                metadatas=[_metadata(passage) for passage in batch],
            )

    def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids are no error."""
        for start in range(0, len(ids), self._batch):
            self._collection.delete(ids=list(ids[start : start + self._batch]))

    def ids(self) -> Iterator[str]:
        """Yield all stored ids, in no particular order."""
        for offset in range(0, self.count(), _PAGE):
            yield from self._collection.get(limit=_PAGE, offset=offset, include=[])["ids"]

    def search(
        self,
        vector: np.ndarray,
        *,
        limit: int,
        window: TimeWindow | None = None,
        sources: Sequence[str] = (),
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (passage id, cosine similarity in [-1, 1]), best first."""
        if limit < 1 or self.count() == 0:
            return []
        found = self._collection.query(
            query_embeddings=[vector],
            n_results=limit,
            where=_where(window, sources),
            include=["distances"],
        )
        # Chroma gives the cosine distance; the rest of the product speaks of similarity.
        distances = (found["distances"] or [[]])[0]
        return [(id_, 1.0 - float(distance)) for id_, distance in zip(found["ids"][0], distances, strict=True)]


def _metadata(passage: Passage) -> dict[str, str | int]:
    metadata: dict[str, str | int] = {"article_id": passage.article_id, "source": passage.source}
    if passage.published_at is not None:
        metadata["published"] = _epoch(passage.published_at)
    return metadata


def _where(window: TimeWindow | None, sources: Sequence[str]) -> dict[str, Any] | None:
    """Build the filter; articles without a date are in no window."""
    terms: list[dict[str, Any]] = []
    if window and window.since:
        terms.append({"published": {"$gte": _epoch(window.since)}})
    if window and window.until:
        terms.append({"published": {"$lt": _epoch(window.until)}})
    if sources:
        terms.append({"source": {"$in": list(sources)}})
    if len(terms) > 1:
        return {"$and": terms}
    return terms[0] if terms else None


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
