"""The built-in extractive reader: question and passages to evidence sentences, answer spans and answerability.

The network (`rag/span_model.py`) reads each passage with the question. Each sentence of the passages gets features
(`rag/features.py`); a logistic model turns them into the chance that the sentence holds the answer, and a second one
turns the best sentences into the calibrated chance that the passages answer the question at all. `training/` makes
the weights: the network's are `rag/data/reader.safetensors`, the logistic models' `rag/data/reader.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Protocol

import numpy as np

from rag.evidence import EvidenceSentence, candidate_sentences
from rag.features import (
    ANSWER_FEATURES,
    SENTENCE_FEATURES,
    SentenceReading,
    WordCounts,
    answer_features,
    sentence_features,
    word_weights,
)
from rag.schema import RetrievedPassage
from rag.span_model import Encoded, header_of
from rag.spans import AnswerSpan, best_spans, evidence_in


class Network(Protocol):
    """Anything that reads (question, header, passage) triples: the shipped network, or a fake in tests."""

    def read(self, triples: Sequence[tuple[str, str, str]]) -> list[tuple[Encoded, np.ndarray]]:
        """Return each triple as encoded, with logits of shape (tokens, 3)."""


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
    """What `training.calibrate` writes: both logistic models and the calibrated threshold for abstaining."""

    sentence: Weights
    answer: Weights
    abstain_below: float


@cache
def shipped_model() -> ReaderModel:
    """Return the logistic models in the package."""
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
    network: Network,
    counts: WordCounts,
    model: ReaderModel | None = None,
) -> Reading:
    """Rank the sentences of the passages by the chance that they answer the question.

    Args:
        question: Standalone.
        found: Best first; no passages give confidence 0.
        network: Reads passages token by token.
        counts: Word counts of the archive, which tell rare words from common ones.
        model: None takes the shipped one.
    """
    candidates = candidate_sentences(found)
    if not candidates:
        return Reading((), 0.0)
    model = model or shipped_model()
    idf = word_weights(question, counts)
    readings = read_sentences(question, candidates, network)
    rows = sentence_features(question, candidates, readings, idf=idf)
    scores = model.sentence.probability(rows)
    order = sorted(range(len(candidates)), key=lambda index: (-scores[index], candidates[index].found.rank, index))
    confidence = model.answer.probability(answer_features(candidates, rows, scores, idf)[None, :])
    ranked = tuple(
        replace(candidates[index], score=float(scores[index]), answer=readings[index].answer) for index in order
    )
    return Reading(ranked, float(confidence[0]))


def reranked(found: Sequence[RetrievedPassage], reading: Reading) -> list[RetrievedPassage]:
    """Return the passages by their likeliest answer span, ranks anew from 1; those without one last, in their order.

    On our development questions the gold passage's mean reciprocal rank was 0.77, 0.63 and 0.76 by fusion alone and
    0.83, 0.77 and 0.81 so (`python -m training.evaluate --only rerank`).
    """
    best: dict[str, float] = {}
    for sentence in reading.sentences:
        if sentence.answer is not None:
            id_ = sentence.found.passage.id
            best[id_] = max(best.get(id_, -np.inf), sentence.answer.score)
    order = sorted(found, key=lambda item: -best.get(item.passage.id, -np.inf))
    return [replace(item, rank=place) for place, item in enumerate(order, start=1)]


def read_sentences(question: str, candidates: Sequence[EvidenceSentence], network: Network) -> list[SentenceReading]:
    """Return what the network makes of each candidate, each passage read once."""
    passages = {candidate.found.passage.id: candidate.found.passage for candidate in candidates}
    triples = [(question, header_of(p.title, p.published_at), p.text) for p in passages.values()]
    by_id = dict(zip(passages, network.read(triples), strict=True))
    readings: dict[int, SentenceReading] = {}
    for id_, (encoded, logits) in by_id.items():
        own = [index for index, candidate in enumerate(candidates) if candidate.found.passage.id == id_]
        begin = passages[id_].start
        parts = [(candidates[index].start - begin, candidates[index].end - begin) for index in own]
        spans = best_spans(encoded, logits, parts)
        for index, span, evidence in zip(own, spans, evidence_in(encoded, logits, parts), strict=True):
            answer = AnswerSpan(span.start + begin, span.end + begin, span.score)
            readings[index] = SentenceReading(answer, evidence)
    return [readings[index] for index in range(len(candidates))]


def _weights(values: Mapping[str, object], features: tuple[str, ...]) -> Weights:
    found = values["weights"]
    if not isinstance(found, dict) or set(found) != set(features):
        raise ValueError("rag/data/reader.json does not fit this reader: run `python -m training.calibrate --write`")
    return Weights(features, tuple(float(found[name]) for name in features), float(str(values["bias"])))
