"""Measure the ways to run the reader's network: torch in full and bfloat16, onnxruntime in full and 8 bit.

    pip install onnx onnxscript      # for this measurement only
    python -m training.runtimes --data ../shared/data

Prints, over the same questions with 8 paragraphs each, in rounds that alternate: the median time as a ratio to torch in
single precision, and how often the best span is the same as there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from rag.span_model import Encoded, encode, header_of, load_tokenizer, pad, shipped_network
from rag.spans import best_span
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
    with tempfile.TemporaryDirectory() as folder:
        whole, small = _exported(Path(folder), batches[0])
        runs: dict[str, Run] = {
            "torch, single precision": _with_torch,
            **({"torch, bfloat16": _in_bfloat16} if has_bfloat16() else {}),
            "onnxruntime, single precision": _with_onnxruntime(whole, options.threads),
            "onnxruntime, 8 bit": _with_onnxruntime(small, options.threads),
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
                        found = [
                            best_span(item, rows[: len(item.ids)]) for item, rows in zip(batch, logits, strict=True)
                        ]
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


def _with_torch(batch: Sequence[Encoded]) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(shipped_network().module(*pad(batch)).float().numpy())


def _in_bfloat16(batch: Sequence[Encoded]) -> np.ndarray:
    with autocast():
        return _with_torch(batch)


def _exported(folder: Path, batch: Sequence[Encoded]) -> tuple[Path, Path]:
    from onnxruntime.quantization import quantize_dynamic

    whole, small = folder / "whole.onnx", folder / "small.onnx"
    shape = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    torch.onnx.export(
        shipped_network().module, pad(batch), whole,
        input_names=["ids", "types", "mask"], output_names=["logits"], dynamic_shapes=(shape, shape, shape),
        external_data=False,
    )  # fmt: skip
    quantize_dynamic(whole, small)
    print(f"onnx: {whole.stat().st_size / 1e6:.0f} MB, in 8 bit {small.stat().st_size / 1e6:.0f} MB", flush=True)
    return whole, small


def _with_onnxruntime(path: Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(batch: Sequence[Encoded]) -> np.ndarray:
        names = ("ids", "types", "mask")
        inputs = {name: tensor.numpy() for name, tensor in zip(names, pad(batch), strict=True)}
        return np.asarray(session.run(["logits"], inputs)[0])

    return run


if __name__ == "__main__":
    main()
