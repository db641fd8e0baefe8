"""Measure the grouping of copies and rewrites, on Wikinews articles edited lightly and heavily, beside follow-ups.

    python -m bench.stories --data ../shared/data [--show]

For each of the 43 articles: two light edits (cut from the end with a new headline; background added), two heavy ones
(the lead paraphrased, two fifths of the paragraphs cut, the rest in another order; a one-sentence lead with half of the
paragraphs), a report of the next day, and the same with one paragraph of the first report repeated word for word. New
words are ours (`bench/data/stories.jsonl`); the follow-ups are invented. All come in a random order, one by one, as at
ingest. A pair is two texts of one report; a report of the next day is another one, in both of its forms.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

from ingest import stories
from rag.archive import Archive
from rag.schema import Article

REWRITES = Path(__file__).parent / "data" / "stories.jsonl"
SEED = 5
LEAD_WORDS = 20  # a shorter paragraph is a dateline or a caption
HUGE_WORDS = 250  # a paragraph of a whole interview: a lead stands before it, not in its place
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Copy:
    """A text and the report it comes from; `kind` names the edit."""

    base: str
    kind: str
    title: str
    text: str


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with archive/")
    parser.add_argument("--show", action="store_true", help="name the pairs that went wrong")
    options = parser.parse_args()
    rng = random.Random(SEED)
    copies = list(_copies(options.data, rng))
    rng.shuffle(copies)
    story_of = _grouped(copies)
    wanted: dict[str, list[bool]] = {}
    wrong: dict[str, int] = {}
    joined = right = 0
    for one, other in combinations(range(len(copies)), 2):
        same = copies[one].base == copies[other].base
        together = story_of[one] == story_of[other]
        kinds = " and ".join(sorted({copies[one].kind, copies[other].kind}))
        joined += together
        right += together and same
        if same:
            wanted.setdefault(kinds, []).append(together)
        elif together:
            wrong[kinds] = wrong.get(kinds, 0) + 1
        if options.show and together != same:
            print(f"{'joined' if together else 'apart'}: {kinds}: {copies[one].title!r}, {copies[other].title!r}")
    pairs = sum(map(len, wanted.values()))
    print(f"{len(copies)} texts, {pairs} pairs; precision {right / joined:.3f}, recall {right / pairs:.3f}")
    for kinds, found in sorted(wanted.items()):
        print(f"  {kinds}: {sum(found)} of {len(found)}")
    print(f"  joined wrongly: {wrong or 'none'}")


def _copies(data: Path, rng: random.Random) -> Iterator[Copy]:
    articles = (data / "archive" / "wikinews.jsonl").read_text(encoding="utf-8").splitlines()
    rewrites = REWRITES.read_text(encoding="utf-8").splitlines()
    for base, (line, rewrite) in enumerate(zip(articles, rewrites, strict=True)):
        article, new = json.loads(line), json.loads(rewrite)
        paragraphs = [
            part for part in article["text"].split("\n\n") if part.strip() and part.strip() != article["title"]
        ]
        yield Copy(str(base), "original", article["title"], "\n\n".join(paragraphs))
        most = max(1, len(paragraphs) - rng.randint(1, max(1, len(paragraphs) // 3)))
        yield Copy(str(base), "light", new["headline"], "\n\n".join(paragraphs[:most]))
        yield Copy(str(base), "light", article["title"], "\n\n".join([*paragraphs, new["closing"]]))
        kept = sorted(rng.sample(range(len(paragraphs)), max(1, round(0.6 * len(paragraphs)))))
        body = [paragraphs[place] for place in kept]
        place = rng.randrange(len(body))
        swapped = [*body[place:], *body[:place]]
        yield Copy(
            str(base), "heavy", new["headline"], "\n\n".join([*_led(swapped, paragraphs, new["lead"]), new["closing"]])
        )
        half = rng.sample(paragraphs, max(1, len(paragraphs) // 2))
        yield Copy(str(base), "heavy", new["headline"], "\n\n".join(_led(half, paragraphs, new["cut_lead"])))
        later = new["follow_up"]
        yield Copy(f"{base} later", "follow-up", later["headline"], later["text"])
        background = rng.choice([part for part in paragraphs if len(part.split()) < HUGE_WORDS] or [new["closing"]])
        repeated = f"{later['text']}\n\n{background}"
        yield Copy(f"{base} later", "follow-up with background", later["headline"], repeated)


def _led(body: list[str], paragraphs: list[str], lead: str) -> list[str]:
    """Put the new lead in the place of the old one, or before the text if that is a whole interview."""
    old = next((part for part in paragraphs if len(part.split()) >= LEAD_WORDS), "")
    return [lead, *(part for part in body if part != old or len(old.split()) >= HUGE_WORDS)]


def _grouped(copies: list[Copy]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive.open(Path(folder) / "archive.sqlite")
        found = []
        for number, copy in enumerate(copies):
            article = Article(id=f"c{number:04}", version="1", title=copy.title, text=copy.text)
            story = stories.assign(article, archive)
            archive.add_pending([(article, story)], now=NOW)
            archive.mark_indexed(article, [])
            found.append(story)
        archive.close()
    return found


if __name__ == "__main__":
    main()
