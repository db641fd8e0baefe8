"""Measure what of a weak model's sentences is shown: right words, wrongly put together.

    python -m bench.written [--verifier rules] [--show]

`bench/data/written.jsonl` holds every sentence that SmolLM2-135M-Instruct wrote about the `dev` questions of the sample
archive, with the passages it was shown (article and characters) and whether any of them supports it, by reading. Each
is checked as in an answer: against what it cites, then against the passages that the rules find hopeful.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from eval.sample import sample_articles
from rag.checking import check_sentence
from rag.citations import CitationBook
from rag.schema import Article, Passage, RetrievedPassage
from rag.settings import load_settings
from rag.verifier import verifier_of

DATA = Path(__file__).parent / "data" / "written.jsonl"


@dataclass(frozen=True, slots=True)
class Written:
    """One sentence with its markers, what the model was shown, and whether a passage supports it."""

    question: str
    sentence: str
    found: list[RetrievedPassage]
    supported: bool


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--verifier", default=None, help="as in PRESSMARK_VERIFIER")
    parser.add_argument("--show", action="store_true", help="name the sentences that went wrong")
    options = parser.parse_args()
    verifier = verifier_of(load_settings(verifier=options.verifier))
    counts = {True: [0, 0], False: [0, 0]}
    for item in written():
        shown = check_sentence(item.sentence, item.found, CitationBook(), verifier).shown
        counts[item.supported][0] += shown is not None and shown.claim.verdict == "supported"
        counts[item.supported][1] += 1
        if options.show and (shown is not None) != item.supported:
            print(f"{'withheld' if item.supported else 'SHOWN'} {item.question}: {item.sentence}")
    for supported, (shown_as, of) in counts.items():
        print(f"{'supported' if supported else 'unsupported'} by reading: {shown_as} of {of} shown as supported")


def written() -> Iterator[Written]:
    """Yield the sentences in the order they were written."""
    articles = {item.id: item for item in sample_articles() if isinstance(item, Article)}
    with DATA.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            found = [
                RetrievedPassage(_passage(articles, place), 0.0, rank) for rank, place in enumerate(row["passages"], 1)
            ]
            yield Written(row["question"], row["sentence"], found, row["supported"])


def _passage(articles: dict[str, Article], place: str) -> Passage:
    article_id, _, span = place.rpartition(":")
    start, end = map(int, span.split("-"))
    article = articles[article_id]
    return Passage(
        id=place,
        article_id=article_id,
        version=article.version,
        index=0,
        start=start,
        end=end,
        text=article.text[start:end],
        title=article.title,
        source=article.source,
        published_at=article.published_at,
    )


if __name__ == "__main__":
    main()
