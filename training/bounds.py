"""Set the chances from which the verifier's network is believed, on the `dev` half of `bench.claims`.

    python -m training.bounds [--network runs/claims-own/network.pt] [--write]

Without --network the shipped weights are measured. `supported`, `thin` and `doubted` (`rag.verifier.Entailment`) are
set twice. Strictly, for what is shown: those that pass most true sentences, of those that catch 0.92 of the planted
faults, 0.95 of true sentences that cite another passage than their own, and 0.93 of what a weak model wrote without
support (`bench.written`). Balanced, for judging and for strong models: those where the smaller of the shares of faults
caught and true sentences passed is greatest. `partly` is the chance above which four fifths of what falls short is true
all the same.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.claims import Case, all_cases
from bench.written import written as written_by_a_model
from rag.checking import check_sentence
from rag.citations import CitationBook
from rag.entailment import BOUNDS, WEIGHTS, NetworkEntailment
from rag.packaged import load_tokenizer
from rag.rules import Check, check_by_rules
from rag.torch_network import load_shipped, logits_of
from rag.verifier import Verifier
from training.export import FOLDER

Bounds = tuple[float, ...]
_Flags = NDArray[np.bool_]

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


@dataclass(frozen=True, slots=True)
class Shares:
    """What bounds do.

    Attributes:
        caught: Share of the planted faults that is not called supported.
        misplaced_caught: Of the true sentences with another's passage.
        written_caught: Of what a weak model wrote without support.
        passed: Share of the true sentences that is called supported.
        written_passed: Of what the weak model wrote with support.
    """

    caught: float
    misplaced_caught: float
    written_caught: float
    passed: float
    written_passed: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The chances that the network gives, one row a case.

    Attributes:
        true: Whether the case is true.
        astray: Whether it is true of another passage than it cites.
        kind: Under which bound it falls: 0 supported, 1 thin, 2 doubted.
        chance: 1 or -1 where the rules settle it.
        settled: Whether they do.
        written_true: The same of a weak model's sentences.
        written_chance: Their greatest chance under each bound, -1 for none.
    """

    true: _Flags
    astray: _Flags
    kind: NDArray[np.int64]
    chance: NDArray[np.float64]
    settled: _Flags
    written_true: _Flags
    written_chance: NDArray[np.float64]

    def shares(self, bounds: Bounds) -> Shares:
        """Return what bounds (supported, thin, doubted) do."""
        passed = self.chance >= np.array(bounds)[self.kind]
        # A sentence is shown if any of its passages takes it over the bound that it falls under there.
        shown = np.asarray((self.written_chance >= np.array(bounds)).any(axis=1))
        return Shares(
            float(1 - passed[~self.true & ~self.astray].mean()),
            float(1 - passed[self.astray].mean()),
            float(1 - shown[~self.written_true].mean()),
            float(passed[self.true].mean()),
            float(shown[self.written_true].mean()),
        )

    def partly(self, bounds: Bounds) -> float:
        """Return the least chance tried above which `PARTLY_TRUE` of what falls short of the bounds is true."""
        short = (self.chance < np.array(bounds)[self.kind]) & ~self.settled
        tried = [bound for bound in TRIED if bound < min(bounds) and (short & (self.chance >= bound)).any()]
        good = [bound for bound in tried if self.true[short & (self.chance >= bound)].mean() >= PARTLY_TRUE]
        return float(min(good, default=min(bounds)))


def strictly(found: Shares) -> tuple[float, float]:
    """Return the worth of bounds for what is shown: what is unsupported must not be."""
    short = min(
        0.0, found.caught - CAUGHT, found.misplaced_caught - MISPLACED_CAUGHT, found.written_caught - WRITTEN_CAUGHT
    )
    return short, found.passed + 0.1 * found.written_passed


def evenly(found: Shares) -> tuple[float, float]:
    """Return the worth of bounds for judging: as right on faults as on true sentences."""
    return min(0.0, found.misplaced_caught - CAUGHT), min(found.caught, found.passed) + 0.1 * found.caught


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--network", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    if options.network:
        network = load_shipped(WEIGHTS)
        network.load_state_dict(torch.load(options.network, weights_only=True))
    else:
        network = load_shipped(WEIGHTS)
    found = measured(_Kept(logits_of(network), load_tokenizer(), supported=0.5, thin=0.5, doubted=0.5, partly=0.5))
    chosen = {
        "strict": max(product(TRIED, TRIED, TRIED[TRIED >= LEAST_DOUBTED]), key=lambda b: strictly(found.shares(b))),
        "balanced": max(product(TRIED, TRIED, TRIED), key=lambda b: evenly(found.shares(b))),
    }
    written = {}
    for name, bounds in chosen.items():
        supported, thin, doubted = map(float, bounds)
        written[name] = {"supported": supported, "thin": thin, "doubted": doubted, "partly": found.partly(bounds)}
        shares = asdict(found.shares(bounds)).items()
        print(f"{name} {written[name]}: {', '.join(f'{what} {share:.3f}' for what, share in shares)}")
    if options.write:
        (FOLDER / BOUNDS).write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def measured(model: _Kept) -> Measured:
    """Ask the network about the `dev` half of `bench.claims`, its true sentences astray, and `bench.written`."""
    cases = all_cases("dev")
    cases += misplaced([case for case in cases if case.true])
    checks = [check_by_rules(case.claim, case.passages) for case in cases]
    chances = []
    for case, check in zip(cases, checks, strict=True):
        if check.settled:
            chances.append(1.0 if check.verdict == "supported" else -1.0)
        else:
            Verifier(model).verify(case.claim, case.passages)
            chances.append(model.last)
    sentences = list(written_by_a_model())
    best = []
    for item in sentences:
        asked = _Asked(model)
        check_sentence(item.sentence, item.found, CitationBook(), asked)  # type: ignore[arg-type]  # all it calls
        best.append([max((c for k, c in asked.noted if k == kind), default=-1.0) for kind in range(3)])
    return Measured(
        np.array([case.true for case in cases]),
        np.array([case.kind == ASTRAY for case in cases]),
        np.array([_kind(check) for check in checks]),
        np.array(chances),
        np.array([check.settled for check in checks]),
        np.array([item.supported for item in sentences]),
        np.array(best),
    )


if __name__ == "__main__":
    main()
