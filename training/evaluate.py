"""Measure the shipped reader on held-out articles of public sets and on MultiHop-RAG.

    python -m training.evaluate --data ../shared/data [--only retrieval spans multihop rerank speed]

retrieval  an archive of all new-Wikipedia paragraphs of SQuADShifts, 8 passages found for each question of the held-out
           articles: does the first sentence hold a gold answer; beside it the sentence most similar to the question.
           Each question once more with its own paragraph taken out of the archive, and with its whole document:
           AUC of answerable or not. All that also by the network's best span alone
spans      token F1 of the best span in the gold paragraph; SQuAD 2: answerable or not from the gold paragraph
multihop   null questions refused; single-fact inference questions that are refused
rerank     the place of the gold passage on our dev questions: fusion alone, by the reader's best span, both fused
speed      reading 8 passages, loading, memory
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from eval.metrics.answers import contains_gold, token_f1
from ingest.passages import split
from rag.chain import AnswerChain
from rag.dialogue import standalone_question
from rag.evidence import candidate_sentences
from rag.packaged import load_tokenizer
from rag.reader import read
from rag.retriever import RRF_CONSTANT, HybridRetriever
from rag.schema import Article, Query, RetrievedPassage
from rag.settings import load_settings
from rag.span_model import header_of, shipped_network
from rag.spans import best_span
from rag.store import Store
from training.archives import SquadQuestion, archive_of, multihop, our_questions, squad_archive
from training.prepare import held_out_groups
from training.sets import Example, paragraph_sets

SEED = 11
QUESTIONS = 400  # of the held-out ones, drawn by the seed
K = 8
CANDIDATES = 50
NOTHING = -30.0  # log-odds of an answer where nothing was found
DEPTH = 16  # passages put into a new order
_Item = TypeVar("_Item")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with reader/, train/ and archive/")
    parts: dict[str, Callable[[Path], None]] = {
        "speed": _speed, "spans": _spans, "retrieval": _retrieval, "multihop": _multihop, "rerank": _rerank,
    }  # fmt: skip
    parser.add_argument("--only", nargs="*", choices=list(parts), default=list(parts))
    options = parser.parse_args()
    for name in options.only:
        print(f"-- {name}", flush=True)
        parts[name](options.data)


def _drawn(items: Sequence[_Item], most: int) -> list[_Item]:
    return [items[index] for index in np.random.default_rng(SEED).permutation(len(items))[:most]]


# -- retrieval and reading -----------------------------------------------------------------------------


def _retrieval(data: Path) -> None:
    with squad_archive(data, ("squadshifts-wiki",)) as (store, questions):
        retriever = HybridRetriever(store, k=CANDIDATES, candidates=CANDIDATES)
        rows = [_answered(question, retriever, store) for question in _drawn(questions, QUESTIONS)]
    mean = {name: np.mean([row[name] for row in rows]) for name in rows[0]}
    print(f"{len(rows)} questions; a gold answer stands in the {K} passages for {mean['held']:.3f}")
    print(
        f"the first sentence holds a gold answer: {mean['first']:.3f}; by the best span alone: "
        f"{mean['first by span']:.3f}; the most similar sentence: {mean['similar']:.3f}"
    )
    labels = np.repeat([1, 0], len(rows))
    for by in ("confidence", "span"):
        found = [row[by] for row in rows]
        for missing in ("paragraph", "document"):
            auc = roc_auc_score(labels, [*found, *(row[f"{by} without {missing}"] for row in rows)])
            print(f"answerable or not, by {by}, {missing} taken out: AUC {auc:.3f}")


def _answered(question: SquadQuestion, retriever: HybridRetriever, store: Store) -> dict[str, float]:
    found = retriever.retrieve(question.text)
    values: dict[str, float] = {}
    for case, missing in (
        ("", frozenset[str]()),
        (" without paragraph", {question.article_id}),
        (" without document", question.document),
    ):
        passages = [item for item in found if item.passage.article_id not in missing][:K]
        reading = read(question.text, passages, network=shipped_network(), counts=store.archive.full_text)
        spans = [(s.answer.score, s.text) for s in reading.sentences if s.answer is not None]
        score, text = max(spans, default=(NOTHING, ""))
        values[f"confidence{case}"] = reading.confidence
        values[f"span{case}"] = score
        if not missing:
            values["held"] = any(_holds(item.passage.text, question) for item in passages)
            values["first"] = _holds(reading.sentences[0].text, question)
            values["first by span"] = _holds(text, question)
            values["similar"] = _holds(_most_similar(question.text, passages, store), question)
    return values


def _holds(text: str, question: SquadQuestion) -> bool:
    return bool(contains_gold(text, [question.golds]))


def _most_similar(question: str, found: Sequence[RetrievedPassage], store: Store) -> str:
    texts = [candidate.text for candidate in candidate_sentences(found)]
    return texts[int(np.argmax(store.embeddings.embed(texts) @ store.embeddings.embed([question], query=True)[0]))]


# -- spans in the gold paragraph -----------------------------------------------------------------------


def _spans(data: Path) -> None:
    examples = list(paragraph_sets(data))
    held = held_out_groups(examples)
    tokenizer = load_tokenizer()

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    for source in ("squadshifts-wiki", "squadshifts-amazon", "squadshifts-reddit", "squad1", "squad2"):
        own = [example for example in examples if example.source == source and (source, example.group) in held]
        drawn = _drawn(own, QUESTIONS if source != "squad2" else 2 * QUESTIONS)
        read_ = [_best_answer(example, count) for example in drawn]
        f1 = [token_f1(text, e.golds) or 0.0 for (text, _), e in zip(read_, drawn, strict=True) if e.span]
        print(f"{source}: span F1 {np.mean(f1):.3f} of {len(f1)} answerable")
        if source == "squad2":
            known = np.array([example.span is not None for example in drawn])
            scores = np.array([score for _, score in read_])
            half = np.arange(len(scores)) % 2 == 0
            cuts = np.quantile(scores[half], np.linspace(0.02, 0.98, 49))
            cut = max(cuts, key=lambda c: balanced_accuracy_score(known[half], scores[half] >= c))
            print(
                f"squad2: answerable or not, AUC {roc_auc_score(known, scores):.3f}; balanced accuracy at log-odds 0 "
                f"{balanced_accuracy_score(known, scores >= 0):.3f}; at the best cut of one half ({cut:.2f}), on the "
                f"other {balanced_accuracy_score(known[~half], scores[~half] >= cut):.3f}"
            )


def _best_answer(example: Example, count: Callable[[str], int]) -> tuple[str, float]:
    """Return the best span over the paragraph's passages, cut as the product cuts, and its log-odds."""
    article = Article(id="", version="", title=example.title or "-", text=example.text)
    texts = [passage.text for passage in split(article, max_tokens=128, count_tokens=count)]
    found = shipped_network().read([(example.question, header_of(example.title, None), text) for text in texts])
    spans = [best_span(encoded, logits) for encoded, logits in found]
    best = max(range(len(spans)), key=lambda index: spans[index].score)
    return texts[best][spans[best].start : spans[best].end], spans[best].score


# -- MultiHop-RAG --------------------------------------------------------------------------------------


def _multihop(data: Path) -> None:
    articles, questions = multihop(data)
    with archive_of(articles) as store:
        chain = AnswerChain(store, load_settings())
        null = [q for q in questions if q["type"] == "null_query"]
        single = [q for q in questions if q["type"] == "inference_query"]
        refused = [chain.invoke(Query(str(q["question"]))).status == "abstained" for q in null]
        print(f"null questions refused: {np.mean(refused):.3f} of {len(refused)}")
        held, wrong, right = 0, 0, 0
        for question in single:
            gold = [[str(question["answer"])]]
            answer = chain.invoke(Query(str(question["question"])))
            if any(contains_gold(item.passage.text, gold) for item in answer.retrieved):
                held += 1
                wrong += answer.status == "abstained"
                right += bool(contains_gold(answer.text, gold)) and answer.status != "abstained"
        print(
            f"inference questions: {len(single)}; answer in one retrieved passage: {held}; of these refused "
            f"{wrong / held:.3f}, answer shown {right / held:.3f}"
        )


# -- reranking -----------------------------------------------------------------------------------------


def _rerank(data: Path) -> None:
    for name, store, questions in our_questions(data, split="dev"):
        retriever = HybridRetriever(store, k=DEPTH, candidates=50)
        places: dict[str, list[int]] = {"fusion": [], "reader": [], "both": []}
        for question in questions:
            quotes = [evidence.quote for evidence in question.evidence]
            found = retriever.retrieve(standalone_question(question.question, question.turns))
            gold = [any(q in item.passage.text or item.passage.text in q for q in quotes) for item in found]
            if any(gold):
                for order, ranks in _orders(question.question, found).items():
                    places[order].append(min(rank for rank, own in zip(ranks, gold, strict=True) if own))
        for order, ranks in places.items():
            values = np.array(ranks)
            print(
                f"{name}, {order}: of {len(values)} first {np.mean(values == 1):.3f}, "
                f"in {K} {np.mean(values <= K):.3f}, mean reciprocal rank {np.mean(1 / values):.3f}"
            )


def _orders(question: str, found: Sequence[RetrievedPassage]) -> dict[str, list[int]]:
    """Return the 1-based places of the passages by each way of ordering them."""
    triples = [(question, header_of(i.passage.title, i.passage.published_at), i.passage.text) for i in found]
    spans = np.array([best_span(encoded, logits).score for encoded, logits in shipped_network().read(triples)])
    fusion = np.arange(1, len(found) + 1)
    reader = _places(-spans)
    return {
        "fusion": fusion.tolist(),
        "reader": reader.tolist(),
        "both": _places(-(1 / (RRF_CONSTANT + fusion) + 1 / (RRF_CONSTANT + reader))).tolist(),
    }


def _places(keys: np.ndarray) -> np.ndarray:
    places = np.empty(len(keys), dtype=int)
    places[np.argsort(keys, kind="stable")] = np.arange(1, len(keys) + 1)
    return places


# -- speed ---------------------------------------------------------------------------------------------


def _speed(data: Path) -> None:
    with squad_archive(data, ("squad2",)) as (store, questions):
        retriever = HybridRetriever(store, k=K, candidates=50)
        drawn = _drawn(questions, 60)
        found = [retriever.retrieve(question.text) for question in drawn]
        before, began = _memory(), time.perf_counter()
        network = shipped_network()
        print(f"loaded in {time.perf_counter() - began:.2f} s")
        took = []
        for question, passages in zip(drawn, found, strict=True):
            began = time.perf_counter()
            read(question.text, passages, network=network, counts=store.archive.full_text)
            took.append((time.perf_counter() - began) * 1000)
        p50, p95 = np.percentile(took[5:], [50, 95])
        print(f"reading {K} passages: p50 {p50:.0f} ms, p95 {p95:.0f} ms; {_memory() - before:.0f} MB more at the peak")


def _memory() -> float:
    """Return the peak resident memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
