"""One home, opened: the lock that makes this process its owner, the archive, the index, the embedder."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.archive import Archive
from rag.errors import StoreError, StoreLockedError
from rag.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from filelock import FileLock

    from rag.vectors import VectorIndex


class Embedder(Protocol):
    """The model of an index.

    Attributes:
        model_id: Name recorded in the index, so that another model of the same size is noticed.
        dimension: Length of a vector.
    """

    model_id: str
    dimension: int

    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        """Return an array of shape (len(texts), dimension) with one unit vector per text."""

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens in `text`, without special ones."""


@dataclass(frozen=True, slots=True)
class Store:
    """The open parts of a home; made by `Store.open`, given back by `close`.

    `embeddings` is the model of the index. The reader's network is no part of a home: `rag.span_model` loads it.
    """

    archive: Archive
    index: VectorIndex
    embeddings: Embedder
    lock: FileLock | None

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Become the owner of the settings' home and open it.

        Raises:
            StoreLockedError: Another process owns it; the message names it.
            StoreError: It cannot be opened.
            ModelError: The embedding model cannot be loaded or is not the index's own.
        """
        from rag.vectors import VectorIndex

        # Servers have any number of users; what lies in the home has one.
        elsewhere = settings.chroma_url and settings.archive_url.get_secret_value()
        with ExitStack() as opened:
            lock = None if elsewhere else take_lock(settings.folder)
            if lock is not None:
                opened.callback(lock.release)
            embeddings = embedder(settings)
            name, size = embeddings.model_id, embeddings.dimension
            if settings.chroma_url:
                index = VectorIndex.connect(settings.chroma_url, model_id=name, dimension=size)
            else:
                index = VectorIndex.open(settings.folder / "chroma", model_id=name, dimension=size)
            opened.callback(index.close)
            archive = open_archive(settings)
            opened.pop_all()
        return cls(archive, index, embeddings, lock)

    def close(self) -> None:
        """Close both stores and give the home back."""
        self.archive.close()
        self.index.close()
        if self.lock is not None:
            self.lock.release()


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    """Open the store for a block."""
    store = Store.open(settings)
    try:
        yield store
    finally:
        store.close()


def embedder(settings: Settings) -> Embedder:
    """Load the embedding model that the settings name, or reach the server that has it.

    Raises:
        ModelError: It cannot be loaded or reached.
    """
    if settings.embedding_url:
        from rag.embedding_server import ServerEmbeddings

        return ServerEmbeddings.from_settings(settings)
    from rag.embeddings import SentenceEmbeddings

    return SentenceEmbeddings.from_settings(settings)


def open_archive(settings: Settings) -> Archive:
    """Open the archive alone, where the settings have it.

    Raises:
        SettingsError: `archive_url` is no address of a database, or its driver is not installed.
        StoreError: It cannot be opened.
    """
    address = settings.archive_url.get_secret_value()
    return Archive.connect(address) if address else Archive.open(archive_path(settings))


def archive_path(settings: Settings) -> Path:
    """Return the archive file of the settings' home; with `archive_url` there is none."""
    return settings.folder / "archive.sqlite"


def home_id(folder: Path) -> str:
    """Return the name of a home among those of several servers at one archive; it is made when first asked for.

    Raises:
        StoreError: The folder cannot be written.
    """
    file = folder / "home.id"
    try:
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            file.write_text(uuid.uuid4().hex, encoding="ascii")
        return file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise StoreError(f"{folder} cannot be used as a home ({error}): choose another with --home.") from error


def take_lock(folder: Path) -> FileLock:
    """Make this process the owner of `folder`: two writers would damage the index silently.

    Raises:
        StoreLockedError: Another process owns it.
        StoreError: The folder cannot be written.
    """
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "owner.lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        owner = lock_owner(folder)
        named = f"process {owner['pid']} ({owner['command']})" if owner else "another process"
        raise StoreLockedError(
            f"{folder} is in use by {named}. Stop that process, ask it through its page or API if it is a server, "
            "or choose another folder with --home."
        ) from error
    except OSError as error:
        raise StoreError(f"{folder} cannot be used as a home ({error}): choose another with --home.") from error
    owner_file = folder / "owner.json"
    owner_file.write_text(json.dumps({"pid": os.getpid(), "command": _command()}), encoding="utf-8")
    return lock


def lock_owner(folder: Path) -> dict[str, str]:
    """Return pid and command that the last owner of `folder` wrote down; empty if unknown."""
    try:
        found = json.loads((folder / "owner.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {"pid": str(found.get("pid", "?")), "command": str(found.get("command", "?"))}


def _command() -> str:
    import sys

    return " ".join(["pressmark", *sys.argv[1:]])[:120]
