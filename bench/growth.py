"""Measure what an archive's size costs: one home grown from 5,000 to 500,000 passages, measured at each size.

    pip install matplotlib       # for the plot only
    python -m bench.growth --home FOLDER [--sizes 5000 16000 50000 160000 500000] [--plot docs/growth.svg]

The home is kept, and goes on growing where it was. Articles are made by `bench.made`; they go through the real indexer
(stories, archive, passages, vectors, full text) with vectors put together from real ones, so that what is measured of
ingest is all but the model; what the model takes for a passage is measured beside it. At each size, in a process of its
own, for questions of the sample's `dev` split, none asked before:

search by vectors, by words, filtered by windows that hold 50 %, 5 %, 0.5 % and 10 passages and by an outlet: median
and 95th percentile in ms; of the vectors also recall@10 against exact search over all vectors, and the ratio of the
filtered time to the unfiltered; phrases and beginnings of words; the whole answer, with its stages
memory, before the store is opened and after all questions: what is the process's own, and what is files in memory
disk, by part; ingest's time for a passage, over the last eighth of the growth
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench.made import BEGIN, DAYS, MadeArchive, MadeEmbeddings
from eval.datasets import load_questions
from eval.sample import QUESTIONS
from ingest.engine import PlainEngine
from ingest.indexer import Indexer
from rag.chain import AnswerChain, build_chain
from rag.schema import Query, TimeWindow
from rag.settings import Settings, load_settings
from rag.store import Store

SIZES = (5_000, 16_000, 50_000, 160_000, 500_000)
ASKED, WHOLE = 40, 30
LIMIT = 50
CHUNK = 640  # articles
SHARES = {"50 %": 0.5, "5 %": 0.05, "0.5 %": 0.005}
ROWS = {
    "ingest without the model, ms a passage": "ingest_ms",
    "the model, ms a passage": "model_ms",
    "vectors, p50": "vectors_p50",
    "vectors, p95": "vectors_p95",
    "words, p50": "words_p50",
    "words, p95": "words_p95",
    "phrase, p95": "phrase_p95",
    "beginning of a word, p95": "prefix_p95",
    "words in 5 % of the time, p95": "words_5 %_p95",
    "whole answer, p50": "answer_p50",
    "whole answer, p95": "answer_p95",
    "of it searching, p50": "retrieve_p50",
    "of it reading, p50": "read_p50",
    "memory of its own, MB": "own_mb",
    "files in memory, MB": "mapped_mb",
    "disk, KB a passage": "disk_kb",
}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--measure", action="store_true", help="of a child process: measure the home as it is")
    options = parser.parse_args()
    settings = load_settings(home=options.home)
    if options.measure:
        print(json.dumps(measured(settings)))
        return
    found: dict[int, dict[str, float]] = {}
    for size in options.sizes:
        rates = grown(settings, size)
        command = [sys.executable, "-m", "bench.growth", "--home", str(options.home), "--measure"]
        found[size] = rates | json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        kept = options.home / "growth.json"
        before = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        kept.write_text(json.dumps(before | {str(size): found[size]}, indent=1), encoding="utf-8")
        print(size, {name: round(value, 3) for name, value in found[size].items()}, flush=True)
    print(table(found))
    if options.plot:
        plot(found, options.plot)


# -- growing -------------------------------------------------------------------------------------------


def grown(settings: Settings, size: int) -> dict[str, float]:
    """Index made articles until the home holds so many passages; return what a passage took, of those added last."""
    archive = MadeArchive()
    embeddings = MadeEmbeddings(archive)
    opened = Store.open(settings)
    store = Store(opened.archive, opened.index, embeddings, opened.lock)
    marks: list[tuple[int, float]] = []
    try:
        first = store.archive.status().articles
        with Indexer(store, PlainEngine(embeddings, settings.passage_tokens)) as indexer:
            while (held := store.archive.passage_count()) < size:
                marks.append((held, time.perf_counter()))
                embeddings.base_of.clear()
                for article in list(archive.articles(first, CHUNK, embeddings.base_of)):
                    indexer.add(article)
                indexer.flush()
                first += CHUNK
        marks.append((store.archive.passage_count(), time.perf_counter()))
        texts = [passage.text for passage in store.archive.passages(store.archive.passage_ids()[:64]).values()]
        began = time.perf_counter()
        super(MadeEmbeddings, embeddings).embed(texts)
        model = time.perf_counter() - began
    finally:
        store.close()
    last = marks[-max(2, len(marks) // 8) :]
    passages = last[-1][0] - last[0][0]
    found = {"model_ms": 1000 * model / len(texts)}
    return found | ({"ingest_ms": 1000 * (last[-1][1] - last[0][1]) / passages} if passages else {})


# -- measuring -----------------------------------------------------------------------------------------


def measured(settings: Settings) -> dict[str, float]:
    """Measure the home as it is."""
    questions = [question.question for question in load_questions(QUESTIONS, split="dev")][:ASKED]
    before = _memory()
    chain = build_chain(settings)
    try:
        passages = chain.store.archive.passage_count()
        found = _answers(chain, questions)
        for share in SHARES.values():  # so that the files of exact search are in memory as far as they would be
            window = TimeWindow(BEGIN, BEGIN + timedelta(days=DAYS * share))
            for question in questions:
                chain.retriever.retrieve(question, window=window)
        after = _memory()
        found |= _searches(chain.store, settings, questions)  # which loads all vectors to compare with
    finally:
        chain.close()
    found |= {"own_mb": after["RssAnon"] / 1000, "mapped_mb": (after["RssFile"] - before["RssFile"]) / 1000}
    for name in ("chroma", "text", "archive.sqlite"):
        path = settings.folder / name
        found[f"disk_{name}_kb"] = _bytes(path) / 1000 / passages
    found["disk_kb"] = _bytes(settings.folder) / 1000 / passages
    return found | {"passages": passages}


def _searches(store: Store, settings: Settings, questions: Sequence[str]) -> dict[str, float]:
    index, text = store.index, store.archive.full_text
    vectors = store.embeddings.embed(questions, query=True)
    windows = {name: TimeWindow(BEGIN, BEGIN + timedelta(days=DAYS * share)) for name, share in SHARES.items()}
    windows["10"] = _holding_ten(store)
    exact = _Exact(settings.folder / "chroma" / "exact")
    found = _percentiles("vectors", lambda vector: index.search(vector, limit=LIMIT), vectors)
    found["vectors_recall"] = exact.recall(vectors, lambda vector: index.search(vector, limit=LIMIT), None)
    for name, window in windows.items():

        def filtered(vector: np.ndarray, window: TimeWindow = window) -> list[tuple[str, float]]:
            return index.search(vector, limit=LIMIT, window=window)

        found |= _percentiles(f"vectors_{name}", filtered, vectors)
        found[f"vectors_{name}_ratio"] = found[f"vectors_{name}_p50"] / found["vectors_p50"]
        found[f"vectors_{name}_recall"] = exact.recall(vectors, filtered, window)
    found |= _percentiles("outlet", lambda vector: index.search(vector, limit=LIMIT, sources=["Outlet 5"]), vectors)
    found["outlet_ratio"] = found["outlet_p50"] / found["vectors_p50"]
    found |= _percentiles("words", lambda question: text.search(question, limit=LIMIT), questions)
    window = windows["5 %"]
    found |= _percentiles("words_5 %", lambda question: text.search(question, limit=LIMIT, window=window), questions)
    phrases = [f'"{" ".join(question.split()[1:3])}" strike' for question in questions]
    found |= _percentiles("phrase", lambda phrase: text.search(phrase, limit=LIMIT), phrases)
    begun = [f"{question.split()[-1].strip('?')[:4]}*" for question in questions]
    return found | _percentiles("prefix", lambda word: text.search(word, limit=LIMIT), begun)


def _answers(chain: AnswerChain, questions: Sequence[str]) -> dict[str, float]:
    chain.invoke(questions[-1])
    taken = [chain.invoke(Query(question, infer_window=False)).timings_ms for question in questions[:WHOLE]]
    found = {}
    for name, stage in (("answer", "total"), ("retrieve", "retrieve"), ("read", "read")):
        p50, p95 = np.percentile([timing[stage] for timing in taken], [50, 95])
        found |= {f"{name}_p50": float(p50), f"{name}_p95": float(p95)}
    return found


def _percentiles(name: str, search: Callable[[Any], object], asked: Sequence[Any]) -> dict[str, float]:
    for item in asked[:3]:
        search(item)
    took = []
    for item in asked:
        began = time.perf_counter()
        search(item)
        took.append(1000 * (time.perf_counter() - began))
    p50, p95 = np.percentile(took, [50, 95])
    return {f"{name}_p50": float(p50), f"{name}_p95": float(p95)}


def _holding_ten(store: Store) -> TimeWindow:
    """Return the window that holds the two newest articles: some ten passages."""
    return TimeWindow(since=store.archive.articles(limit=2)[1].published_at)


class _Exact:
    """The ten nearest of all vectors that match, by looking at each: read from the files of exact search."""

    def __init__(self, folder: Path) -> None:
        self._vectors = np.fromfile(folder / "vectors.f32", np.float32).reshape(-1, 384)
        self._published = np.fromfile(folder / "published.i64", np.int64)
        with closing(sqlite3.connect(folder / "rows.sqlite")) as db:
            self._ids = dict(db.execute("SELECT row, id FROM rows").fetchall())

    def recall(
        self, vectors: np.ndarray, search: Callable[[np.ndarray], list[tuple[str, float]]], window: TimeWindow | None
    ) -> float:
        matching = np.ones(len(self._published), dtype=bool)
        if window is not None and window.since:
            matching &= self._published >= int(window.since.timestamp())
        if window is not None and window.until:
            matching &= self._published < int(window.until.timestamp())
        rows = np.flatnonzero(matching)
        shares = []
        for vector in vectors:
            scores = self._vectors[rows] @ vector
            nearest = {self._ids[int(row)] for row in rows[np.argsort(-scores)[:10]]}
            shares.append(len(nearest & {id_ for id_, _ in search(vector)[:10]}) / len(nearest))
        return float(np.mean(shares))


def _memory() -> dict[str, float]:
    """Return kilobytes of this process in memory, by kind (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    pairs = (line.split() for line in lines if line.startswith("Rss"))
    return {name.rstrip(":"): float(size) for name, size, *_ in pairs}


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


# -- telling -------------------------------------------------------------------------------------------


def table(found: dict[int, dict[str, float]]) -> str:
    """Return the figures as a Markdown table, with the slope of each in log-log: 0 is flat, 1 grows with the size."""
    sizes = sorted(found)
    lines = [
        "| | " + " | ".join(f"{int(found[size]['passages']):,}" for size in sizes) + " | slope |",
        "|---|" + "---|" * (len(sizes) + 1),
    ]
    for label, name in ROWS.items():
        values = [found[size].get(name, float("nan")) for size in sizes]
        lines.append(
            f"| {label} | " + " | ".join(f"{value:.3g}" for value in values) + f" | {_slope(found, name):.2f} |"
        )
    first, last = found[sizes[0]], found[sizes[-1]]
    more = last["passages"] - first["passages"]
    for label, name in (("own memory", "own_mb"), ("files in memory", "mapped_mb")):
        lines.append(f"\nOf {label} a passage more takes {1000 * (last[name] - first[name]) / max(1, more):.2f} KB.")
    lines += ["", "| filter | " + " | ".join(f"{size:,}: ms, ratio, recall@10" for size in sizes) + " |"]
    lines.append("|---|" + "---|" * len(sizes))
    for name in ("", *SHARES, "10"):
        key = f"vectors_{name}" if name else "vectors"
        cells = [
            f"{found[size][f'{key}_p50']:.2f}, {found[size].get(f'{key}_ratio', 1):.2f}, "
            f"{found[size][f'{key}_recall']:.3f}"
            for size in sizes
        ]
        lines.append(f"| {name or 'none'} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _slope(found: dict[int, dict[str, float]], name: str) -> float:
    points = [(size, values[name]) for size, values in sorted(found.items()) if values.get(name, 0) > 0]
    if len(points) < 2:
        return float("nan")
    sizes, values = np.log(np.array(points)).T
    return float(np.polyfit(sizes, values, 1)[0])


def plot(found: dict[int, dict[str, float]], path: Path) -> None:
    """Draw the times over the size, both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    sizes = sorted(found)
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for label, name in ROWS.items():
        if name.endswith("_p50") or name == "ingest_ms":
            axes.loglog(sizes, [found[size].get(name, np.nan) for size in sizes], marker="o", label=label)
    axes.set_xlabel("passages")
    axes.set_ylabel("ms")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    main()
