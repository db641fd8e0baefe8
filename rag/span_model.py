"""The reader's network: the packaged MiniLM with its own trained layers and a head for each token.

A pair of question and passage becomes `[CLS] question [SEP] headline (date) [SEP] passage [SEP]`. For each token the
head gives three logits: an answer starts here, an answer ends here, this token stands in a sentence that answers.
`[CLS]` is the null: its start and end logits say that the passage holds no answer (Devlin et al. 2019, section 4.3).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rag.encoder import Encoder, graph_weights, padded
from rag.errors import ModelError
from rag.packaged import load_tokenizer, packaged_weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

QUESTION_TOKENS = 64
HEADER_TOKENS = 40
MAX_TOKENS = 320
CLS, SEP = 101, 102
OUTPUTS = 3  # start, end, evidence
READ_BATCH = 2  # pairs of like length at a time: 1, 2, 4 and 8 took 107, 101, 103 and 114 ms for 8 passages
REMEMBERED = 4096  # pairs read last, some 10 KB each

Triple = tuple[str, str, str]
Logits = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Ids, types and mask to logits, shape (batch, longest, `OUTPUTS`)."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One pair as the network sees it.

    Attributes:
        ids: Token ids, shape (n,).
        types: 0 for the question's tokens, 1 for the rest, shape (n,).
        first: Index of the passage's first token.
        offsets: Characters [start, end) in the passage of its tokens, shape (passage tokens, 2); the
            passage's tokens are `ids[first : first + len(offsets)]`.
    """

    ids: np.ndarray
    types: np.ndarray
    first: int
    offsets: np.ndarray


def header_of(title: str, published_at: datetime | None) -> str:
    """Return the line that stands before a passage: headline and date, as far as known."""
    date = f"({published_at.day} {published_at:%B %Y})" if published_at else ""
    return " ".join(part for part in (title, date) if part)


def encode(
    tokenizer: Tokenizer, pairs: Sequence[tuple[str, str, str]], *, question_tokens: int = QUESTION_TOKENS
) -> list[Encoded]:
    """Encode (question, header, passage) triples; what does not fit into `MAX_TOKENS` is cut off the passage."""
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    known = dict(zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True))
    encoded = []
    for question, header, passage in pairs:
        head = [CLS, *known[question].ids[:question_tokens], SEP]
        middle = [*known[header].ids[:HEADER_TOKENS], SEP]
        room = MAX_TOKENS - len(head) - len(middle) - 1
        ids = [*head, *middle, *known[passage].ids[:room], SEP]
        types = np.ones(len(ids), dtype=np.int64)
        types[: len(head)] = 0
        encoded.append(
            Encoded(
                ids=np.array(ids, dtype=np.int64),
                types=types,
                first=len(head) + len(middle),
                offsets=np.array(known[passage].offsets[:room], dtype=np.int64).reshape(-1, 2),
            )
        )
    return encoded


def padded_batch(batch: Sequence[Encoded]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ids, types and attention mask, each of shape (len(batch), longest)."""
    longest = max(len(item.ids) for item in batch)
    ids, mask = padded([item.ids for item in batch], longest)
    types, _ = padded([item.types for item in batch], longest)
    return ids, types, mask


class SpanModel:
    """A trained network, loaded once; threads may share it.

    It remembers what it read last: a question is often asked again, with other dates or by another reader, and a search
    that is widened finds most of the same passages.
    """

    def __init__(self, logits: Logits, tokenizer: Tokenizer) -> None:
        self._logits = logits
        self._tokenizer = tokenizer
        self._remembered: OrderedDict[Triple, tuple[Encoded, np.ndarray]] = OrderedDict()
        self._lock = Lock()

    def read(self, triples: Sequence[Triple]) -> list[tuple[Encoded, np.ndarray]]:
        """Return each (question, header, passage) as encoded, with its logits of shape (tokens, `OUTPUTS`)."""
        with self._lock:
            known = {triple: self._remembered[triple] for triple in triples if triple in self._remembered}
        new = [triple for triple in dict.fromkeys(triples) if triple not in known]
        known |= dict(zip(new, self._read(new), strict=True))
        with self._lock:
            for triple in triples:
                self._remembered[triple] = known[triple]
                self._remembered.move_to_end(triple)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
        return [known[triple] for triple in triples]

    def _read(self, triples: Sequence[Triple]) -> list[tuple[Encoded, np.ndarray]]:
        encoded = encode(self._tokenizer, triples)
        order = sorted(range(len(encoded)), key=lambda index: len(encoded[index].ids))
        found: dict[int, np.ndarray] = {}
        for start in range(0, len(order), READ_BATCH):
            part = order[start : start + READ_BATCH]
            logits = self._logits(*padded_batch([encoded[index] for index in part]))
            found |= {index: rows[: len(encoded[index].ids)].copy() for index, rows in zip(part, logits, strict=True)}
        return [(encoded[index], found[index]) for index in range(len(encoded))]


class TokenClassifier:
    """An encoder with a linear head: token ids to logits. Threads may share one."""

    def __init__(self, weights: Mapping[str, np.ndarray], *, threads: int) -> None:
        self._encoder = Encoder(graph_weights(weights, "encoder."), threads=threads)
        self._head, self._bias = weights["head.weight"].T, weights["head.bias"]

    def __call__(self, ids: np.ndarray, types: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return logits of shape (batch, longest, `OUTPUTS`), for the arrays of `padded_batch`."""
        return np.asarray(self._encoder.hidden(ids, types, mask) @ self._head + self._bias)


WORD_EMBEDDINGS = "encoder.embeddings.word_embeddings.weight"  # stay the packaged model's: not shipped twice
WEIGHTS = "reader.safetensors"


@cache
def shipped_network(threads: int = 2) -> SpanModel:
    """Load the reader's network in the package; each reading takes so many threads.

    Raises:
        ModelError: The weights are missing or damaged, or the packaged model is not installed.
    """
    return SpanModel(TokenClassifier(shipped_weights(WEIGHTS), threads=threads), load_tokenizer())


def shipped_weights(name: str) -> dict[str, np.ndarray]:
    """Load a network's weights from the package: half precision on disk, single in memory.

    Raises:
        ModelError: The weights are missing or damaged, or the packaged model is not installed.
    """
    from safetensors.numpy import load

    data = resources.files("rag") / "data"
    try:
        content = (data / name).read_bytes()
        expected = (data / f"{name}.sha256").read_text(encoding="utf-8").split()[0]
    except (OSError, IndexError) as error:
        raise ModelError(f"The weights in rag/data/{name} are missing ({error}): reinstall Pressmark.") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(f"rag/data/{name} is damaged: its SHA-256 is not {expected[:12]}...; reinstall Pressmark.")
    weights = {key: value.astype(np.float32) for key, value in load(content).items()}
    weights[WORD_EMBEDDINGS] = packaged_weights()["embeddings.word_embeddings.weight"]
    return weights
