"""Measure how pages with several stories are split, on pages of our own with the right split beside each line.

    python -m bench.pages [--split dev|test] [--show]

A line of `bench/data/pages/*.txt` is `STORY|ROLE|LINE`: the story it belongs to (`-` for none), its role (title, text,
none, blank), and the line of the page. The lines before the first of those begin with `@`: the style of the page, and
kind and completeness of each story. The `dev` pages were looked at while the rules were made, the `test` pages were
not.

boundary   the place where each story but the page's first begins; a lost standfirst does not move it
own text   text lines that stand in their own story, of all of them
furniture  lines of no story that stand in the text of one, of all of them
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eval.sample import ARTICLES
from ingest.borders import Part, signs
from ingest.clean import normalise
from ingest.lines import Line, classify
from ingest.page import Story, begin, meanings_of, split

FOLDER = Path(__file__).parent / "data" / "pages"


@dataclass(slots=True)
class GoldStory:
    """A story as the page's author split it."""

    kind: str
    truncated: bool
    title: str = ""
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """One page with its stories, in order."""

    name: str
    text: str
    stories: list[GoldStory]
    furniture: list[str]


@dataclass(slots=True)
class Counts:
    """What is counted over pages."""

    found: int = 0
    gold: int = 0
    right: int = 0
    lines: int = 0
    own: int = 0
    furniture: int = 0
    leaked: int = 0
    stories: int = 0
    kinds: int = 0
    truncations: int = 0
    titles: int = 0
    whole: int = 0
    pages: int = 0


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--show", action="store_true", help="print what is wrong on each page")
    parser.add_argument("--fit", type=Path, help="fit the weights, with the articles of this folder (archive/)")
    options = parser.parse_args()
    if options.fit:
        fit(options.fit)
        return
    counts = Counts()
    for path in sorted(FOLDER.glob(f"{options.split}-*.txt")):
        measure(read(path), counts, show=options.show)
    print(
        f"{counts.pages} pages, {counts.stories} stories; boundary precision {counts.right / max(1, counts.found):.3f} "
        f"({counts.right} of {counts.found}), recall {counts.right / max(1, counts.gold):.3f} (of {counts.gold}); "
        f"pages with every boundary right {counts.whole}"
    )
    print(
        f"own text {counts.own / counts.lines:.3f} of {counts.lines} lines; "
        f"furniture {counts.leaked / counts.furniture:.3f} of {counts.furniture}; of stories begun right: "
        f"kind {counts.kinds / counts.stories:.3f}, breaks off or not {counts.truncations / counts.stories:.3f}, "
        f"title {counts.titles / counts.stories:.3f}"
    )


def read(path: Path) -> Page:
    """Read a page."""
    stories: list[GoldStory] = []
    page: list[str] = []
    furniture: list[str] = []
    for raw in path.read_text(encoding="utf-8").splitlines():
        if not page and raw.startswith("@"):
            words = raw.split()
            if words[1].isdigit():
                stories.append(GoldStory(words[2], words[3] == "truncated"))
            continue
        story, role, line = raw.split("|", 2)
        page.append(line)
        if role == "title":
            stories[int(story) - 1].title = f"{stories[int(story) - 1].title} {line.strip()}".strip()
        elif role == "text":
            stories[int(story) - 1].lines.append(_bare(line))
        elif role == "none" and _bare(line):
            furniture.append(_bare(line))
    return Page(path.stem, "\n".join(page), stories, furniture)


def _bare(line: str) -> str:
    return normalise(line).strip()


def _begun_by(story: Story, page: Page, everything: str) -> int | None:
    """Return which gold story begins where this one does, None if none.

    What is lost is told apart: a standfirst left out, or a caption taken along, does not move the border.
    """
    own = [part for part in story.text.split("\n\n") if part not in page.furniture]
    head = own[0] if own else ""
    for number, gold in enumerate(page.stories):
        lost = [line for line in gold.lines[:1] if line not in everything]
        lead = next((line for line in gold.lines if line not in lost), "")
        if lead and head.startswith(lead):
            return number
    return None


def measure(page: Page, counts: Counts, *, show: bool) -> None:
    """Add the page to the counts."""
    found = split(page.text)
    counts.pages += 1
    counts.gold += len(page.stories) - 1
    counts.found += max(0, len(found) - 1)
    begun: dict[int, Story] = {}
    wrong = []
    everything = "\n".join(story.text for story in found)
    for place, story in enumerate(found):
        gold = _begun_by(story, page, everything)
        if gold is not None:
            begun[gold] = story
            counts.right += gold > 0 and place > 0
        if gold is None or (gold > 0) != (place > 0):
            wrong.append(f"begins wrongly: {story.text[:90]!r}")
    missed = [n for n in range(len(page.stories)) if n not in begun]
    wrong += [f"missed: {page.stories[n].lines[0][:90]!r}" for n in missed]
    counts.whole += not wrong
    for n, gold_story in enumerate(page.stories):
        counts.stories += 1
        counts.lines += len(gold_story.lines)
        text = begun[n].text if n in begun else ""
        lost = [line for line in gold_story.lines if line not in text]
        counts.own += len(gold_story.lines) - len(lost)
        if n in begun:
            counts.kinds += begun[n].kind == gold_story.kind
            counts.truncations += begun[n].truncated == gold_story.truncated
            same = begun[n].title == _bare(gold_story.title) if gold_story.title else begun[n].title_inferred
            counts.titles += same
            if not same:
                wrong.append(f"title {begun[n].title[:60]!r}, not {gold_story.title[:60]!r}")
            if begun[n].kind != gold_story.kind or begun[n].truncated != gold_story.truncated:
                is_ = f"{begun[n].kind} {'truncated' if begun[n].truncated else 'complete'}"
                wrong.append(f"is {is_}: {gold_story.lines[0][:50]!r} ... {gold_story.lines[-1][-50:]!r}")
            wrong += [f"lost: {line[:90]!r}" for line in lost]
    leaked = [line for line in page.furniture if f"\n{line}\n" in f"\n{everything}\n"]
    counts.furniture += len(page.furniture)
    counts.leaked += len(leaked)
    if show:
        print(f"== {page.name}: {len(page.stories)} stories, {len(found)} found")
        for line in [*wrong, *(f"furniture kept: {line[:90]!r}" for line in leaked)]:
            print(f"   {line}")


# -- fitting -----------------------------------------------------------------------------------------

SEED = 3
MADE = 600  # pages put together from articles of the sample archive
PAGE_WEIGHT = 4.0


def fit(data: Path) -> None:
    """Fit the weights of `ingest.borders` on the `dev` pages, on pages put together, and on whole articles."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import precision_recall_fscore_support

    rng = random.Random(SEED)
    articles = [
        json.loads(line)
        for path in (ARTICLES, data / "archive" / "wikinews.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    whole = [article["text"] for article in articles]
    places = [
        (found, new, PAGE_WEIGHT) for path in sorted(FOLDER.glob("dev-*.txt")) for found, new in places_of(read(path))
    ]
    places += [(found, new, 1.0) for page in _made(articles, rng) for found, new in places_of(page)]
    places += [
        (found, new, 1.0)
        for text in whole
        for found, new in places_of(Page("", text, [GoldStory("article", False)], []))
    ]
    names = list(places[0][0])
    rows = np.array([[found[name] for name in names] for found, _, _ in places])
    labels = np.array([new for _, new, _ in places])
    weights = np.array([weight for _, _, weight in places])
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=5000).fit(rows, labels, sample_weight=weights)
    found = model.decision_function(rows) > 0
    print(f"{len(places)} places, {labels.sum()} new; on these: {precision_recall_fscore_support(labels, found)[:2]}")
    for name, value in zip(names, model.coef_[0], strict=True):
        print(f'    "{name}": {value:.2f},')


def places_of(page: Page) -> list[tuple[dict[str, float], bool]]:
    """Return the signs at each text but the page's first, with the right stories above it, and if it opens one."""
    lines = classify([part for part in normalise(page.text).split("\n\n") if part])
    firsts = {own.lines[0] for own in page.stories[1:] if own.lines}
    meanings = meanings_of(lines)
    between: list[Line] = []
    part: Part | None = None
    places = []
    for place, line in enumerate(lines):
        if line.role != "text":
            between.append(line)
            continue
        if part is None:
            part = Part()
            begin(part, between, "", whole=False)
        else:
            new = any(line.text.startswith(first) for first in firsts)
            # A standfirst that is no whole sentence is a short line here: the text after it opens the story.
            new = new or any(item.text in firsts for item in between if item.role == "short")
            places.append((signs(lines, place, between, part, meanings), new))
            if new:
                part = Part()
                begin(part, between, "", whole=False)
        part.add(line)
        between = []
    return places


def _made(articles: list[dict[str, str]], rng: random.Random) -> list[Page]:
    """Put pages together: whole articles, some that break off, and teasers."""
    return [_made_page(number, rng.sample(articles, rng.randint(1, 5)), rng) for number in range(MADE)]


def _made_page(number: int, articles: list[dict[str, str]], rng: random.Random) -> Page:
    bare = rng.random() < 0.35  # one article, then teasers, each one paragraph without anything between
    text: list[str] = []
    stories = []
    for place, article in enumerate(articles):
        paragraphs = [part for part in article["text"].split("\n\n") if part.count(" ") > 12]
        if not paragraphs:
            continue
        if place and (bare or rng.random() < 0.5):
            paragraphs = [_cut(paragraphs[0], rng) if rng.random() < 0.85 else paragraphs[0]]
            if rng.random() < 0.25:
                paragraphs = [f"{rng.choice(_KICKERS)}: {paragraphs[0]}"]
        elif rng.random() < 0.25:
            last = rng.randrange(len(paragraphs))
            paragraphs = [*paragraphs[:last], _cut(paragraphs[last], rng)]
        head = [article["title"]] if rng.random() < (0.3 if bare else 0.8) and not (bare and place) else []
        if not bare and rng.random() < 0.5:
            head.append(rng.choice([f"By {rng.choice(_NAMES)}", "12 May 2025", "3 hours ago"]))
        if place and not bare and rng.random() < 0.3:
            head.insert(0, rng.choice(_FURNITURE))
        text += [*head, *_interrupted(paragraphs, rng)]
        stories.append(GoldStory("article", False, lines=paragraphs))
    return Page(f"made-{number}", "\n\n".join(text), stories, [])


_NAMES = ("Marta Quill", "Jon Abbas", "Li Wen", "R. Okafor")
_KICKERS = ("HARBOUR NOISE", "NIGHT SHIFT", "BUDGET", "COURT CASE", "NO WAY BACK", "TALKS")
_FURNITURE = ("---", "Read more", "More news", "Related stories", "Recommended", "© The Courier. All rights reserved.")


def _cut(paragraph: str, rng: random.Random) -> str:
    words = paragraph.split()
    kept = " ".join(words[: rng.randint(12, len(words) - 1)])
    return kept + rng.choice(["", "", "…", " [...]"])


def _interrupted(paragraphs: list[str], rng: random.Random) -> list[str]:
    """Put subheads and furniture between the paragraphs of a longer article."""
    subheads, furniture = rng.random() < 0.4, rng.random() < 0.4
    lines = paragraphs[:2]
    for paragraph in paragraphs[2:]:
        words = paragraph.split()
        if furniture and rng.random() < 0.2:
            lines.append(rng.choice([*_FURNITURE, "Photo: AP", "Story continues below", "By the numbers"]))
        if subheads and rng.random() < 0.3 and len(words) > 9:
            first, count = rng.randrange(len(words) - 8), rng.randint(2, 8)
            lines.append(" ".join(words[first : first + count]).strip(' .,;:“”"').capitalize())
        lines.append(paragraph)
    return lines


if __name__ == "__main__":
    main()
