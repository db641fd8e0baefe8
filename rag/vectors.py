"""The Chroma index: passage vectors by id, and the search among those of a window or of outlets.

Only file that knows chromadb.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from rag.errors import ModelError, SettingsError, StoreError
from rag.flat import FlatVectors
from rag.schema import Passage, TimeWindow

if TYPE_CHECKING:
    import httpx
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

COLLECTION = "passages"
# Cosine is set because Chroma's default is l2; the other two trade a little memory for recall.
EF_SEARCH = 300  # 150 found 0.970 of the ten nearest of 500,000, 250 0.978, 300 0.982 (`python -m bench.growth`)
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": EF_SEARCH, "max_neighbors": 32}
TIMEOUT_S = 60.0  # for a request to a server
_PAGE = 10_000  # ids per read: SQLite takes at most 32,766 variables
# A filter that leaves much is met by asking Chroma for more and dropping what does not match, one that leaves little by
# scoring it all. A hit of Chroma's costs about as much as scoring 65 vectors (`python -m bench.growth`).
_MORE = 1.5  # times what would be enough if matches were spread evenly
_SCORED_PER_HIT = 65


class VectorIndex:
    """Vectors of passages. One process may own a folder: `rag.store` holds the lock; of a server's there may be many.

    Attributes:
        name: The folder, or the server's address.
    """

    def __init__(self, client: ClientAPI, collection: Collection, name: str, flat: FlatVectors | None) -> None:
        self.name = name
        self._client = client
        self._collection = collection
        self._flat = flat
        with self._explained():
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
        client: ClientAPI | None = None
        try:
            client = chromadb.PersistentClient(path=str(folder), settings=ChromaSettings(anonymized_telemetry=False))
            collection = _collection(client, COLLECTION, model_id, dimension, str(folder))
            graph = collection.configuration["hnsw"]
            if graph and graph.get("ef_search") != EF_SEARCH:  # made by an earlier Pressmark
                collection.modify(configuration={"hnsw": {"ef_search": EF_SEARCH}})
            index = cls(client, collection, str(folder), FlatVectors(folder / "exact", dimension))
            index._fill()
        except Exception as error:  # chromadb raises errors of its Rust core without a common base
            if client is not None:
                client.close()  # type: ignore[attr-defined]  # missing from the stub
            if isinstance(error, ModelError):
                raise
            raise StoreError(
                f"The vector index in {folder} cannot be opened ({error}). "
                "Move that folder away and run `pressmark ingest` again: the archive keeps the articles."
            ) from error
        return index

    @classmethod
    def connect(cls, address: str, *, model_id: str, dimension: int) -> VectorIndex:
        """Open the index on a Chroma server, making it if need be.

        Args:
            address: http://host:8000 or https://host, with the collection's name behind it if it is not "passages".
            model_id: See `rag.embeddings`.
            dimension: Of its vectors.

        Raises:
            ModelError: It was made with another embedding model.
            SettingsError: It is no such address.
            StoreError: The server does not answer.
        """
        os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
        import chromadb
        import httpx
        from chromadb.config import Settings as ChromaSettings

        url = urlsplit(address)
        name = url.path.strip("/") or COLLECTION
        if url.scheme not in ("http", "https") or not url.hostname or "/" in name:
            raise SettingsError(
                f"PRESSMARK_CHROMA_URL={address!r} is no address of a Chroma server: it is written "
                "http://host:8000, or http://host:8000/collection."
            )
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        try:
            # Where nothing answers, Chroma's client would leave its connections open.
            httpx.get(f"{url.scheme}://{url.hostname}:{port}/api/v2/heartbeat", timeout=TIMEOUT_S).raise_for_status()
            settings = ChromaSettings(anonymized_telemetry=False)
            client = chromadb.HttpClient(host=url.hostname, port=port, ssl=secure, settings=settings)
        except Exception as error:  # no common base, see above
            raise StoreError(_unreachable(address, error)) from error
        for session in _sessions(client):
            session.timeout = TIMEOUT_S  # its own is none: a server that hangs would hang us
        try:
            collection = _collection(client, name, model_id, dimension, address)
        except ModelError:
            _close(client)
            raise
        except Exception as error:
            _close(client)
            raise StoreError(_unreachable(address, error)) from error
        return cls(client, collection, address, None)

    def close(self) -> None:
        """Release the folder, or the connections."""
        if self._flat is None:
            _close(self._client)
        else:
            self._client.close()  # type: ignore[attr-defined]  # missing from the stub
            self._flat.close()

    def count(self) -> int:
        """Return the number of vectors."""
        with self._explained():
            return int(self._collection.count())

    def add(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        """Store the vectors, shape (len(passages), dimension); a known id is replaced."""
        for start in range(0, len(passages), self._batch):
            batch = passages[start : start + self._batch]
            ids, metadatas = [passage.id for passage in batch], [_metadata(passage) for passage in batch]
            part = vectors[start : start + self._batch]
            if self._flat is not None:  # first: whatever moment a run is killed at, it holds all that Chroma holds
                _put(self._flat, ids, part, metadatas)
            with self._explained():
                self._collection.upsert(ids=ids, embeddings=part, metadatas=metadatas)  # type: ignore[arg-type]

    def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids are no error."""
        for start in range(0, len(ids), self._batch):
            with self._explained():
                self._collection.delete(ids=list(ids[start : start + self._batch]))
        if self._flat is not None:
            self._flat.delete(ids)

    def ids(self) -> Iterator[str]:
        """Yield all stored ids, in no particular order."""
        for offset in range(0, self.count(), _PAGE):
            with self._explained():
                found = self._collection.get(limit=_PAGE, offset=offset, include=[])["ids"]
            yield from found

    def search(
        self,
        vector: np.ndarray,
        *,
        limit: int,
        window: TimeWindow | None = None,
        sources: Sequence[str] = (),
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (passage id, cosine similarity in [-1, 1]), best first."""
        if limit < 1:
            return []
        flat = self._flat
        if flat is None:
            return self._nearest(vector, limit, _where(window, sources))
        if not len(flat):
            return []
        if not sources and not (window and (window.since or window.until)):
            return self._nearest(vector, limit)
        with flat.held():
            matching = flat.matching(window, sources)
            count = int(np.count_nonzero(matching))
            fetched = int(_MORE * limit * len(flat) / max(1, count))
            if count <= _SCORED_PER_HIT * fetched:
                return flat.nearest(vector, matching, limit)
        near = self._nearest(vector, fetched)
        with flat.held():
            found = flat.among(near, matching)
            return found[:limit] if len(found) >= limit else flat.nearest(vector, matching, limit)

    def _nearest(self, vector: np.ndarray, limit: int, where: dict[str, Any] | None = None) -> list[tuple[str, float]]:
        with self._explained():
            found = self._collection.query(
                query_embeddings=[vector], n_results=limit, where=where, include=["distances"]
            )
        # Chroma gives the cosine distance; the rest of the product speaks of similarity.
        distances = (found["distances"] or [[]])[0]
        return [(id_, 1.0 - float(distance)) for id_, distance in zip(found["ids"][0], distances, strict=True)]

    def _fill(self) -> None:
        """Copy what the index of an earlier Pressmark holds, or all anew if the power failed and some was lost."""
        if self._flat is None or (self._flat.complete and len(self._flat) >= self.count()):
            return
        for offset in range(0, self.count(), _PAGE):
            page = self._collection.get(limit=_PAGE, offset=offset, include=["embeddings", "metadatas"])
            vectors = np.asarray(page["embeddings"], dtype=np.float32)
            _put(self._flat, page["ids"], vectors, page["metadatas"] or [])
        self._flat.mark_complete()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # no common base, see above
            if self._flat is None:
                raise StoreError(_unreachable(self.name, error)) from error
            raise StoreError(
                f"The vector index in {self.name} failed ({error}): `pressmark doctor` examines it."
            ) from error


def _sessions(client: ClientAPI) -> list[httpx.Client]:
    """Return the connections of a server's client: to collections, and to what holds them. There is no public way."""
    owners: list[Any] = [client, client._admin_client]  # type: ignore[attr-defined]
    return [owner._server._session for owner in owners]


def _close(client: ClientAPI) -> None:
    """Close a server's client with its connections, which Chroma leaves open."""
    sessions = _sessions(client)
    client.close()  # type: ignore[attr-defined]  # missing from the stub
    for session in sessions:
        session.close()


def _collection(client: ClientAPI, name: str, model_id: str, dimension: int, where: str) -> Collection:
    made_with = {"model_id": model_id, "dimension": dimension}
    # embedding_function=None: Chroma never embeds, and never rebuilds a stored function.
    collection = client.get_or_create_collection(
        name,
        embedding_function=None,
        metadata=made_with,
        configuration={"hnsw": _HNSW},  # type: ignore[arg-type]  # stub is narrower
    )
    found = collection.metadata or {}
    if {name: found.get(name) for name in made_with} != made_with:
        raise ModelError(
            f"The index in {where} was made with the embedding model {found.get('model_id')!r} "
            f"(dimension {found.get('dimension')}), but {model_id!r} (dimension {dimension}) is set. Set "
            "PRESSMARK_EMBEDDING_MODEL back, or use another home and ingest again."
        )
    return collection


def _unreachable(address: str, error: Exception) -> str:
    return (
        f"The Chroma server at {address} failed ({type(error).__name__}: {str(error).strip().partition(chr(10))[0]}): "
        "check PRESSMARK_CHROMA_URL, and whether the server runs."
    )


def _put(flat: FlatVectors, ids: Sequence[str], vectors: np.ndarray, metadatas: Sequence[Mapping[str, Any]]) -> None:
    flat.put(
        ids,
        vectors,
        [metadata.get("published") for metadata in metadatas],
        [str(metadata.get("source", "")) for metadata in metadatas],
    )


def _metadata(passage: Passage) -> dict[str, str | int]:
    metadata: dict[str, str | int] = {"article_id": passage.article_id, "source": passage.source}
    if passage.published_at is not None:
        metadata["published"] = _epoch(passage.published_at)
    return metadata


def _where(window: TimeWindow | None, sources: Sequence[str]) -> dict[str, Any] | None:
    """Build Chroma's filter; articles without a date are in no window."""
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
