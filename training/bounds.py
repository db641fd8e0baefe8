"""Set the chances from which the verifier's network is believed, on the `dev` half of `bench.claims`.

    python -m training.bounds [--network runs/claims-own/network.pt] [--write]

Without --network the shipped weights are measured. `supported` and `doubted` are those that leave the smaller of two
shares greatest: of faults caught, of true sentences passed. `partly` is the chance above which half of what falls short
is true all the same.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import torch

from bench.claims import all_cases
from rag.entailment import BOUNDS, WEIGHTS, NetworkEntailment
from rag.rules import check_by_rules
from rag.span_model import load_shipped, load_tokenizer, shipped_network
from rag.verifier import Verifier
from training.export import FOLDER

TRIED = np.round(np.arange(0.05, 0.99, 0.02), 2)


class _Kept(NetworkEntailment):
    """Remembers the greatest chance of the last call."""

    last = 0.0

    def support(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        found = super().support(pairs)
        self.last = max(chance for chance in found if chance is not None)
        return found


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
    model = _Kept(network, load_tokenizer(), supported=0.5, doubted=0.5, partly=0.5)
    true, chance, doubted, settled = [], [], [], []
    for case in all_cases("dev"):
        found = check_by_rules(case.claim, case.passages)
        true.append(case.true)
        doubted.append(found.doubted)
        settled.append(found.settled)
        if found.settled:
            chance.append(1.0 if found.verdict == "supported" else -1.0)
        else:
            Verifier(model).verify(case.claim, case.passages)
            chance.append(model.last)
    is_true, is_doubted, chances = np.array(true), np.array(doubted), np.array(chance)

    def shares(plain: float, strict: float) -> tuple[float, float]:
        passed = chances >= np.where(is_doubted, strict, plain)
        return float(1 - passed[~is_true].mean()), float(passed[is_true].mean())

    pairs = [(plain, strict) for plain, strict in product(TRIED, TRIED) if strict >= plain]
    plain, strict = max(pairs, key=lambda pair: (min(shares(*pair)), sum(shares(*pair))))
    caught, passed = shares(plain, strict)
    short = (chances < np.where(is_doubted, strict, plain)) & ~np.array(settled)
    halves = [bound for bound in TRIED if bound < plain and (short & (chances >= bound)).any()]
    good = [bound for bound in halves if is_true[short & (chances >= bound)].mean() >= 0.5]
    bounds = {"supported": float(plain), "doubted": float(strict), "partly": float(min(good, default=plain))}
    print(f"{bounds}: faults caught {caught:.3f}, true sentences passed {passed:.3f}")
    if options.write:
        (FOLDER / BOUNDS).write_text(json.dumps(bounds, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
