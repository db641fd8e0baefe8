"""Measure the ways to run the reader's network: torch in single precision and bfloat16, our encoder on onnxruntime.

    python -m training.runtimes --data ../shared/data

Prints, over the same questions with 8 paragraphs each, in rounds that alternate: the median time as a ratio to torch in
single precision, and how often the best span is the same as there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from rag.packaged import load_tokenizer
from rag.span_model import WEIGHTS, Encoded, TokenClassifier, encode, header_of, padded_batch, shipped_weights
from rag.spans import best_span
from rag.torch_network import load_shipped, pad
from training.precision import autocast, has_bfloat16
from training.prepare import held_out_groups
from training.sets import paragraph_sets

SEED = 5
QUESTIONS = 20
PASSAGES = 8
ROUNDS = 4  # the first is left out of the times
Run = Callable[[Sequence[Encoded]], np.ndarray]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with reader/ and train/")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    batches = _batches(options.data)
    network = load_shipped(WEIGHTS)
    encoder = TokenClassifier(shipped_weights(WEIGHTS), threads=options.threads)
    runs: dict[str, Run] = {
        "torch": lambda batch: _with_torch(network, batch),
        **({"torch, bfloat16": lambda batch: _in_bfloat16(network, batch)} if has_bfloat16() else {}),
        "our encoder": lambda batch: encoder(*padded_batch(batch)),
    }
    took: dict[str, list[float]] = {name: [] for name in runs}
    spans: dict[str, list[tuple[int, int]]] = {name: [] for name in runs}
    for round_ in range(ROUNDS):
        for batch in batches:
            for name, run in runs.items():
                began = time.perf_counter()
                logits = run(batch)
                took[name].append(time.perf_counter() - began)
                if round_ == 0:
                    found = [best_span(item, rows[: len(item.ids)]) for item, rows in zip(batch, logits, strict=True)]
                    spans[name] += [(span.start, span.end) for span in found]
    base = next(iter(runs))
    for name in runs:
        later = np.array(took[name][len(batches) :]) / np.array(took[base][len(batches) :])
        same = np.mean([one == other for one, other in zip(spans[name], spans[base], strict=True)])
        print(f"{name}: {np.median(later):.2f} of the time of {base}; same best span {same:.3f}")
    print(f"{base}: {1000 * np.median(took[base][len(batches) :]):.0f} ms for {PASSAGES} passages")


def _batches(data: Path) -> list[list[Encoded]]:
    examples = list(paragraph_sets(data))
    held = held_out_groups(examples)
    own = [e for e in examples if (e.source, e.group) in held and e.source == "squad2"]
    rng = np.random.default_rng(SEED)
    tokenizer = load_tokenizer()
    batches = []
    for index in rng.permutation(len(own))[:QUESTIONS]:
        passages = [own[other] for other in rng.permutation(len(own))[: PASSAGES - 1]]
        batches.append(
            encode(
                tokenizer, [(own[index].question, header_of(e.title, None), e.text) for e in [own[index], *passages]]
            )
        )
    return batches


def _with_torch(network: torch.nn.Module, batch: Sequence[Encoded]) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(network(*pad(batch)).float().numpy())


def _in_bfloat16(network: torch.nn.Module, batch: Sequence[Encoded]) -> np.ndarray:
    with autocast():
        return _with_torch(network, batch)


if __name__ == "__main__":
    main()
