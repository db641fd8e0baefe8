"""Measure what a busy neighbour does to a question: embedding it alone, then beside a process that keeps a core busy.

    python -m bench.neighbour

By our encoder with the settings of the product (two threads that sleep while they wait), with threads that spin, and by
sentence-transformers as torch is when it is left alone. 60 questions each, in rounds that alternate; milliseconds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from eval.datasets import load_questions
from eval.sample import QUESTIONS

ROUNDS, ASKED = 3, 20
_BUSY = "while True: pass"
_CHILD = "child"
_KINDS = ("the product", "spinning threads", "torch, left alone")


def main() -> None:
    """Run the command."""
    if sys.argv[1:2] == [_CHILD]:
        _measure(sys.argv[2])
        return
    took: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for neighbours in (0, 1):
            busy = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(neighbours)]
            try:
                for kind in _KINDS:
                    command = [sys.executable, "-m", "bench.neighbour", _CHILD, kind]
                    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                    took.setdefault((kind, neighbours), []).extend(map(float, found.split()))
            finally:
                for process in busy:
                    process.kill()
                    process.wait()
    for (kind, neighbours), values in sorted(took.items()):
        p50, p95 = np.percentile(values, [50, 95])
        print(f"{kind}, {neighbours} busy beside: p50 {p50:.1f}, p95 {p95:.1f} ms")


def _measure(kind: str) -> None:
    embed = _embedder(kind)
    for number, question in enumerate(load_questions(QUESTIONS, split="dev")[: ASKED + 3]):
        began = time.perf_counter()
        embed(question.question)
        if number >= 3:
            print(1000 * (time.perf_counter() - began))


def _embedder(kind: str) -> Callable[[str], object]:
    if kind == "torch, left alone":
        os.environ["HF_HUB_OFFLINE"] = "1"
        from sentence_transformers import SentenceTransformer

        from rag.packaged import packaged_folder

        model = SentenceTransformer(str(packaged_folder()), device="cpu")
        return lambda text: model.encode_query([text])
    import onnxruntime

    from rag.embeddings import PackagedEmbeddings

    if kind == "spinning threads":
        onnxruntime.SessionOptions.add_session_config_entry = lambda *_: None  # what turns the spinning off
    embeddings = PackagedEmbeddings(threads=2)
    return lambda text: embeddings.embed([text], query=True)


if __name__ == "__main__":
    main()
