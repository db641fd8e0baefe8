"""Does the gate fail what is broken, and pass what is not?

    python -m bench.gate [--rebuilds 10] [--broken shuffled ...]

Builds the sample archive anew `--rebuilds` times, each with a process and a home of its own, asks the sample's
questions and holds each run to `eval/baseline.json`, as `make gate` does; says whether all runs have the same figures.
Then it breaks the build: citations shuffled; for an answer the first sentence of the top passage; no search by words;
never abstaining. Of each it prints what the gate says, and which metrics `compare` calls moved beyond chance against an
unbroken run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.baselines import EvalChain, EvalStore, System, ask, copy_first_sentence, shuffled_citations
from eval.bounds import load_baseline
from eval.compare import LATENCY, compare, values_of
from eval.datasets import EvalQuestion, load_questions
from eval.gate import gate
from eval.records import Run
from eval.runner import Options, run
from eval.sample import ARTICLES, QUESTIONS
from rag.chain import build_chain
from rag.schema import Answer, Query
from rag.settings import load_settings
from rag.verifier import verifier_of
from ui.cli_tools import JUDGE

BASELINE = Path(__file__).parents[1] / "eval" / "baseline.json"
BROKEN: Mapping[str, tuple[System, dict[str, Any]]] = {
    "shuffled": (shuffled_citations, {}),
    "first-sentence": (copy_first_sentence, {}),
    "no-bm25": (ask, {"bm25_weight": 0.0}),
    "never-abstaining": (ask, {"abstain_below": 0.0}),
}


class Broken:
    """The chain with its answers replaced by a trivial system's."""

    def __init__(self, chain: EvalChain, system: System, questions: Sequence[EvalQuestion]) -> None:
        self._chain = chain
        self._system = system
        self._questions = {question.query: question for question in questions}

    @property
    def store(self) -> EvalStore:
        """The chain's."""
        return self._chain.store

    def invoke(self, query: Query, /) -> Answer:
        """Answer one question."""
        return self._system(self._chain, self._questions[query])


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rebuilds", type=int, default=10)
    parser.add_argument("--broken", nargs="*", choices=list(BROKEN), default=list(BROKEN))
    options = parser.parse_args()
    baseline = load_baseline(BASELINE)
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for number in range(max(1, options.rebuilds)):
            runs.append(_rebuilt(Path(folder) / str(number)))
            result = gate(runs[-1], baseline)
            same = _figures(runs[-1]) == _figures(runs[0])
            print(
                f"rebuild {number + 1}: {'passed' if result.passed else 'FAILED'}, "
                f"{'the same figures as' if same else 'OTHER figures than'} the first",
                flush=True,
            )
        for name in options.broken:
            broken = _broken(Path(folder) / "0", name)
            result = gate(broken, baseline)
            print(f"\n{name}: {'PASSED' if result.passed else 'failed'} by the gate")
            for check in result.failures:
                print(f"  {check.problem}")
            moved = [
                f"{change.name} {change.before:.3f} to {change.after:.3f}"
                for change in compare(runs[0], broken).changes
                if change.sure and change.name != LATENCY
            ]
            print(f"  compare, beyond chance: {', '.join(moved) or 'nothing'}", flush=True)


def _rebuilt(home: Path) -> Run:
    """Ingest and run as `make gate` does."""
    command = [sys.executable, "-m", "ui.cli", "--home", str(home)]
    out = home / "run.json"
    for step in (["ingest", str(ARTICLES)], ["eval", "run", "--out", str(out)]):
        subprocess.run([*command, *step], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Run.load(out)


def _broken(home: Path, name: str) -> Run:
    system, changes = BROKEN[name]
    settings = load_settings(home=home, **changes)
    questions = load_questions(QUESTIONS)
    judge = verifier_of(settings.model_copy(update={"verifier": JUDGE}))
    chain = build_chain(settings)
    options = Options(
        judge=lambda claim, texts: judge.verify(claim, texts).verdict == "supported",
        judge_name=JUDGE,
        routes=lambda answer: chain.retriever.by_route(answer.search_query, window=answer.window),
        baselines={},
    )
    try:
        return run(Broken(chain, system, questions), questions, dataset=QUESTIONS, settings=settings, options=options)
    finally:
        chain.close()


def _figures(made: Run) -> list[dict[str, float | None]]:
    return [{name: value for name, value in values_of(record).items() if name != LATENCY} for record in made.records]


if __name__ == "__main__":
    main()
