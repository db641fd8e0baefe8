"""Measure the verifier on human labels: WiCE and SummEdits, the half of their documents that nothing was set on.

    python -m bench.judge --data ../shared/data [--verifier rules] [--sample N]

Beside it stand the trivial judges of `eval.judge_baselines`, with bounds that are best on the other half. Intervals are
95 % bootstrap intervals over documents. `pressmark eval judge` tells more of one dataset.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Mapping
from pathlib import Path

from eval.adapters import judge_cases
from eval.judge_report import JudgeReport
from eval.judging import halves, validate
from eval.metrics.statistics import Estimate
from rag.embeddings import SentenceEmbeddings
from rag.settings import load_settings
from rag.verifier import verifier_of

SEED = 23
SETS = ("summedits", "wice")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--verifier", default=None, help="as in PRESSMARK_VERIFIER")
    parser.add_argument("--sample", type=int, help="pairs of each set, drawn at random")
    options = parser.parse_args()
    settings = load_settings(verifier=options.verifier)
    verifier = verifier_of(settings)
    embed = SentenceEmbeddings.packaged(settings).embed
    for source in SETS:
        cases = judge_cases(options.data / "judge" / f"{source}_dev.jsonl")
        random.Random(SEED).shuffle(cases)
        other, held = (part[: options.sample] for part in halves(cases, source))
        _print(validate(verifier, held, dev=other, name=verifier.name, dataset=source, embed=embed))


def _print(report: JudgeReport) -> None:
    print(f"{report.dataset}: {report.cases} claims, {report.supported / report.cases:.2f} of them supported")
    for judge in report.trivial:
        print(_line(judge.name, judge.figures))
    print(_line(report.judge, report.figures))
    each = 1000 * report.seconds / report.sentences
    print(f"    AUC of its score {report.figures['auc'].value:.3f}; {each:.1f} ms a sentence")


def _line(name: str, figures: Mapping[str, Estimate]) -> str:
    accuracy = figures["balanced_accuracy"]
    return (
        f"  {name}: balanced accuracy {accuracy.value:.3f} [{accuracy.low:.3f}, {accuracy.high:.3f}]; "
        f"unsupported found {figures['caught'].value:.3f}, supported passed {figures['passed'].value:.3f}"
    )


if __name__ == "__main__":
    main()
