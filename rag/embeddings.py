"""Texts to vectors behind LangChain's `Embeddings`: the packaged model by our encoder, others by sentence-transformers.

This is the only module that knows sentence-transformers. The libraries' network and telemetry
switches are set here, before they are imported; `ui/cli.py` sets them too, for libraries that come earlier there.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings

from rag.encoder import WIDTH, Encoder, graph_weights, padded
from rag.errors import ModelError
from rag.packaged import PACKAGED_ID, load_tokenizer, packaged_weights
from rag.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

BATCH_SIZE = 32  # texts per forward pass; 16, 32 and 64 took 5.0, 4.9 and 5.6 s for 212 passages on 2 cores
ENCODER_BATCH = 8  # for the encoder: 8, 16, 32 and 64 took 1.3, 1.3, 1.4 and 1.6 s for 128 texts
_PACKAGED_TOKENS = 256


class SentenceEmbeddings(Embeddings, ABC):
    """A model of texts; vectors are float32 and of unit length.

    Attributes:
        model_id: Name recorded in the index, so that another model of the same size is noticed.
        dimension: Length of a vector.
        max_tokens: Longest input in tokens; longer text is cut by the model.
    """

    model_id: str
    dimension: int
    max_tokens: int

    @classmethod
    def from_settings(cls, settings: Settings) -> SentenceEmbeddings:
        """Load the model that the settings name.

        Raises:
            ModelError: It cannot be loaded, or the packaged weights are not the published ones.
        """
        if settings.embedding_model:
            return NamedEmbeddings.load(settings.embedding_model, threads=settings.threads)
        return cls.packaged(settings)

    @classmethod
    def packaged(cls, settings: Settings) -> SentenceEmbeddings:
        """Load the packaged model.

        Raises:
            ModelError: It is not installed, or its weights are not the published ones.
        """
        return PackagedEmbeddings(threads=settings.threads)

    @abstractmethod
    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        """Return an array of shape (len(texts), dimension) with one unit vector per text."""

    @abstractmethod
    def count_tokens(self, text: str) -> int:
        """Return the number of the model's tokens in `text`, without the special ones."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed passages, for LangChain."""
        return [[float(value) for value in row] for row in self.embed(texts)]

    def embed_query(self, text: str) -> list[float]:
        """Embed a question, for LangChain."""
        return [float(value) for value in self.embed([text], query=True)[0]]


class NamedEmbeddings(SentenceEmbeddings):
    """A sentence-transformers model that the user names."""

    def __init__(self, model: SentenceTransformer, model_id: str) -> None:
        self._model = model
        self.model_id = model_id
        self.dimension = int(model.get_embedding_dimension() or 0)
        self.max_tokens = int(model.max_seq_length or 256)

    @classmethod
    def load(cls, name: str, *, threads: int) -> NamedEmbeddings:
        """Load a model by name or folder.

        Raises:
            ModelError: It cannot be loaded.
        """
        _prepare(threads)
        from sentence_transformers import SentenceTransformer

        try:
            model = SentenceTransformer(name, device="cpu", local_files_only=os.environ["HF_HUB_OFFLINE"] == "1")
        except (OSError, ValueError) as error:
            raise ModelError(
                f"Embedding model {name!r} cannot be loaded ({error}). Give a folder with a sentence-transformers "
                "model, set HF_HUB_OFFLINE=0 to have it downloaded, or leave PRESSMARK_EMBEDDING_MODEL empty for the "
                "packaged one."
            ) from error
        return cls(model, name)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        """Return an array of shape (len(texts), dimension) with one unit vector per text."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        encode = self._model.encode_query if query else self._model.encode_document
        vectors = encode(list(texts), batch_size=BATCH_SIZE, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def count_tokens(self, text: str) -> int:
        """Return the number of the model's tokens in `text`, without the special ones."""
        return len(self._model.tokenizer.encode(text, add_special_tokens=False, verbose=False))


class PackagedEmbeddings(SentenceEmbeddings):
    """The packaged model by our encoder: what sentence-transformers gives, to 1e-6, in half the time and without torch.

    `doctor` and a test compare the two.
    """

    model_id, dimension, max_tokens = PACKAGED_ID, WIDTH, _PACKAGED_TOKENS

    def __init__(self, *, threads: int) -> None:
        self._encoder = Encoder(graph_weights(packaged_weights()), threads=threads)
        self._tokenizer, self._cutting = load_tokenizer(), load_tokenizer()
        self._cutting.enable_truncation(self.max_tokens)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        """Return an array of shape (len(texts), dimension) with one unit vector per text."""
        rows = [encoding.ids for encoding in self._cutting.encode_batch([text.strip() for text in texts])]
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        vectors = np.zeros((len(rows), self.dimension), dtype=np.float32)
        for start in range(0, len(order), ENCODER_BATCH):
            part = order[start : start + ENCODER_BATCH]
            ids, mask = padded([rows[place] for place in part], len(rows[part[-1]]))
            hidden = self._encoder.hidden(ids, np.zeros_like(ids), mask)
            means = np.einsum("btw,bt->bw", hidden, mask.astype(np.float32)) / mask.sum(axis=1, keepdims=True)
            vectors[part] = means / np.linalg.norm(means, axis=1, keepdims=True)
        return vectors

    def count_tokens(self, text: str) -> int:
        """Return the number of the model's tokens in `text`, without the special ones."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)


def load_cross_encoder(name: str, threads: int) -> CrossEncoder:
    """Load a cross-encoder by name or folder.

    Raises:
        ModelError: It cannot be loaded.
    """
    _prepare(threads)
    from sentence_transformers import CrossEncoder

    try:
        return CrossEncoder(name, device="cpu", local_files_only=os.environ["HF_HUB_OFFLINE"] == "1")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"Cross-encoder {name!r} cannot be loaded ({error}). Give a folder with a sentence-transformers "
            "cross-encoder, or set HF_HUB_OFFLINE=0 to have it downloaded."
        ) from error


def _prepare(threads: int) -> None:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing is fetched unless the user asks for it
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Spinning OpenMP threads cost a query 500 ms beside a busy neighbour; waiting ones 18 ms.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # "Loading weights" on each command
    torch.set_num_threads(threads)
