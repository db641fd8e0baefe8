"""Fit the built-in reader's two logistic models and its threshold on development questions.

    python -m training.fit_reader [--squad FILE.json ...] [--write]

Uses the sample archive's `dev` questions and, with --squad, questions of files in SQuAD format, whose
paragraphs become an archive of their own. Prints cross-validated figures on `dev` (folds over questions);
--write replaces rag/data/reader.json. `test` questions are never read.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from eval.datasets import EvalQuestion, load_questions
from eval.metrics.answers import contains_gold
from eval.sample import QUESTIONS, sample_articles
from ingest.indexer import index_articles
from rag.dialogue import standalone_question
from rag.evidence import EvidenceSentence, candidate_sentences
from rag.features import ANSWER_FEATURES, SENTENCE_FEATURES, answer_features, sentence_features, word_weights
from rag.reader import Weights
from rag.retriever import HybridRetriever
from rag.schema import Article, RetrievedPassage
from rag.settings import load_settings
from rag.store import Store, opened
from rag.timeframe import window_of

OUTPUT = Path(__file__).parent.parent / "rag" / "data" / "reader.json"
SEED = 7
FOLDS = 5
OVER_REFUSAL = 0.1
SQUAD_QUESTIONS = 300  # of each file
NOW = datetime(2025, 9, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Case:
    """One question over its passages: sentence features and labels; `answerable` from these passages."""

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
    parser.add_argument(
        "--squad", type=Path, nargs="*", default=[], help="file in SQuAD format, used beside the dev questions"
    )
    parser.add_argument("--cache", type=Path, help="keep the features of --squad here: they take minutes")
    parser.add_argument("--write", action="store_true", help=f"replace {OUTPUT.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder) / "sample")
        with opened(settings) as store:
            index_articles(sample_articles(), store, passage_tokens=settings.passage_tokens)
            dev = [_dev_case(question, store, settings.k) for question in load_questions(QUESTIONS, split="dev")]
            extra: list[Case] = []
            if options.cache and options.cache.exists():
                extra = pickle.loads(options.cache.read_bytes())  # noqa: S301  # our own file
                options.squad = []
            for number, path in enumerate(options.squad):
                with opened(load_settings(home=Path(folder) / f"squad{number}")) as squad:
                    extra += _squad_cases(path, squad, settings.k, settings.passage_tokens)
            if options.cache and options.squad:
                options.cache.write_bytes(pickle.dumps(extra))
            fitted = _evaluate_and_fit(dev, extra)
    if options.write:
        OUTPUT.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {OUTPUT.name}")


def _dev_case(question: EvalQuestion, store: Store, k: int) -> Case:
    text = standalone_question(question.question, question.turns)
    retriever = HybridRetriever(store, k=k, candidates=50)
    also = [question.question] if text != question.question else []
    window = window_of(question.question, question.now or NOW)
    found = retriever.retrieve(text, window=window, also=also)
    if window is not None and not any(_holds(question, item, store) for item in found):
        found = retriever.retrieve(text, also=also)
    candidates = candidate_sentences(found)
    labels = np.array([_is_gold(question, candidate, store) for candidate in candidates], dtype=float)
    return _case(text, candidates, labels, store, weight=1.0)


def _holds(question: EvalQuestion, item: RetrievedPassage, store: Store) -> bool:
    return any(_is_gold(question, candidate, store) for candidate in candidate_sentences([item]))


def _is_gold(question: EvalQuestion, candidate: EvidenceSentence, store: Store) -> bool:
    """A sentence of the gold quote, or of a copy of it, that holds one of the answers."""
    if not any(contains_gold(candidate.text, [group]) for group in question.answers):
        return False
    stories = store.archive.story_cards([evidence.article_id for evidence in question.evidence])
    near = {stories[evidence.article_id].story_id for evidence in question.evidence if evidence.article_id in stories}
    return candidate.found.story_id in near and any(
        candidate.text in evidence.quote or evidence.quote in candidate.text or _alike(candidate.text, evidence.quote)
        for evidence in question.evidence
    )


def _alike(one: str, other: str) -> bool:
    first, second = set(one.lower().split()), set(other.lower().split())
    return len(first & second) >= 0.6 * min(len(first), len(second))


def _squad_cases(path: Path, store: Store, k: int, passage_tokens: int) -> list[Case]:
    """Each question once with the passages found and once with its own paragraph's passages taken out."""
    rng = np.random.default_rng(SEED)
    articles, questions = [], []
    for document in json.loads(path.read_text(encoding="utf-8"))["data"][1::2]:  # half of it is enough
        for number, paragraph in enumerate(document["paragraphs"]):
            id_ = f"{document['title']}-{number}"
            articles.append(
                Article(id=id_, version="1", title=document["title"].replace("_", " "), text=paragraph["context"])
            )
            questions += [(id_, qa["question"], (qa["answers"] or [{}])[0]) for qa in paragraph["qas"]]
    chosen = [questions[index] for index in rng.permutation(len(questions))[:SQUAD_QUESTIONS]]
    wanted = {id_ for id_, _, _ in chosen}
    index_articles([a for a in articles if a.id in wanted], store, passage_tokens=passage_tokens)
    retriever = HybridRetriever(store, k=k + 4, candidates=50)
    cases = []
    for id_, question, answer in chosen:
        found = retriever.retrieve(question)
        without = [item for item in found if item.passage.article_id != id_]
        for passages in (found[:k], without[:k]) if answer else (found[:k],):
            candidates = candidate_sentences(passages)
            labels = np.array([_spans(candidate, id_, answer) for candidate in candidates], dtype=float)
            if len(candidates):
                cases.append(_case(question, candidates, labels, store, weight=0.1))
    return cases


def _spans(candidate: EvidenceSentence, article_id: str, answer: dict[str, Any]) -> bool:
    if not answer:
        return False
    start = int(answer["answer_start"])
    return candidate.found.passage.article_id == article_id and candidate.start <= start < candidate.end


def _case(question: str, candidates: list[EvidenceSentence], labels: np.ndarray, store: Store, weight: float) -> Case:
    idf = word_weights(question, store.archive)
    rows = sentence_features(question, candidates, embedder=store.embeddings, idf=idf)
    return Case(question, candidates, rows, labels, bool(labels.any()), weight, idf)


def _evaluate_and_fit(dev: Sequence[Case], extra: Sequence[Case]) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    fold_of = rng.permutation(len(dev)) % FOLDS
    top1 = top3 = similar = 0
    confidence = np.zeros(len(dev))
    for fold in range(FOLDS):
        train = [case for case, place in zip(dev, fold_of, strict=True) if place != fold]
        sentence, answer = _fit([*train, *extra])
        for index in map(int, np.flatnonzero(fold_of == fold)):
            case = dev[index]
            scores = sentence.probability(case.rows)
            confidence[index] = _confidence(case, sentence, answer)
            if case.answerable:
                order = np.argsort(-scores, kind="stable")
                top1 += int(case.labels[order[0]] > 0)
                top3 += int(case.labels[order[:3]].any())
                similar += int(case.labels[int(np.argmax(case.rows[:, 0]))] > 0)
    known = np.array([case.answerable for case in dev])
    n = int(known.sum())
    print(f"dev: {len(dev)} questions, {n} with the answer among the passages found")
    print(
        f"  gold sentence first {top1 / n:.3f}, in first three {top3 / n:.3f}; most similar sentence {similar / n:.3f}"
    )
    print(f"  answerable or not, AUC {roc_auc_score(known, confidence):.3f}")
    threshold = _threshold(known, confidence)
    sentence, answer = _fit([*dev, *extra])
    return {
        "made_by": "python -m training.fit_reader",
        "sentence": _as_json(sentence),
        "answer": _as_json(answer),
        "abstain_below": round(threshold, 3),
    }


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
    """Return the highest threshold that refuses at most OVER_REFUSAL of the answerable, and print the curve.

    Not the best F1: near it, eight in ten of the unanswerable `dev` questions that name the right people are
    answered with something beside the point, which is worse for a reader than one refusal in ten too many.
    """
    best = 0.0
    for threshold in np.arange(0.05, 0.95, 0.01):
        abstained = confidence < threshold
        right = float((abstained & ~known).sum())
        precision = right / max(1.0, float(abstained.sum()))
        recall = right / max(1.0, float((~known).sum()))
        refused = float((abstained & known).sum()) / float(known.sum())
        if refused <= OVER_REFUSAL:
            best = float(threshold)
        if round(threshold * 100) % 5 == 0:
            print(f"  below {threshold:.2f}: precision {precision:.3f}, recall {recall:.3f}, refused {refused:.3f}")
    print(f"  chosen: {best:.2f}")
    return best


def _as_json(weights: Weights) -> dict[str, Any]:
    named = {name: round(value, 5) for name, value in zip(weights.features, weights.weights, strict=True)}
    return {"weights": named, "bias": round(weights.bias, 5)}


if __name__ == "__main__":
    main()
