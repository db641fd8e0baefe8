"""The Chroma index: passage vectors by id, and the search among those of a window or of outlets.

Only file that knows chromadb.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import ModelError, StoreError
from rag.flat import FlatVectors
from rag.schema import Passage, TimeWindow

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

COLLECTION = "passages"
# Cosine is set because Chroma's default is l2; the other two trade a little memory for recall.
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 150, "max_neighbors": 32}
_PAGE = 10_000  # ids per read: SQLite takes at most 32,766 variables
# A filter that leaves much is met by asking Chroma for more and dropping what does not match, one that leaves little by
# scoring it all. A further hit of Chroma's costs about as much as scoring 115 vectors (`python -m bench.filtered`).
_MORE = 1.5  # times what would be enough if matches were spread evenly
_LEAST = 200  # the graph is searched as widely as hits are asked for: with fewer it misses some
_SCORED_FREE, _SCORED_PER_HIT = 20_000, 115


class VectorIndex:
    """Vectors of passages. One process may own a folder: `rag.store` holds the lock."""

    def __init__(self, client: ClientAPI, collection: Collection, flat: FlatVectors) -> None:
        self._client = client
        self._collection = collection
        self._flat = flat
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
        index = cls(client, collection, FlatVectors(folder / "exact", dimension))
        index._fill()
        return index

    def close(self) -> None:
        """Release the folder."""
        self._client.close()  # type: ignore[attr-defined]  # missing from the stub
        self._flat.close()

    def count(self) -> int:
        """Return the number of vectors."""
        return int(self._collection.count())

    def add(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        """Store the vectors, shape (len(passages), dimension); a known id is replaced."""
        for start in range(0, len(passages), self._batch):
            batch = passages[start : start + self._batch]
            ids, metadatas = [passage.id for passage in batch], [_metadata(passage) for passage in batch]
            part = vectors[start : start + self._batch]
            self._collection.upsert(ids=ids, embeddings=part, metadatas=metadatas)  # type: ignore[arg-type]  # stub is narrower
            self._put_flat(ids, part, metadatas)

    def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids are no error."""
        for start in range(0, len(ids), self._batch):
            self._collection.delete(ids=list(ids[start : start + self._batch]))
        self._flat.delete(ids)

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
        if limit < 1 or not len(self._flat):
            return []
        if not sources and not (window and (window.since or window.until)):
            return self._nearest(vector, limit)
        flat = self._flat
        with flat.held():
            matching = flat.matching(window, sources)
            count = int(np.count_nonzero(matching))
            fetched = max(_LEAST, int(_MORE * limit * len(flat) / max(1, count)))
            if count <= _SCORED_FREE + _SCORED_PER_HIT * fetched:
                return flat.nearest(vector, matching, limit)
        near = self._nearest(vector, fetched)
        with flat.held():
            found = flat.among(near, matching)
            return found[:limit] if len(found) >= limit else flat.nearest(vector, matching, limit)

    def _nearest(self, vector: np.ndarray, limit: int) -> list[tuple[str, float]]:
        found = self._collection.query(query_embeddings=[vector], n_results=limit, include=["distances"])
        # Chroma gives the cosine distance; the rest of the product speaks of similarity.
        distances = (found["distances"] or [[]])[0]
        return [(id_, 1.0 - float(distance)) for id_, distance in zip(found["ids"][0], distances, strict=True)]

    def _put_flat(self, ids: Sequence[str], vectors: np.ndarray, metadatas: Sequence[Mapping[str, Any]]) -> None:
        self._flat.put(
            ids,
            vectors,
            [metadata.get("published") for metadata in metadatas],
            [str(metadata.get("source", "")) for metadata in metadatas],
        )

    def _fill(self) -> None:
        """Copy what an index of an earlier Pressmark holds; one that was copied is only looked at."""
        if self._flat.complete:
            return
        for offset in range(0, self.count(), _PAGE):
            page = self._collection.get(limit=_PAGE, offset=offset, include=["embeddings", "metadatas"])
            vectors = np.asarray(page["embeddings"], dtype=np.float32)
            self._put_flat(page["ids"], vectors, page["metadatas"] or [])
        self._flat.mark_complete()


def _metadata(passage: Passage) -> dict[str, str | int]:
    metadata: dict[str, str | int] = {"article_id": passage.article_id, "source": passage.source}
    if passage.published_at is not None:
        metadata["published"] = _epoch(passage.published_at)
    return metadata


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
