"""Write the questions on new Wikipedia that the reader was not trained on, for `pressmark eval adapt squad`.

    python -m training.heldout --data ../shared/data runs/new_wiki_held_out.json

All paragraphs stay, so that the archive is as large as before; of documents that the reader was trained on only the
questions go.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.prepare import held_out_groups
from training.sets import paragraph_sets

SOURCE = "squadshifts-wiki"
FILE = Path("reader") / "new_wiki_v1.0.json"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    examples = [example for example in paragraph_sets(options.data) if example.source == SOURCE]
    held = held_out_groups(examples)
    kept = {example.text for example in examples if (SOURCE, example.group) in held}
    whole = json.loads((options.data / FILE).read_text(encoding="utf-8"))
    count = 0
    for document in whole["data"]:
        for paragraph in document["paragraphs"]:
            if paragraph["context"] not in kept:
                paragraph["qas"] = []
            count += len(paragraph["qas"])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(whole), encoding="utf-8")
    print(f"{count} questions on {len(kept)} paragraphs of held-out documents in {options.out}")


if __name__ == "__main__":
    main()
