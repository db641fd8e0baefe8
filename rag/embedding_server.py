"""Embeddings from a server that speaks OpenAI's `/v1/embeddings`, as Text Embeddings Inference, vLLM and Ollama do.

Texts are sent as texts, in batches of the size that Text Embeddings Inference takes unless told otherwise; what passes
by itself (busy, down for a moment) is tried again.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import httpx
import numpy as np
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from rag.errors import ModelError
from rag.settings import Settings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BATCH_SIZE = 32  # texts per request: the default limit of Text Embeddings Inference
TIMEOUT_S = 60.0  # a batch on a busy CPU server
_TRIES, _QUICK_TRIES = 8, 3  # of passages: a minute in all, as limits are by the minute; of a question: 3 seconds
_WAIT = wait_exponential(multiplier=0.5, max=20) + wait_random(0, 0.5)  # seconds
_BUSY = frozenset({408, 429, 500, 502, 503, 504})
_CURES = {
    401: "set PRESSMARK_EMBEDDING_KEY to a key that it takes",
    403: "set PRESSMARK_EMBEDDING_KEY to a key that may use this model",
    404: "check the model's name in PRESSMARK_EMBEDDING_MODEL, and that PRESSMARK_EMBEDDING_URL ends as the server's "
    "manual says, mostly in /v1",
    413: "serve a model that takes longer texts, or set PRESSMARK_PASSAGE_TOKENS lower",
}


class _PassingError(ModelError):
    """The server failed in a way that may be over soon."""


class ServerEmbeddings:
    """A model on a server; vectors are float32 and of unit length.

    Attributes:
        model_id: The model's name, marked as a server's: the same model in this process may differ in how it pools.
            The address is no part of it: a server may move.
        dimension: Length of a vector.
    """

    def __init__(self, url: str, model: str, key: str = "") -> None:
        """Ask the server for a first vector.

        Raises:
            ModelError: It gives none.
        """
        self._url = f"{url.rstrip('/')}/embeddings"
        self._model = model
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=TIMEOUT_S)
        weakref.finalize(self, self._client.close)
        self.model_id = f"server:{model}"
        self.dimension = 0
        self.dimension = self.embed(["How long is a vector?"], query=True).shape[1]

    @classmethod
    def from_settings(cls, settings: Settings) -> ServerEmbeddings:
        """Reach the server that the settings name.

        Raises:
            ModelError: Address or name cannot be used, or the server gives no vectors.
        """
        url = settings.embedding_url
        if not url.startswith(("http://", "https://")):
            raise ModelError(f"PRESSMARK_EMBEDDING_URL={url!r} is no address: write it as http://host:8080/v1.")
        if not settings.embedding_model:
            raise ModelError(
                f"PRESSMARK_EMBEDDING_URL is {url}, but PRESSMARK_EMBEDDING_MODEL is empty: set it to the model's name "
                "there; it is recorded in the index."
            )
        return cls(url, settings.embedding_model, settings.embedding_key.get_secret_value())

    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        """Return an array of shape (len(texts), dimension) with one unit vector per text.

        The server knows no difference between questions and passages; for a question it is given up sooner.

        Raises:
            ModelError: The server does not answer, or not with vectors of this model.
        """
        batches = [texts[start : start + BATCH_SIZE] for start in range(0, len(texts), BATCH_SIZE)]
        if not batches:
            return np.zeros((0, self.dimension), dtype=np.float32)
        vectors = np.concatenate([self._embedded(batch, _QUICK_TRIES if query else _TRIES) for batch in batches])
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors

    def count_tokens(self, text: str) -> int:
        """Return the number of the packaged model's tokens: the server does not tell its own."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from rag.packaged import load_tokenizer

        return load_tokenizer()

    def _embedded(self, texts: Sequence[str], tries: int) -> np.ndarray:
        retrying = Retrying(
            retry=retry_if_exception_type(_PassingError), stop=stop_after_attempt(tries), wait=_WAIT, reraise=True
        )
        return self._checked(retrying(self._answer, texts), len(texts))

    def _answer(self, texts: Sequence[str]) -> httpx.Response:
        try:
            answer = self._client.post(self._url, json={"model": self._model, "input": list(texts)})
        except httpx.InvalidURL as error:
            raise ModelError(f"PRESSMARK_EMBEDDING_URL: {self._url} is no address ({error}).") from error
        except httpx.TransportError as error:
            raise _PassingError(
                f"The embedding server {self._url} cannot be reached ({error or type(error).__name__}): start it, or "
                "check PRESSMARK_EMBEDDING_URL."
            ) from error
        if answer.status_code in _BUSY:
            raise _PassingError(
                f"The embedding server {self._url} answers {answer.status_code} ({_said(answer)}): try again later, or "
                "look into its log."
            )
        return answer

    def _checked(self, answer: httpx.Response, count: int) -> np.ndarray:
        """Return the vectors of an answer, shape (count, dimension)."""
        if answer.status_code != httpx.codes.OK:
            cure = _CURES.get(answer.status_code, "check PRESSMARK_EMBEDDING_MODEL and PRESSMARK_EMBEDDING_URL")
            raise ModelError(
                f"The embedding server {self._url} answers {answer.status_code} for the model {self._model!r} "
                f"({_said(answer)}): {cure}."
            )
        try:
            rows = sorted(answer.json()["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(
                f"The embedding server {self._url} does not answer as OpenAI's /v1/embeddings ({_said(answer)}): check "
                "PRESSMARK_EMBEDDING_URL."
            ) from error
        wanted = (count, self.dimension or (vectors.shape[1] if vectors.ndim == 2 else 0))
        if vectors.shape != wanted or not np.isfinite(vectors).all():
            raise ModelError(
                f"The embedding server {self._url} answers with vectors of shape {vectors.shape}, not {wanted}: does "
                f"it still serve {self._model!r}? Start Pressmark again if that has changed."
            )
        return vectors


def _said(answer: httpx.Response) -> str:
    return " ".join(answer.text.split())[:200] or "and nothing else"
