"""Measure how passages should be cut: size and overlap, by what the search finds for our `dev` questions.

    python -m bench.passages --data ../shared/data

Archives: the sample (its questions and those that describe instead of naming) and Wikinews. For each way of cutting:
for how many of the questions that have an answer does the sentence with the answer stand in the first 1, 4 and 8
passages, the mean reciprocal rank of its passage, and the words that 8 passages hold, which is what reading costs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np

from eval.datasets import EvalQuestion
from eval.metrics.answers import contains_gold
from ingest import indexer, passages
from rag.dialogue import standalone_question
from rag.retriever import HybridRetriever
from rag.schema import Article, Passage, RetrievedPassage
from training.archives import our_questions

WAYS = [*((size, 1) for size in (64, 96, 128, 192, 240)), (128, 0), (128, 2)]  # tokens, sentences of overlap
K = 8


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with archive/")
    options = parser.parse_args()
    for size, overlap in WAYS:
        ranks, words = _measured(options.data, size, overlap)
        places = np.array(ranks)
        found = {f"in {k}": round(float(np.mean(places <= k)), 3) for k in (1, 4, K)}
        print(
            f"{size} tokens, overlap {overlap}: {found}, mean reciprocal rank {np.mean(1 / places):.3f}, "
            f"{np.mean(words):.0f} words in {K} passages ({len(places)} questions)",
            flush=True,
        )


def _measured(data: Path, size: int, overlap: int) -> tuple[list[float], list[int]]:
    """Return the rank of the first passage with the answering sentence, infinite if none has it, and words read."""

    def cut(article: Article, *, max_tokens: int, count_tokens: Callable[[str], int]) -> list[Passage]:
        del max_tokens
        return passages.split(article, max_tokens=size, count_tokens=count_tokens, overlap=overlap)

    ranks, words = [], []
    with mock.patch.object(indexer, "split", cut):
        for _, store, questions in our_questions(data, split="dev"):
            retriever = HybridRetriever(store, k=K, candidates=50)
            for question in questions:
                if question.answerable:
                    found = retriever.retrieve(standalone_question(question.question, question.turns))
                    ranks.append(next((float(item.rank) for item in found if _answers(item, question)), np.inf))
                    words.append(sum(len(item.passage.text.split()) for item in found))
    return ranks, words


def _answers(item: RetrievedPassage, question: EvalQuestion) -> bool:
    """Tell whether the passage holds a gold quote, or the most of one, with an answer."""
    text = item.passage.text
    held = any(evidence.quote in text or text in evidence.quote for evidence in question.evidence)
    return held and any(contains_gold(text, [group]) for group in question.answers)


if __name__ == "__main__":
    main()
