"""Measure Pressmark beside LangChain, LlamaIndex and Haystack: time to ingest, time to search, evidence found.

    python -m bench.peers --data ../shared/data [--archive sample] [--envs FOLDER] [--rounds 3] [--only NAME ...]

All use the packaged all-MiniLM-L6-v2 and Chroma on disk, over the same articles, and are asked the same questions, each
in a process of its own and each peer in an environment of its own (made below `--envs`, about 2 GB each, with the
versions of `bench/peers/NAME.txt`). Rounds alternate over systems and settings, each round begins at another; told are
medians of the rounds. What counts as found: `bench.peers.gold`; what is timed: `bench.peers.contract`; the settings:
the scripts `bench.peers.*_pipeline`.

Archives: `multihop`, 191 articles of 39 words on average, most of them one piece whatever the size; `sample`, the
shipped one, whose articles are cut.

`--out` keeps every run as JSON and is written after each, so a run that was stopped leaves what it measured; `--show`
prints the tables of such a file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.contract import CHILD_ENVIRONMENT
from bench.peers.environments import interpreter
from bench.peers.gold import KS, Task, figures, multihop, sample, write_questions
from eval.metrics import statistics

SYSTEMS = {
    "pressmark": ("default", "vectors"),
    "langchain": ("default", "128", "headline"),
    "llamaindex": ("default", "128"),
    "haystack": ("default", "128", "headline"),
}
ROOT = Path(__file__).resolve().parents[2]
CACHE = Path("~/.cache/pressmark-peers").expanduser()
Pair = tuple[str, str]


def main() -> None:
    """Run the command."""
    options = _options()
    if options.show:
        print(report(json.loads(options.show.read_text(encoding="utf-8"))))
        return
    task = multihop(options.data) if options.archive == "multihop" else sample()
    pairs = [(name, setting) for name, settings in SYSTEMS.items() for setting in settings]
    if options.only:
        pairs = [pair for pair in pairs if pair[0] in options.only or ":".join(pair) in options.only]
    pythons = {name: _python(name, options.envs) for name in dict.fromkeys(name for name, _ in pairs)}
    runs: list[dict[str, Any]] = []
    for number in range(options.rounds):
        for name, setting in pairs[number % len(pairs) :] + pairs[: number % len(pairs)]:
            measured = _measured(name, setting, pythons[name], task)
            runs.append({"system": name, "setting": setting, "round": number, **measured})
            options.out.write_text(json.dumps(runs), encoding="utf-8")
            told = {key: round(measured[key], 2) for key in ("ingest_s", "ingest_cpu_s", "search_cpu_ms", "load_avg")}
            print(f"round {number + 1}, {name} {setting}: {told}", flush=True)
    print(report(runs))


def report(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return the table, and what ours finds more than each other, question by question."""
    return f"{table(runs)}\n\n{differences(runs)}"


def differences(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return a table of ours as shipped minus each other, paired, with 95 % intervals by resampling the questions.

    What is found does not change between rounds: the first of each counts.
    """
    first = {(run["system"], run["setting"]): run["by_question"] for run in reversed(runs)}
    ours = first.pop(("pressmark", "default"), None)
    if ours is None:
        return ""
    names = [f"{name}@{k}" for name in ("articles", "quotes") for k in KS]
    lines = [f"| ours minus | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for pair in sorted(first, key=lambda pair: list(SYSTEMS).index(pair[0])):
        cells = [_difference(ours[name], first[pair][name]) for name in names]
        lines.append(f"| {' '.join(pair)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _difference(ours: Sequence[float], theirs: Sequence[float]) -> str:
    found = statistics.mean([one - other for one, other in zip(ours, theirs, strict=True)])
    return f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return the medians of the runs as a Markdown table."""
    heads = ["", "pieces", "ingest s (CPU)", "search ms: p50; p95 (CPU)"]
    heads += [f"{name} @{KS[0]}; @{KS[1]}" for name in ("articles", "all", "quotes", "words")]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for pair in dict.fromkeys((run["system"], run["setting"]) for run in runs):
        own = [run for run in runs if (run["system"], run["setting"]) == pair]
        lines.append(f"| {' | '.join(_cells(pair, own))} |")
    return "\n".join(lines)


def _cells(pair: Pair, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    def median(key: str) -> float:
        return float(np.median([run[key] for run in runs]))

    p50, p95 = (float(np.median([np.percentile(run["search_ms"], q) for run in runs])) for q in (50, 95))
    cells = [
        f"{pair[0]} {pair[1]}",
        f"{median('pieces'):.0f}",
        f"{median('ingest_s'):.1f} ({median('ingest_cpu_s'):.1f})",
        f"{p50:.0f}; {p95:.0f} ({median('search_cpu_ms'):.0f})",
    ]
    for name, digits in (("articles", 3), ("all", 3), ("quotes", 3), ("words", 0)):
        cells.append("; ".join(f"{median(f'{name}@{k}'):.{digits}f}" for k in KS))
    return cells


def _measured(name: str, setting: str, python: Path, task: Task) -> dict[str, Any]:
    """Run a system's script once and return what it measured, and the figures in place of the pieces.

    Raises:
        RuntimeError: The script failed; the end of what it wrote is told.
    """
    with tempfile.TemporaryDirectory() as folder:
        home, questions, out = (Path(folder) / part for part in ("home", "questions.json", "out.json"))
        write_questions(task, questions)
        command = [str(python), "-m", f"bench.peers.{name}_pipeline", "--setting", setting, "--k", str(max(KS))]
        for key, path in (("articles", task.articles.resolve()), ("questions", questions), ("home", home)):
            command += [f"--{key}", str(path)]
        process = subprocess.run(
            [*command, "--out", str(out)],
            cwd=ROOT,
            env=_environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if process.returncode or not out.exists():
            raise RuntimeError(f"{name} {setting} failed:\n{process.stdout[-3000:]}")
        told: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    by_question = figures(task, told["found"])
    means = {name: float(np.mean(values)) for name, values in by_question.items()}
    return {**told, "by_question": by_question, **means, "load_avg": os.getloadavg()[0]}


def _environment(folder: str) -> dict[str, str]:
    """Return a script's environment: ours, without settings of Pressmark or Python paths of whoever runs it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PRESSMARK_", "PYTHON"))}
    return {**kept, **CHILD_ENVIRONMENT, "TMPDIR": folder}


def _python(name: str, folder: Path) -> Path:
    return Path(sys.executable) if name == "pressmark" else interpreter(name, folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, help="folder with archive/; for the archive `multihop`")
    parser.add_argument("--archive", choices=["multihop", "sample"], default="multihop")
    parser.add_argument("--envs", type=Path, default=CACHE, help="folder of the peers' environments")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[], help="systems, or system:setting")
    parser.add_argument("--out", type=Path, default=Path("peers.json"), help="file that keeps every run")
    parser.add_argument("--show", type=Path, help="print the table of an earlier run's file, and nothing else")
    options = parser.parse_args()
    if options.archive == "multihop" and options.data is None and options.show is None:
        parser.error("--data is needed: the folder with archive/multihop_dev_articles.jsonl")
    return options


if __name__ == "__main__":
    main()
