"""What the built-in reader looks at: features of sentences, and of how well they answer together; pure.

The network's logits come first: the best answer span inside a sentence against "no answer", and how much its
tokens look like evidence. Beside them stand what a network over one passage cannot see: words, names and numbers
that are missing, how rare they are in the archive, the kind of answer asked for, the place in the search, the date,
and whether other stories give the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

import numpy as np

from rag.evidence import EvidenceSentence
from rag.questions import KINDS, asks_for_latest, has_candidate, kind_of
from rag.spans import AnswerSpan
from rag.words import STOP_WORDS, content_stems, names, numbers, stem, tokens

SENTENCE_FEATURES = (
    "span", "span_below_best", "evidence", "evidence_below_best", "passage_span", "agreement",
    "span_fits", "span_asked", "similarity", "coverage", "context_coverage", "passage_coverage", "pair_coverage",
    "reciprocal_rank", "length", "names_missing", "numbers_missing", "is_question", "leads", "newness",
    *(f"candidate_{kind}" for kind in KINDS),
)  # fmt: skip
ANSWER_FEATURES = (
    "best", "second", "span", "evidence", "span_highest", "evidence_highest", "agreement", "span_fits", "span_asked",
    "similarity", "coverage", "context_coverage", "passage_coverage", "article_coverage",
    "names_missing", "numbers_missing", "has_candidate",
)  # fmt: skip
SPAN_BOUND = 15.0  # log-odds are cut to this range: far outside they tell nothing more


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """What the network makes of one sentence.

    Attributes:
        answer: The best answer span inside it, as characters of the article's text; its score are the log-odds
            against "the passage holds no answer".
        evidence: Mean logit of its tokens to stand in an answering sentence.
    """

    answer: AnswerSpan
    evidence: float

    @property
    def span(self) -> float:
        """Log-odds of the best span."""
        return self.answer.score


class WordCounts(Protocol):
    """Anything that knows in how many passages a word occurs."""

    def document_frequencies(self, words: Sequence[str]) -> tuple[dict[str, int], int]:
        """Return counts by word and the number of passages."""


def sentence_features(
    question: str,
    candidates: Sequence[EvidenceSentence],
    readings: Sequence[SentenceReading],
    *,
    idf: Mapping[str, float],
) -> np.ndarray:
    """Return an array of shape (len(candidates), len(SENTENCE_FEATURES)).

    Args:
        question: Standalone.
        candidates: Sentences of the passages.
        readings: One for each candidate.
        idf: As by `word_weights`.
    """
    kind = kind_of(question)
    latest = asks_for_latest(question)
    newness = _newness(candidates)
    agreement = _agreement(question, candidates, readings)
    best_span = max(_bounded(reading.span) for reading in readings)
    best_evidence = max(_bounded(reading.evidence) for reading in readings)
    by_passage: dict[str, float] = {}
    for candidate, reading in zip(candidates, readings, strict=True):
        id_ = candidate.found.passage.id
        by_passage[id_] = max(by_passage.get(id_, -SPAN_BOUND), _bounded(reading.span))
    asked = _stems(question)
    rows = np.zeros((len(candidates), len(SENTENCE_FEATURES)))
    for index, (candidate, reading) in enumerate(zip(candidates, readings, strict=True)):
        passage = candidate.found.passage
        words = candidate.text[reading.answer.start - candidate.start : reading.answer.end - candidate.start]
        before = passage.text[: candidate.start - passage.start][-300:]
        own = _stems(candidate.text)
        context = own | _stems(passage.title) | _stems(before)
        every = context | _stems(passage.text)
        values = {
            "span": _bounded(reading.span),
            "span_below_best": _bounded(reading.span) - best_span,
            "evidence": _bounded(reading.evidence),
            "evidence_below_best": _bounded(reading.evidence) - best_evidence,
            "passage_span": by_passage[passage.id],
            "agreement": agreement[index],
            "span_fits": 0.0 if kind in _ANY_SPAN else 0.5 if has_candidate(kind, words, question) else -0.5,
            "span_asked": _asked_share(words, asked),
            "similarity": candidate.found.similarity or 0.0,
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
            f"candidate_{kind}": 0.5 if has_candidate(kind, candidate.text, question) else -0.5,
        }
        rows[index] = [values.get(name, 0.0) for name in SENTENCE_FEATURES]
    return rows


_ANY_SPAN = frozenset(["what", "why", "yes-no", "where"])  # kinds whose marks stand around the span, or nowhere


def _asked_share(words: str, asked: frozenset[str]) -> float:
    """Return the share of the span's content words that the question itself holds: those are not what is asked for."""
    own = content_stems(words)
    return sum(word in asked for word in own) / len(own) if own else 1.0


def _bounded(value: float) -> float:
    return float(min(max(value, -SPAN_BOUND), SPAN_BOUND))


def _agreement(
    question: str, candidates: Sequence[EvidenceSentence], readings: Sequence[SentenceReading]
) -> list[float]:
    """Return, for each sentence, how many other stories' best spans give the same answer.

    A story counts with the chance that its best span is an answer at all. Words of the question do not count:
    that two spans both name what the question names is no agreement.
    """
    asked = {stem(word) for word in tokens(question)} | {stem(word) for word in STOP_WORDS}
    said: dict[str, tuple[float, frozenset[str]]] = {}
    own = []
    for candidate, reading in zip(candidates, readings, strict=True):
        said_here = candidate.text[reading.answer.start - candidate.start : reading.answer.end - candidate.start]
        words = frozenset(stem(word) for word in tokens(said_here)) - asked
        own.append(words)
        story = candidate.found.story_id or candidate.found.passage.article_id
        if reading.span > said.get(story, (-SPAN_BOUND, words))[0]:
            said[story] = (reading.span, words)
    totals = []
    for candidate, words in zip(candidates, own, strict=True):
        story = candidate.found.story_id or candidate.found.passage.article_id
        others = [(span, theirs) for name, (span, theirs) in said.items() if name != story]
        totals.append(
            sum(_chance(span) * (len(words & theirs) / len(words | theirs) > 0.5) for span, theirs in others)
            if words
            else 0.0
        )
    return totals


def _chance(log_odds: float) -> float:
    return float(1.0 / (1.0 + np.exp(-_bounded(log_odds))))


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
        "span_highest": float(rows[:, SENTENCE_FEATURES.index("span")].max()),
        "evidence_highest": float(rows[:, SENTENCE_FEATURES.index("evidence")].max()),
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
