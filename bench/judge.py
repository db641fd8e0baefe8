"""Measure the verifier on human labels: WiCE and SummEdits, the half of their documents that nothing was set on.

    python -m bench.judge --data ../shared/data [--verifier rules] [--sample N]

A claim of several sentences counts as supported if each of its sentences does, as in an answer. Beside it stand three
trivial judges: everything is supported (balanced accuracy 0.5 by definition), the share of the claim's content words
that the document holds, and the likeness of the claim to the nearest sentence of the document; the bounds of the last
two are those that are best on the other half. Intervals are 95 % bootstrap intervals over documents.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from rag.embeddings import SentenceEmbeddings
from rag.sentences import sentences
from rag.settings import load_settings
from rag.verifier import Verifier, verifier_of
from rag.words import content_stems, stem, tokens
from training.claim_sets import Pair, judged
from training.claims import is_held_out

SEED, RESAMPLES = 23, 1000
MOST_SENTENCES = 60
Judge = Callable[[Pair], float]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--verifier", default=None, help="as in PRESSMARK_VERIFIER")
    parser.add_argument("--sample", type=int, help="pairs of each set, drawn at random")
    options = parser.parse_args()
    settings = load_settings(verifier=options.verifier)
    verifier = verifier_of(settings)
    embeddings = SentenceEmbeddings.packaged(settings)
    trivial: dict[str, Judge] = {"word overlap": overlap, "likeness": Likeness(embeddings)}
    by_set: dict[str, list[Pair]] = defaultdict(list)
    for pair in judged(options.data):
        by_set[pair.source].append(pair)
    for source, pairs in by_set.items():
        random.Random(SEED).shuffle(pairs)
        held = [pair for pair in pairs if is_held_out(pair)][: options.sample]
        other = [pair for pair in pairs if not is_held_out(pair)][: options.sample]
        print(f"{source}: {len(held)} claims, {np.mean(labels(held)):.2f} of them supported")
        for name, judge in trivial.items():
            bound = best_bound([judge(pair) for pair in other], labels(other))
            _report(name, held, [judge(pair) for pair in held], bound)
        began = time.perf_counter()
        verdicts, scores, count = _verified(verifier, held)
        seconds = time.perf_counter() - began
        _report(verifier.name, held, verdicts, 0.5)
        area, each = roc_auc_score(labels(held), scores), 1000 * seconds / count
        print(f"    AUC of its score {area:.3f}; {each:.1f} ms a sentence")


def labels(pairs: Sequence[Pair]) -> np.ndarray:
    """Return whether each is supported."""
    return np.array([pair.label == "supported" for pair in pairs])


def overlap(pair: Pair) -> float:
    """Return the share of the claim's content words that the document holds."""
    held, wanted = {stem(word) for word in tokens(pair.text)}, content_stems(pair.claim)
    return sum(word in held for word in wanted) / max(1, len(wanted))


class Likeness:
    """The greatest cosine of the claim with one of the document's first sentences."""

    def __init__(self, embeddings: SentenceEmbeddings) -> None:
        self._embeddings = embeddings
        self._documents: dict[str, np.ndarray] = {}  # many claims are about the same one

    def __call__(self, pair: Pair) -> float:
        """Return it for one pair."""
        if pair.text not in self._documents:
            self._documents[pair.text] = self._embeddings.embed(sentences(pair.text)[:MOST_SENTENCES] or [""])
        return float((self._documents[pair.text] @ self._embeddings.embed([pair.claim])[0]).max())


def best_bound(scores: Sequence[float], right: np.ndarray) -> float:
    """Return the bound from which "supported" gives the best balanced accuracy."""
    tried = np.quantile(scores, np.linspace(0, 1, 101))
    return float(max(tried, key=lambda bound: balanced_accuracy_score(right, np.array(scores) >= bound)))


def _verified(verifier: Verifier, pairs: Sequence[Pair]) -> tuple[list[float], list[float], int]:
    verdicts, scores, count = [], [], 0
    for pair in pairs:
        checks = [verifier.verify(sentence, [pair.text]) for sentence in sentences(pair.claim)]
        count += len(checks)
        verdicts.append(float(all(check.verdict == "supported" for check in checks)))
        scores.append(min(check.score for check in checks))
    return verdicts, scores, count


def _report(name: str, pairs: Sequence[Pair], scores: Sequence[float], bound: float) -> None:
    said, right = np.array(scores) >= bound, labels(pairs)
    places: dict[str, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        places[pair.group].append(place)
    groups, rng = list(places.values()), random.Random(SEED)
    drawn = []
    for _ in range(RESAMPLES):
        chosen = [place for group in rng.choices(groups, k=len(groups)) for place in group]
        if 0 < right[chosen].sum() < len(chosen):
            drawn.append(balanced_accuracy_score(right[chosen], said[chosen]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    whole = balanced_accuracy_score(right, said)
    print(
        f"  {name}: balanced accuracy {whole:.3f} [{low:.3f}, {high:.3f}]; "
        f"unsupported found {1 - said[~right].mean():.3f}, supported passed {said[right].mean():.3f}"
    )


if __name__ == "__main__":
    main()
