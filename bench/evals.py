"""Time an eval run of many questions, kill it in the middle, and let it go on.

    python -m bench.evals --data ../shared/data [--records 1000] [--kill-after 300]

Ingests MultiHop-RAG's 191 articles and asks its 200 questions, then as many more as are wanted about sentences of the
articles: "In Fortune's report on “…”, how does the sentence go on that begins “…”?". All differ, for the reader
remembers what it has read. The run is `pressmark eval run` as it comes, with judge and trivial systems. It is killed
(SIGKILL) once `--kill-after` records are written, started again, and timed; then the first questions up to 20 past the
kill are asked without one, and should have the same figures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from eval.adapters import Adapted, adapt, write_adapted
from eval.compare import LATENCY, values_of
from eval.datasets import EvalQuestion, Evidence
from eval.records import Record, Run
from rag.schema import Article
from rag.sentences import sentences

BEGUN = (5, 7, 9, 4, 6, 8)  # words of a sentence that are given; one further round over all sentences for each
LEAST_LEFT = 3  # words to be told
PAST_THE_KILL = 20


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with archive/")
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--kill-after", type=int, default=300)
    options = parser.parse_args()
    found = adapt("multihop-rag", options.data / "archive" / "multihop_dev_questions.jsonl")
    more = islice(_questions(found.articles), max(0, options.records - len(found.questions)))
    questions = [*found.questions, *more][: options.records]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        first = questions[: options.kill_after + PAST_THE_KILL]
        all_path, first_path = _written(found, questions, folder, "all"), _written(found, first, folder, "first")
        subprocess.run(_command(home, "ingest", str(folder / "articles.jsonl")), check=True, stderr=subprocess.DEVNULL)
        before = _killed(home, all_path, options.kill_after)
        kept = _records_kept(home)
        print(f"killed after {before:.0f} s with {kept} records written", flush=True)
        run, after = _run(home, all_path, folder / "all.json")
        print(
            f"{len(run.records)} records in {before + after:.0f} s ({(before + after) / 60:.1f} minutes), both starts "
            f"counted; {run.peak_mb:.0f} MiB at most",
            flush=True,
        )
        unbroken, seconds = _run(home, first_path, folder / "first.json")
        same = _figures(unbroken.records) == _figures(run.records[: len(first)])
        print(f"{len(first)} records without a kill in {seconds:.0f} s: {'the same' if same else 'OTHER'} figures")


def _questions(articles: Sequence[Article]) -> Iterator[EvalQuestion]:
    seen = set[str]()
    for words_given in BEGUN:
        for article in articles:
            for quote in sentences(article.text):
                words = quote.split()
                text = (
                    f"In {article.source}'s report on “{article.title}”, how does the sentence go on that begins "
                    f"“{' '.join(words[:words_given])}”?"
                )
                if len(words) >= words_given + LEAST_LEFT and text not in seen:
                    seen.add(text)
                    yield EvalQuestion(
                        id=f"sentence-{len(seen)}",
                        question=text,
                        turns=(),
                        now=None,
                        answerable=True,
                        answers=((" ".join(words[words_given:]),),),
                        evidence=(Evidence(article.id, quote),),
                        window=None,
                        tags=("how",),
                        split="dev",
                    )


def _written(found: Adapted, questions: Sequence[EvalQuestion], folder: Path, name: str) -> Path:
    path = folder / f"{name}.jsonl"
    write_adapted(replace(found, questions=tuple(questions)), path, folder / "articles.jsonl")
    return path


def _command(home: Path, *rest: str) -> list[str]:
    return [sys.executable, "-m", "ui.cli", "--home", str(home), *rest]


def _partial(home: Path) -> Path | None:
    return next((home / "evals").glob("*.partial.jsonl"), None)


def _records_kept(home: Path) -> int:
    """Count the whole lines; the first tells which run it is."""
    path = _partial(home)
    lines = path.read_bytes().split(b"\n")[:-1] if path else []
    return sum(json.loads(line) is not None for line in lines) - 1


def _killed(home: Path, questions: Path, after: int) -> float:
    """Start a run, kill it once `after` records are written, and return the seconds it had."""
    began = time.perf_counter()
    process = subprocess.Popen(
        _command(home, "eval", "run", str(questions)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while True:
        time.sleep(0.5)
        path = _partial(home)
        if path and path.read_bytes().count(b"\n") > after:
            process.kill()
            process.wait()
            return time.perf_counter() - began
        if process.poll() is not None:
            raise SystemExit("The run ended before it could be killed: give a smaller --kill-after.")


def _run(home: Path, questions: Path, out: Path) -> tuple[Run, float]:
    began = time.perf_counter()
    command = _command(home, "eval", "run", str(questions), "--out", str(out))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Run.load(out), time.perf_counter() - began


def _figures(records: Sequence[Record]) -> list[tuple[str, dict[str, float | None]]]:
    return [(one.id, {name: v for name, v in values_of(one).items() if name != LATENCY}) for one in records]


if __name__ == "__main__":
    main()
