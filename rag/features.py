"""What the built-in reader looks at: features of sentences, and of how well they answer together.

Embeddings are used token by token (late interaction), words are compared by stems, names, numbers and
the kind of answer asked for. Tried and left out: a small network over the token vectors, trained on
14,000 SQuAD questions to score tokens as answers; on sample `dev` it moved the right sentence into the
first three for 2 questions of 53 and the AUC of answerability not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

import numpy as np

from rag.embeddings import TokenVectors
from rag.evidence import EvidenceSentence
from rag.questions import KINDS, asks_for_latest, has_candidate, kind_of
from rag.words import content_stems, names, numbers, stem, tokens

SENTENCE_FEATURES = (
    "similarity", "similarity_below_best",
    "token_match", "token_match_below_best", "weakest_match",
    "passage_similarity", "passage_token_match", "passage_weakest_match",
    "coverage", "context_coverage", "passage_coverage", "pair_coverage",
    "reciprocal_rank", "length", "names_missing", "numbers_missing", "is_question", "leads", "newness",
    *(f"candidate_{kind}" for kind in KINDS),
)  # fmt: skip
ANSWER_FEATURES = (
    "best", "second", "similarity", "passage_similarity",
    "token_match", "weakest_match", "passage_token_match", "passage_weakest_match",
    "coverage", "context_coverage", "passage_coverage", "article_coverage",
    "names_missing", "numbers_missing", "has_candidate",
)  # fmt: skip


class Embedder(Protocol):
    """Anything that gives unit vectors: shape (len(texts), dimension)."""

    def embed(self, texts: Sequence[str], *, query: bool = False) -> np.ndarray:
        """Embed texts, or a question if `query`."""

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embed each token of each text in its context."""


class WordCounts(Protocol):
    """Anything that knows in how many passages a word occurs."""

    def document_frequencies(self, words: Sequence[str]) -> tuple[dict[str, int], int]:
        """Return counts by word and the number of passages."""


def sentence_features(
    question: str, candidates: Sequence[EvidenceSentence], *, embedder: Embedder, idf: Mapping[str, float]
) -> np.ndarray:
    """Return an array of shape (len(candidates), len(SENTENCE_FEATURES)); `idf` as by `word_weights`."""
    matches = _token_matches(question, candidates, idf, embedder)
    similarity = matches.similarity
    kind = kind_of(question)
    latest = asks_for_latest(question)
    newness = _newness(candidates)
    rows = np.zeros((len(candidates), len(SENTENCE_FEATURES)))
    for index, candidate in enumerate(candidates):
        passage = candidate.found.passage
        before = passage.text[: candidate.start - passage.start][-300:]
        own = _stems(candidate.text)
        context = own | _stems(passage.title) | _stems(before)
        every = context | _stems(passage.text)
        fits = has_candidate(kind, candidate.text, question)
        values = {
            "similarity": similarity[index],
            "similarity_below_best": similarity[index] - similarity.max(),
            "token_match": matches.mean[index],
            "token_match_below_best": matches.mean[index] - matches.mean.max(),
            "weakest_match": matches.weakest[index],
            "passage_token_match": matches.passage_mean[index],
            "passage_weakest_match": matches.passage_weakest[index],
            "passage_similarity": matches.passage_similarity[index],
            "coverage": _covered(idf, own),
            "context_coverage": _covered(idf, context),
            "passage_coverage": _covered(idf, every),
            "pair_coverage": _pair_coverage(question, candidate.text),
            "reciprocal_rank": 1.0 / candidate.found.rank,
            "length": float(np.log1p(len(tokens(candidate.text)))),
            "names_missing": _names_missing(question, every),
            "numbers_missing": _numbers_missing(question, f"{passage.title} {passage.text}"),
            "is_question": float(candidate.text.rstrip("\"'”’ ").endswith("?")),
            "leads": float(candidate.start == 0),
            "newness": newness[index] if latest else 0.0,
            f"candidate_{kind}": 0.5 if fits else -0.5,
        }
        rows[index] = [values.get(name, 0.0) for name in SENTENCE_FEATURES]
    return rows


@dataclass(frozen=True, slots=True)
class _Matches:
    """How well each candidate, and its passage, match the question's words; arrays of one value per candidate."""

    similarity: np.ndarray
    mean: np.ndarray
    weakest: np.ndarray
    passage_mean: np.ndarray
    passage_weakest: np.ndarray
    passage_similarity: np.ndarray


def _token_matches(
    question: str, candidates: Sequence[EvidenceSentence], idf: Mapping[str, float], embedder: Embedder
) -> _Matches:
    """Match the question's words with the tokens of each sentence, in the context of its passage.

    For each content word of the question the most similar token of the sentence counts (late
    interaction after Khattab & Zaharia, ColBERT, SIGIR 2020), weighted by how rare the word is; the
    weakest word tells a sentence that lacks what is asked for from one that has it.
    """
    passages = {c.found.passage.id: c.found.passage for c in candidates}
    texts = [f"{passage.title}\n{passage.text}" for passage in passages.values()]
    asked, *read_ = embedder.embed_tokens([question, *texts])
    by_passage = dict(zip(passages, read_, strict=True))
    question_vector = _unit(asked.vectors.mean(axis=0))
    words = _word_groups(question, asked, idf)
    columns = np.zeros((len(candidates), 6))
    for row, candidate in enumerate(candidates):
        passage = candidate.found.passage
        tokens_ = by_passage[passage.id]
        shift = len(passage.title) + 1 - passage.start
        inside = (tokens_.starts >= candidate.start + shift) & (tokens_.ends <= candidate.end + shift)
        if not inside.any():
            continue  # the passage was longer than the model reads
        likeness = asked.vectors @ tokens_.vectors.T
        columns[row, 0] = question_vector @ _unit(tokens_.vectors[inside].mean(axis=0))
        columns[row, 1:3] = _word_matches(likeness[:, inside].max(axis=1), words)
        columns[row, 3:5] = _word_matches(likeness.max(axis=1), words)
        columns[row, 5] = question_vector @ _unit(tokens_.vectors.mean(axis=0))
    return _Matches(*columns.T)


def _word_groups(question: str, asked: TokenVectors, idf: Mapping[str, float]) -> list[tuple[np.ndarray, float]]:
    """Return, for each content word of the question, the places of its tokens and its weight."""
    groups = []
    for match in re.finditer(r"\w+(?:[’'-]\w+)*", question):
        weight = idf.get(stem(match.group().lower().replace("’", "'")))
        places = np.flatnonzero((asked.starts >= match.start()) & (asked.ends <= match.end()))
        if weight and len(places):
            groups.append((places, weight))
    return groups


def _word_matches(best: np.ndarray, words: Sequence[tuple[np.ndarray, float]]) -> tuple[float, float]:
    """Return the weighted mean and the minimum over words of the mean best match of their tokens."""
    if not words:
        return float(best.mean()), float(best.min())
    values = np.array([best[places].mean() for places, _ in words])
    weights = np.array([weight for _, weight in words])
    return float(values @ weights / weights.sum()), float(values.min())


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def answer_features(
    candidates: Sequence[EvidenceSentence], rows: np.ndarray, scores: np.ndarray, idf: Mapping[str, float]
) -> np.ndarray:
    """Return the features of answerability, shape (len(ANSWER_FEATURES),); `idf` as by `word_weights`."""
    order = np.argsort(-scores, kind="stable")
    best = int(order[0])
    column = {name: rows[best, index] for index, name in enumerate(SENTENCE_FEATURES)}
    article_id = candidates[best].found.passage.article_id
    article = set().union(
        *(
            _stems(f"{c.found.passage.title} {c.found.passage.text}")
            for c in candidates
            if c.found.passage.article_id == article_id
        )
    )
    values = column | {
        "best": _log_odds(float(scores[best])),
        "second": _log_odds(float(scores[order[1]])) if len(order) > 1 else -5.0,
        "article_coverage": _covered(idf, article),
        "has_candidate": sum(column[f"candidate_{kind}"] for kind in KINDS),
    }
    return np.array([values[name] for name in ANSWER_FEATURES])


def word_weights(question: str, counts: WordCounts) -> dict[str, float]:
    """Return the weight of each content stem of the question: rare words weigh more.

    Weight is log(1 + N / (1 + n)) with n the number of the N passages that hold the word.
    """
    words = {stem(word): word for word in reversed(tokens(question))}
    wanted = content_stems(question)
    found, total = counts.document_frequencies([words[item] for item in wanted])
    return {item: float(np.log1p(total / (1 + found[words[item]]))) for item in wanted}


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in tokens(text))


def _covered(weights: Mapping[str, float], held: frozenset[str] | set[str]) -> float:
    total = sum(weights.values())
    return sum(weight for word, weight in weights.items() if word in held) / total if total else 0.0


def _pair_coverage(question: str, text: str) -> float:
    wanted = set(pairwise(stem(word) for word in tokens(question)))
    held = set(pairwise(stem(word) for word in tokens(text)))
    return len(wanted & held) / len(wanted) if wanted else 0.0


def _names_missing(question: str, held: frozenset[str] | set[str]) -> float:
    """Return the share of the question's names that no word of which is held."""
    wanted = names(question)
    missing = [name for name in wanted if not any(stem(word) in held for word in tokens(name))]
    return len(missing) / len(wanted) if wanted else 0.0


def _numbers_missing(question: str, text: str) -> float:
    wanted = numbers(question)
    held = set(numbers(text))
    return sum(value not in held for value in wanted) / len(wanted) if wanted else 0.0


def _newness(candidates: Sequence[EvidenceSentence]) -> list[float]:
    """Return 1 for the newest article among the candidates, 0 for the oldest or undated, by rank between."""
    dates = sorted({c.found.passage.published_at for c in candidates if c.found.passage.published_at})
    place = {date: index / max(1, len(dates) - 1) for index, date in enumerate(dates)}
    return [
        place[c.found.passage.published_at] if c.found.passage.published_at is not None else 0.0 for c in candidates
    ]


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return float(np.log(bounded / (1 - bounded)))
