"""Set the chances from which the verifier's network is believed, on the `dev` half of `bench.claims`.

    python -m training.bounds [--network runs/claims-own/network.pt] [--write]

Without --network the shipped weights are measured. `supported`, `thin` and `doubted` (`rag.verifier.Entailment`) are
those that pass most true sentences, of those that catch 0.92 of the planted faults, 0.95 of true sentences that cite
another passage than their own, and 0.93 of what a weak model wrote without support (`bench.written`): what is
unsupported must not be shown. `partly` is the chance above which four fifths of what falls short is true all the same.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch

from bench.claims import Case, all_cases
from bench.written import written
from rag.checking import check_sentence
from rag.citations import CitationBook
from rag.entailment import BOUNDS, WEIGHTS, NetworkEntailment
from rag.rules import Check, check_by_rules
from rag.span_model import load_shipped, load_tokenizer, shipped_network
from rag.verifier import Verifier
from training.export import FOLDER

ASTRAY = "astray"
CAUGHT, MISPLACED_CAUGHT, WRITTEN_CAUGHT, PARTLY_TRUE = 0.92, 0.95, 0.93, 0.8
LEAST_DOUBTED = 0.5  # what has a sign against it is not believed on less than an even chance, whatever a bench says
TRIED = np.round([0.005, 0.01, 0.015, 0.02, 0.03, *np.arange(0.05, 0.96, 0.05), 0.97, 0.98, 0.99], 3)


def misplaced(true: Sequence[Case]) -> list[Case]:
    """Return each true case with the passages of the next but one case instead of its own: astray, but often near."""
    found = []
    for place, case in enumerate(true):
        other = true[(place + 2) % len(true)]
        if not set(other.passages) & set(case.passages):
            found.append(Case(case.claim, other.passages, False, ASTRAY))
    return found


class _Kept(NetworkEntailment):
    """Remembers the greatest chance of the last call."""

    last = 0.0

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        found = super().support(pairs)
        self.last = max(chance for chance in found if chance is not None)
        return found


def _kind(found: Check) -> int:
    """Return the place of the bound that a claim falls under: supported, thin, doubted."""
    return 2 if found.doubted else 0 if found.verdict == "supported" else 1


class _Asked:
    """A verifier that supports nothing itself and notes under which bound, with which chance, each claim would be."""

    name = "asked"

    def __init__(self, model: _Kept) -> None:
        self._model = model
        self.noted: list[tuple[int, float]] = []

    def verify(self, claim: str, passages: Sequence[str]) -> Check:
        found = check_by_rules(claim, passages)
        if found.settled:
            self.noted.append((0, 1.0 if found.verdict == "supported" else -1.0))
        else:
            Verifier(self._model).verify(claim, passages)
            self.noted.append((_kind(found), self._model.last))
        return Check("unsupported", 0.0, (), settled=found.settled)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--network", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    if options.network:
        network = shipped_network().module
        network.load_state_dict(torch.load(options.network, weights_only=True))
    else:
        network = load_shipped(WEIGHTS)
    model = _Kept(network, load_tokenizer(), supported=0.5, thin=0.5, doubted=0.5, partly=0.5)
    true, chance, kind, settled, astray = [], [], [], [], []
    cases = all_cases("dev")
    elsewhere = misplaced([case for case in cases if case.true])
    for case in [*cases, *elsewhere]:
        astray.append(case.kind == ASTRAY)
        found = check_by_rules(case.claim, case.passages)
        true.append(case.true)
        kind.append(_kind(found))
        settled.append(found.settled)
        if found.settled:
            chance.append(1.0 if found.verdict == "supported" else -1.0)
        else:
            Verifier(model).verify(case.claim, case.passages)
            chance.append(model.last)
    wrote: list[tuple[bool, list[tuple[int, float]]]] = []
    for item in written():
        asked = _Asked(model)
        check_sentence(item.sentence, item.found, CitationBook(), asked)  # type: ignore[arg-type]  # all it calls
        wrote.append((item.supported, asked.noted))
    is_true, kinds, chances, lost = np.array(true), np.array(kind), np.array(chance), np.array(astray)

    # As a grid: a sentence is shown if any of its passages takes it over the bound that it falls under there.
    best = np.array(
        [[max((c for k, c in noted if k == kind), default=-1.0) for kind in range(3)] for _, noted in wrote]
    )
    written_true = np.array([supported for supported, _ in wrote])

    def shares(bounds: tuple[float, ...]) -> tuple[float, float, float, float, float]:
        passed = chances >= np.array(bounds)[kinds]
        shown = np.asarray((best >= np.array(bounds)).any(axis=1))
        return (
            float(1 - passed[~is_true & ~lost].mean()),
            float(1 - passed[lost].mean()),
            float(1 - shown[~written_true].mean()),
            float(passed[is_true].mean()),
            float(shown[written_true].mean()),
        )

    def worth(bounds: tuple[float, ...]) -> tuple[float, float]:
        caught, misplaced_caught, written_caught, passed, written_passed = shares(bounds)
        short = min(0.0, caught - CAUGHT, misplaced_caught - MISPLACED_CAUGHT, written_caught - WRITTEN_CAUGHT)
        return short, passed + 0.1 * written_passed

    chosen = max(product(TRIED, TRIED, TRIED[TRIED >= LEAST_DOUBTED]), key=worth)
    caught, misplaced_caught, written_caught, passed, written_passed = shares(chosen)
    short = (chances < np.array(chosen)[kinds]) & ~np.array(settled)
    tried = [bound for bound in TRIED if bound < min(chosen) and (short & (chances >= bound)).any()]
    good = [bound for bound in tried if is_true[short & (chances >= bound)].mean() >= PARTLY_TRUE]
    plain, thin, strict = (float(bound) for bound in chosen)
    bounds = {"supported": plain, "thin": thin, "doubted": strict, "partly": float(min(good, default=min(chosen)))}
    print(
        f"{bounds}: faults caught {caught:.3f}, wrong citations caught {misplaced_caught:.3f}, true sentences passed "
        f"{passed:.3f}; of a weak model's sentences {written_caught:.3f} of the unsupported caught, "
        f"{written_passed:.3f} of the supported passed"
    )
    if options.write:
        (FOLDER / BOUNDS).write_text(json.dumps(bounds, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
