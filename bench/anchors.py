"""Print relative words for time in articles with what they were taken to mean, to be read by a person.

    python -m bench.anchors ../shared/data/archive/wikinews.jsonl [--sample 50]

Each line: the day of publication, and the words in their sentence with the meaning behind them.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from ingest.loaders import load
from ingest.loaders.source import Source
from rag.anchors import anchors
from rag.schema import Article

SEED = 3
AROUND = 90  # characters on either side


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("articles", type=Path)
    parser.add_argument("--sample", type=int, help="so many, drawn at random")
    options = parser.parse_args()
    lines = []
    for article in load(Source(options.articles, options.articles.name)):
        if not isinstance(article, Article) or article.published_at is None:
            continue
        text = article.text
        for anchor in anchors(text, article.published_at):
            before, after = text[max(0, anchor.start - AROUND) : anchor.start], text[anchor.end : anchor.end + AROUND]
            around = f"{before}⟨{anchor.words}⟩ [{anchor.means}]{after}"
            lines.append(f"{article.published_at:%a %d %b %Y}: …{' '.join(around.split())}…")
    if options.sample:
        lines = random.Random(SEED).sample(lines, min(options.sample, len(lines)))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
