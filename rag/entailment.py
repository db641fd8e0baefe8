"""Does a text support a claim? Three models behind `rag.verifier.Entailment`, and what of a long text they read.

The shipped network is of the reader's shape (`rag.span_model`), trained on claims (`training/claims.py`): `[CLS] claim
[SEP] [SEP] text [SEP]`, three logits at `[CLS]`. In their order: supported, contradicted, neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from rag.packaged import load_tokenizer
from rag.prompts import judge_prompt
from rag.sentences import sentences
from rag.span_model import Logits, TokenClassifier, encode, padded_batch, shipped_weights
from rag.words import content_stems

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from sentence_transformers import CrossEncoder
    from tokenizers import Tokenizer

    from rag.settings import Settings

SUPPORTED, CONTRADICTED, NEITHER = 0, 1, 2
CLAIM_TOKENS = 96
READ_WORDS = 150  # of a longer text the sentences that share most words with the claim are read
WEIGHTS, BOUNDS = "claims.safetensors", "claims.json"


def best_parts(claim: str, texts: Sequence[str]) -> str:
    """Return the sentences of a text, or of a long one those nearest to the claim, in their order."""
    if sum(len(text.split()) for text in texts) <= READ_WORDS:
        return " ".join(texts)
    wanted = set(content_stems(claim))
    shared = [len(wanted & set(content_stems(text))) / (1 + len(text.split())) ** 0.3 for text in texts]
    chosen: set[int] = set()
    words = 0
    for place in sorted(range(len(texts)), key=lambda index: (-shared[index], index)):
        size = len(texts[place].split())
        if chosen and words + size > READ_WORDS:
            continue
        chosen.add(place)
        words += size
    return " ".join(texts[place] for place in sorted(chosen))


class NetworkEntailment:
    """The shipped network. Threads may share it."""

    def __init__(
        self,
        logits: Logits,
        tokenizer: Tokenizer,
        *,
        name: str = "builtin",
        supported: float,
        thin: float,
        doubted: float,
        partly: float,
    ) -> None:
        self.name = name
        self.supported = supported
        self.thin = thin
        self.doubted = doubted
        self.partly = partly
        self._logits = logits
        self._tokenizer = tokenizer

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """Return the chance of support for each (claim, text)."""
        if not pairs:
            return []
        triples = [(claim, "", best_parts(claim, sentences(text))) for claim, text in pairs]
        batch = padded_batch(encode(self._tokenizer, triples, question_tokens=CLAIM_TOKENS))
        logits = self._logits(*batch)[:, 0]
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        return list((chances[:, SUPPORTED] / chances.sum(axis=1)).tolist())


@cache
def shipped_entailment(*, balanced: bool = False, threads: int = 2) -> NetworkEntailment:
    """Load the network in the package, with the bounds set for it (`training/bounds.py`).

    Args:
        balanced: With the bounds that err as often on either side, for judging; else with the strict ones, for what is
            shown: they catch what a weak model makes up, and withhold more of what is true.
        threads: For one reading.

    Raises:
        ModelError: The weights are missing or damaged, or the packaged model is not installed.
    """
    bounds = json.loads(resources.files("rag.data").joinpath(BOUNDS).read_text(encoding="utf-8"))
    name, chosen = ("builtin:balanced", bounds["balanced"]) if balanced else ("builtin", bounds["strict"])
    return NetworkEntailment(
        TokenClassifier(shipped_weights(WEIGHTS), threads=threads), load_tokenizer(), name=name, **chosen
    )


class CrossEntailment:
    """A sentence-transformers cross-encoder: of (text, claim) it gives one logit of support, or three of NLI."""

    supported, thin, doubted, partly = 0.5, 0.5, 0.8, 0.25

    def __init__(self, model: CrossEncoder, name: str) -> None:
        self.name = f"nli:{name}"
        self._model = model
        labels = model.config.id2label
        known = {str(label).lower(): int(place) for place, label in labels.items()}
        self._place = next(
            (known[label] for label in ("entailment", "supported", "consistent") if label in known), None
        )
        self._count = len(labels)
        self._turn = Lock()

    @classmethod
    def load(cls, name: str, settings: Settings) -> CrossEntailment:
        """Load the model by name or folder.

        Raises:
            ModelError: It cannot be loaded, or its labels do not tell which one is support.
        """
        from rag.embeddings import load_cross_encoder
        from rag.errors import ModelError

        found = cls(load_cross_encoder(name, settings.threads), name)
        if found._place is None and found._count > 2:
            raise ModelError(
                f"The cross-encoder {name!r} has no label called entailment: name its labels in its config.json."
            )
        return found

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """Return the chance of support for each (claim, text)."""
        import torch

        if not pairs:
            return []
        with self._turn:
            logits = self._model.predict(
                [(best_parts(claim, sentences(text)), claim) for claim, text in pairs],
                activation_fn=torch.nn.Identity(),
                convert_to_tensor=True,
                show_progress_bar=False,
            )
        if self._count == 1:
            return list(logits.reshape(-1).sigmoid().tolist())
        place = 1 if self._place is None else self._place  # of two unnamed labels the second is support
        return list(logits.softmax(1)[:, place].tolist())


class ChatEntailment:
    """The chat model as judge; replies that are not one of the words asked for are counted and give nothing.

    Attributes:
        unparsable: Replies so far that could not be used.
    """

    name = "llm"
    supported, thin, doubted, partly = 1.0, 1.0, 1.0, 0.5

    def __init__(self, model: BaseChatModel) -> None:
        self.unparsable = 0
        self._model = model

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """Return 1 for yes, 0.5 for partly, 0 for no; None for anything else, or if the model failed."""
        found = [self._one(claim, text) for claim, text in pairs]
        self.unparsable += found.count(None)
        return found

    def _one(self, claim: str, text: str) -> float | None:
        try:
            reply = str(self._model.invoke(judge_prompt(claim, text)).text)
        except Exception:  # each provider raises its own classes; the caller falls back on the rules
            return None
        match = _JUDGED.fullmatch(reply.strip())
        return _CHANCES[match[1].lower()] if match else None


_JUDGED = re.compile(r"[\"'*]*(yes|partly|no)[\"'*]*[.!]?", re.IGNORECASE)
_CHANCES = {"yes": 1.0, "partly": 0.5, "no": 0.0}
