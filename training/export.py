"""Put the trained network into the package: half precision, without the word embeddings, with its checksum.

python -m training.export --network runs/reader/model/network.pt
python -m training.export --network runs/claims-own/network.pt --as claims
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch
from safetensors.torch import save

from rag import entailment, span_model
from rag.span_model import WORD_EMBEDDINGS

FOLDER = Path(__file__).parent.parent / "rag" / "data"
NAMES = {"reader": span_model.WEIGHTS, "claims": entailment.WEIGHTS}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--network", type=Path, required=True, help="network.pt, or a checkpoint.pt of training.train")
    parser.add_argument("--as", dest="use", choices=sorted(NAMES), default="reader")
    options = parser.parse_args()
    name = NAMES[options.use]
    state = torch.load(options.network, weights_only=True)
    weights = state.get("network", state)
    content = save({name: value.half().contiguous() for name, value in weights.items() if name != WORD_EMBEDDINGS})
    digest = hashlib.sha256(content).hexdigest()
    (FOLDER / name).write_bytes(content)
    (FOLDER / f"{name}.sha256").write_text(f"{digest}  {name}\n", encoding="utf-8")
    print(f"{name}: {len(content) / 1e6:.1f} MB, SHA-256 {digest}")


if __name__ == "__main__":
    main()
