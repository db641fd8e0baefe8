"""The built-in extractive reader: question and passages to evidence sentences and answerability.

Each sentence of the passages gets features (`rag/features.py`); a logistic model turns them into the
chance that the sentence holds the answer, and a second one turns the best sentences into the chance
that the passages answer the question at all. `training/fit_reader.py` makes both from development
questions; the weights are `rag/data/reader.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

import numpy as np

from rag.evidence import EvidenceSentence, candidate_sentences
from rag.features import (
    ANSWER_FEATURES,
    SENTENCE_FEATURES,
    Embedder,
    WordCounts,
    answer_features,
    sentence_features,
    word_weights,
)
from rag.schema import RetrievedPassage


@dataclass(frozen=True, slots=True)
class Reading:
    """Sentences best first, and the chance in [0, 1] that the passages answer the question."""

    sentences: tuple[EvidenceSentence, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted logistic model: 1 / (1 + exp(-(bias + weights · features)))."""

    features: tuple[str, ...]
    weights: tuple[float, ...]
    bias: float

    def probability(self, rows: np.ndarray) -> np.ndarray:
        """Return the chances of `rows`, shape (n, len(features)), as shape (n,)."""
        return np.asarray(1.0 / (1.0 + np.exp(-(rows @ np.asarray(self.weights) + self.bias))))


@dataclass(frozen=True, slots=True)
class ReaderModel:
    """What `training/fit_reader.py` writes: both models and the calibrated threshold for abstaining."""

    sentence: Weights
    answer: Weights
    abstain_below: float


@cache
def shipped_model() -> ReaderModel:
    """Return the model in the package."""
    values = json.loads(resources.files("rag").joinpath("data/reader.json").read_text(encoding="utf-8"))
    return ReaderModel(
        sentence=_weights(values["sentence"], SENTENCE_FEATURES),
        answer=_weights(values["answer"], ANSWER_FEATURES),
        abstain_below=float(values["abstain_below"]),
    )


def read(
    question: str,
    found: Sequence[RetrievedPassage],
    *,
    embedder: Embedder,
    counts: WordCounts,
    model: ReaderModel | None = None,
) -> Reading:
    """Rank the sentences of the passages by the chance that they answer the question.

    Args:
        question: Standalone.
        found: Best first; no passages give confidence 0.
        embedder: The packaged model, which the weights belong to.
        counts: Word counts of the archive, which tell rare words from common ones.
        model: None takes the shipped one.
    """
    candidates = candidate_sentences(found)
    if not candidates:
        return Reading((), 0.0)
    model = model or shipped_model()
    idf = word_weights(question, counts)
    rows = sentence_features(question, candidates, embedder=embedder, idf=idf)
    scores = model.sentence.probability(rows)
    order = sorted(range(len(candidates)), key=lambda index: (-scores[index], candidates[index].found.rank, index))
    confidence = model.answer.probability(answer_features(candidates, rows, scores, idf)[None, :])
    ranked = tuple(replace(candidates[index], score=float(scores[index])) for index in order)
    return Reading(ranked, float(confidence[0]))


def _weights(values: Mapping[str, object], features: tuple[str, ...]) -> Weights:
    found = values["weights"]
    if not isinstance(found, dict) or set(found) != set(features):
        raise ValueError("rag/data/reader.json does not fit this reader: run `python -m training.fit_reader`")
    return Weights(features, tuple(float(found[name]) for name in features), float(str(values["bias"])))
