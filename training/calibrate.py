"""Fit the two logistic models on top of the network, and the threshold for abstaining, on development questions.

    python -m training.calibrate --data ../shared/data [--write] [--diagram docs/reliability.svg]

Questions: `dev` halves of the sample archive's sets and of the Wikinews set (`training/data`), and of held-out articles
of SQuAD. Prints cross-validated figures (folds over questions); --write replaces rag/data/reader.json. Questions marked
`test` are never read.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from eval.datasets import EvalQuestion
from eval.metrics.answers import contains_gold
from rag.dialogue import standalone_question
from rag.evidence import EvidenceSentence, candidate_sentences
from rag.features import (
    ANSWER_FEATURES,
    SENTENCE_FEATURES,
    answer_features,
    sentence_features,
    word_weights,
)
from rag.reader import Weights, read_sentences
from rag.retriever import HybridRetriever
from rag.span_model import shipped_network
from rag.store import Store
from rag.timeframe import window_of
from training.archives import NOW, SquadQuestion, our_questions, squad_archive

OUTPUT = Path(__file__).parent.parent / "rag" / "data" / "reader.json"
SEED = 7
FOLDS = 5
OVER_REFUSAL = 0.1
SQUAD_QUESTIONS = 500
SQUAD_WEIGHT = 0.05  # of a question, beside one of ours; 0.02 ranked ours as well, 0.15 worse
K = 8


@dataclass(frozen=True, slots=True)
class Case:
    """One question over its passages: sentence features and labels; `answerable` from these passages."""

    source: str
    question: str
    candidates: list[EvidenceSentence]
    rows: np.ndarray
    labels: np.ndarray
    answerable: bool
    weight: float
    idf: dict[str, float]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with reader/, train/ and archive/")
    parser.add_argument("--cache", type=Path, help="keep the features here: they take minutes")
    parser.add_argument("--write", action="store_true", help=f"replace {OUTPUT.name}")
    parser.add_argument("--diagram", type=Path, help="write the reliability diagram here, as SVG")
    options = parser.parse_args()
    if options.cache and options.cache.exists():
        ours, squad = pickle.loads(options.cache.read_bytes())  # noqa: S301  # our own file
    else:
        ours = [case for name, store, questions in our_questions(options.data, split="dev")
                for case in (_case_of_ours(name, question, store) for question in questions) if case]  # fmt: skip
        with squad_archive(options.data, ("squad1", "squad2")) as (store, questions):
            rng = np.random.default_rng(SEED)
            chosen = [questions[index] for index in rng.permutation(len(questions))[:SQUAD_QUESTIONS]]
            squad = [case for question in chosen for case in _squad_cases(question, store)]
        if options.cache:
            options.cache.write_bytes(pickle.dumps((ours, squad)))
    known, confidence = _cross_validated(ours, squad)
    threshold = _threshold(known, confidence)
    if options.diagram:
        options.diagram.write_text(_diagram(known, confidence), encoding="utf-8")
    sentence, answer = _fit([*ours, *squad])
    if options.write:
        fitted = {
            "made_by": "python -m training.calibrate",
            "sentence": _as_json(sentence),
            "answer": _as_json(answer),
            "abstain_below": round(threshold, 3),
        }
        OUTPUT.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {OUTPUT.name}")


# -- questions to cases ------------------------------------------------------------------------------


def _case_of_ours(source: str, question: EvalQuestion, store: Store) -> Case | None:
    text = standalone_question(question.question, question.turns)
    retriever = HybridRetriever(store, k=K, candidates=50)
    also = [question.question] if text != question.question else []
    window = window_of(question.question, question.now or NOW)
    found = retriever.retrieve(text, window=window, also=also)
    if window is not None and not any(_is_gold(question, c, store) for c in candidate_sentences(found)):
        found = retriever.retrieve(text, also=also)
    candidates = candidate_sentences(found)
    labels = np.array([_is_gold(question, candidate, store) for candidate in candidates], dtype=float)
    if question.answerable and not labels.any():
        return None  # the search missed it: tells nothing about reading
    return _case(source, text, candidates, labels, store, weight=1.0)


def _is_gold(question: EvalQuestion, candidate: EvidenceSentence, store: Store) -> bool:
    """A sentence of the gold quote, or of a copy of it, that holds one of the answers."""
    if not any(contains_gold(candidate.text, [group]) for group in question.answers):
        return False
    stories = store.archive.stories.cards([evidence.article_id for evidence in question.evidence])
    near = {stories[evidence.article_id].story_id for evidence in question.evidence if evidence.article_id in stories}
    return candidate.found.story_id in near and any(
        candidate.text in evidence.quote or evidence.quote in candidate.text or _alike(candidate.text, evidence.quote)
        for evidence in question.evidence
    )


def _alike(one: str, other: str) -> bool:
    first, second = set(one.lower().split()), set(other.lower().split())
    return len(first & second) >= 0.6 * min(len(first), len(second))


def _squad_cases(question: SquadQuestion, store: Store) -> list[Case]:
    """Return the question once with the passages found and once with its own paragraph's passages taken out."""
    found = HybridRetriever(store, k=K + 4, candidates=50).retrieve(question.text)
    without = [item for item in found if item.passage.article_id != question.article_id]
    cases = []
    for passages in (found[:K], without[:K]) if question.span else (found[:K],):
        candidates = candidate_sentences(passages)
        labels = np.array([question.answered_in(candidate) for candidate in candidates], dtype=float)
        if len(candidates):
            cases.append(_case("squad", question.text, candidates, labels, store, weight=SQUAD_WEIGHT))
    return cases


def _case(
    source: str, question: str, candidates: list[EvidenceSentence], labels: np.ndarray, store: Store, weight: float
) -> Case:
    idf = word_weights(question, store.archive.full_text)
    readings = read_sentences(question, candidates, shipped_network())
    rows = sentence_features(question, candidates, readings, idf=idf)
    return Case(source, question, candidates, rows, labels, bool(labels.any()), weight, idf)


# -- fitting -----------------------------------------------------------------------------------------


def _cross_validated(ours: Sequence[Case], squad: Sequence[Case]) -> tuple[np.ndarray, np.ndarray]:
    """Print how well each fold's questions are ranked and told apart by the others; return labels and confidences."""
    rng = np.random.default_rng(SEED)
    fold_of = rng.permutation(len(ours)) % FOLDS
    confidence = np.zeros(len(ours))
    places: dict[str, list[tuple[int, bool, bool]]] = {}
    for fold in range(FOLDS):
        train = [case for case, place in zip(ours, fold_of, strict=True) if place != fold]
        sentence, answer = _fit([*train, *squad])
        for index in map(int, np.flatnonzero(fold_of == fold)):
            case = ours[index]
            scores = sentence.probability(case.rows)
            confidence[index] = _confidence(case, sentence, answer)
            if case.answerable:
                ranked = case.labels[np.argsort(-scores, kind="stable")]
                by_span = case.labels[int(np.argmax(case.rows[:, SENTENCE_FEATURES.index("span")]))] > 0
                first = int(np.argmax(ranked > 0))
                places.setdefault(case.source, []).append((first, bool(by_span), True))
    for source, found in places.items():
        ranks = np.array([first for first, _, _ in found])
        spans = np.mean([by_span for _, by_span, _ in found])
        print(
            f"{source}: {len(found)} answered by the passages; gold sentence first {np.mean(ranks == 0):.3f}, "
            f"in first three {np.mean(ranks < 3):.3f}; by the network's span alone {spans:.3f}"
        )
    known = np.array([case.answerable for case in ours])
    for source in dict.fromkeys(case.source for case in ours):
        own = np.array([case.source == source for case in ours])
        print(f"{source}: answerable or not, AUC {roc_auc_score(known[own], confidence[own]):.3f} of {own.sum()}")
    print(f"all of ours: AUC {roc_auc_score(known, confidence):.3f}")
    return known, confidence


def _confidence(case: Case, sentence: Weights, answer: Weights) -> float:
    scores = sentence.probability(case.rows)
    features = answer_features(case.candidates, case.rows, scores, case.idf)
    return float(answer.probability(features[None, :])[0])


def _fit(cases: Sequence[Case]) -> tuple[Weights, Weights]:
    positive = [case for case in cases if case.answerable]
    rows = np.concatenate([case.rows for case in positive])
    labels = np.concatenate([case.labels for case in positive])
    weights = np.concatenate([np.full(len(case.labels), case.weight) for case in positive])
    sentence = _logistic(rows, labels, weights, SENTENCE_FEATURES, strength=0.1)
    answers = np.array([answer_features(c.candidates, c.rows, sentence.probability(c.rows), c.idf) for c in cases])
    known = np.array([float(case.answerable) for case in cases])
    answer = _logistic(answers, known, np.array([case.weight for case in cases]), ANSWER_FEATURES, strength=0.5)
    return sentence, answer


def _logistic(
    rows: np.ndarray, labels: np.ndarray, weights: np.ndarray, names: tuple[str, ...], *, strength: float
) -> Weights:
    """Fit on standardised features and fold the scaling back into the weights."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    deviation[deviation < 1e-9] = 1.0
    model = LogisticRegression(C=strength, max_iter=2000).fit((rows - mean) / deviation, labels, sample_weight=weights)
    scaled = model.coef_[0] / deviation
    return Weights(names, tuple(float(w) for w in scaled), float(model.intercept_[0] - scaled @ mean))


def _threshold(known: np.ndarray, confidence: np.ndarray) -> float:
    """Return the threshold of the best F1 of abstention that refuses at most OVER_REFUSAL of the answerable."""
    best, highest = 0.0, -1.0
    for threshold in np.arange(0.05, 0.95, 0.01):
        abstained = confidence < threshold
        right = float((abstained & ~known).sum())
        precision = right / max(1.0, float(abstained.sum()))
        recall = right / max(1.0, float((~known).sum()))
        refused = float((abstained & known).sum()) / float(known.sum())
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        if refused <= OVER_REFUSAL and f1 >= highest:
            best, highest = float(threshold), f1
        if round(threshold * 100) % 5 == 0:
            print(f"  below {threshold:.2f}: precision {precision:.3f}, recall {recall:.3f}, refused {refused:.3f}")
    print(f"  chosen: {best:.2f} with F1 {highest:.3f}")
    return best


def _diagram(known: np.ndarray, confidence: np.ndarray, bins: int = 5) -> str:
    """Return the reliability diagram: share answerable over mean confidence, in bins of equal count, as SVG."""
    order = np.argsort(confidence)
    points = [
        (float(confidence[part].mean()), float(known[part].mean()), len(part)) for part in np.array_split(order, bins)
    ]
    print("  reliability: " + ", ".join(f"{x:.2f} said, {y:.2f} so ({n})" for x, y, n in points))
    side, edge = 300, 40
    whole, middle = side + 2 * edge, side / 2 + edge
    places = [(edge + x * side, edge + (1 - y) * side) for x, y, _ in points]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}" font-family="sans-serif">',
        f'<rect width="{whole}" height="{whole}" fill="#fff"/>',
        f'<rect x="{edge}" y="{edge}" width="{side}" height="{side}" fill="none" stroke="#888"/>',
        f'<line x1="{edge}" y1="{edge + side}" x2="{edge + side}" y2="{edge}" stroke="#bbb" stroke-dasharray="4"/>',
        f'<polyline points="{line}" fill="none" stroke="#a33"/>',
        *(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5" fill="#a33"/>' for x, y in places),
        f'<g font-size="12" text-anchor="middle"><text x="{middle}" y="{whole - 12}">mean confidence</text>',
        f'<text x="14" y="{middle}" transform="rotate(-90 14 {middle})">share answerable</text>',
        f'<text x="{middle}" y="{edge - 8}">{len(known)} dev questions, cross-validated; axes 0 to 1</text></g></svg>',
    ]
    return "\n".join(parts) + "\n"


def _as_json(weights: Weights) -> dict[str, Any]:
    named = {name: round(value, 5) for name, value in zip(weights.features, weights.weights, strict=True)}
    return {"weights": named, "bias": round(weights.bias, 5)}


if __name__ == "__main__":
    main()
