"""Measure the verifier on true sentences of our own and on faults planted into them.

    python -m bench.claims [--split dev|test] [--verifier rules] [--show]

`bench/data/paraphrases.jsonl` holds 400 sentences written from quoted sentences of the sample archive, all true; half
of the articles are `dev`, half `test`. Each is checked against the passages of its article that hold the quote, with
headline, outlet and date, as a sentence of a chat model is. Faults, one in a sentence, up to 25 of a kind in a half:

number     a figure is another one             direction   rose for fell, more for less, before for after
name       a person or place is another one    speaker     another person of the article says it
date       another month, weekday or year      unit        per cent for people, metres for kilometres
negation   "not" comes in or goes              invented    a clause of an article on something else is appended

A fault counts as caught if the sentence is not "supported", a true sentence as passed if it is.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.sample import ARTICLES
from ingest.passages import split
from rag.schema import Article
from rag.settings import load_settings
from rag.verifier import verifier_of
from rag.words import names

DATA = Path(__file__).parent / "data" / "paraphrases.jsonl"
SEED = 17
MOST = 25  # faults of a kind in a half
PASSAGE_WORDS = 95


@dataclass(frozen=True, slots=True)
class Case:
    """A claim with what it cites; `kind` of a true one is how it was reworded."""

    claim: str
    passages: list[str]
    true: bool
    kind: str


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--verifier", default=None, help="as in PRESSMARK_VERIFIER")
    parser.add_argument("--show", action="store_true", help="name the sentences that went wrong")
    options = parser.parse_args()
    verifier = verifier_of(load_settings(verifier=options.verifier))
    cases = all_cases(options.split)
    print(f"{options.split}, {verifier.name}: {len(cases)} sentences")
    right: dict[tuple[bool, str], list[bool]] = defaultdict(list)
    seconds = []
    for case in cases:
        began = time.perf_counter()
        check = verifier.verify(case.claim, case.passages)
        seconds.append(time.perf_counter() - began)
        ok = (check.verdict == "supported") == case.true
        right[case.true, case.kind].append(ok)
        if options.show and not ok:
            print(
                f"{'withheld' if case.true else 'MISSED'} {case.kind}: {case.claim}\n    {check.score} {check.reasons}"
            )
    for true, title in ((False, "faults caught"), (True, "true sentences passed")):
        found = {kind: values for (is_true, kind), values in right.items() if is_true == true}
        whole = [value for values in found.values() for value in values]
        parts = ", ".join(f"{kind} {sum(values)} of {len(values)}" for kind, values in sorted(found.items()))
        print(f"{title}: {sum(whole)} of {len(whole)} ({np.mean(whole):.3f}); {parts}")
    print(f"milliseconds a sentence: p50 {1000 * np.median(seconds):.1f}, p95 {1000 * np.percentile(seconds, 95):.1f}")


def all_cases(half: str) -> list[Case]:
    """Return the true sentences of a half and the faults made from them, always the same."""
    rng = random.Random(SEED)
    articles = [json.loads(line) for line in ARTICLES.read_text(encoding="utf-8").splitlines()]
    chosen = [article for place, article in enumerate(articles) if (place % 2 == 0) == (half == "dev")]
    by_id = {article["id"]: article for article in chosen}
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["article"] in by_id]
    cases, faults = [], defaultdict(list)
    for row in rows:
        article = by_id[row["article"]]
        passages = _passages(article, row["quote"])
        cases.append(Case(row["claim"], passages, True, row["kind"]))
        elsewhere = rng.choice([other for other in chosen if other is not article])
        for kind, fault in FAULTS.items():
            wrong = fault(row["claim"], article, elsewhere, rng)
            if wrong and wrong != row["claim"]:
                faults[kind].append(Case(wrong, passages, False, kind))
    for kind in FAULTS:
        rng.shuffle(faults[kind])
        cases += faults[kind][:MOST]
    return cases


def _passages(article: dict[str, Any], quote: str) -> list[str]:
    """Return the passages that hold the quote, or most of it, as the verifier is given them."""
    whole = Article(id=article["id"], version="1", title=article["title"], text=article["text"])
    pieces = split(whole, max_tokens=PASSAGE_WORDS, count_tokens=lambda text: len(text.split()))
    begin = article["text"].index(quote)
    end = begin + len(quote)
    shared = [max(0, min(piece.end, end) - max(piece.start, begin)) for piece in pieces]
    holding = [piece for piece, size in zip(pieces, shared, strict=True) if size == max(shared)][:1]
    rest = (
        [piece for piece in pieces if piece not in holding and piece.end >= end > piece.start]
        if max(shared) < len(quote)
        else []
    )
    head = f"{article['title']}\n{article.get('source', '')} {_date(str(article.get('published_at') or ''))}"
    return [f"{head}\n{piece.text}" for piece in [*holding, *rest[:1]]]


def _date(text: str) -> str:
    from datetime import datetime

    return f"{datetime.fromisoformat(text):%d %B %Y}".lstrip("0") if text else ""


# -- faults ------------------------------------------------------------------------------------------

Fault = Callable[[str, dict[str, Any], dict[str, Any], random.Random], str | None]
_FIGURE = re.compile(r"(?<![\w.,-])\d[\d,.]*\d|(?<![\w.,-])\d(?![\w.])")
_NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve".split()
_MONTHS = "January February March April May June July August September October November December".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_TURNED = (
    ("more than", "less than"), ("rose", "fell"), ("up from", "down from"), ("before", "after"), ("higher", "lower"),
    ("increased", "decreased"), ("increase", "decrease"), ("won", "lost"), ("for the first time", "for the last time"),
    ("opened", "closed"), ("rejected", "accepted"), ("approved", "turned down"), ("cheaper", "dearer"),
    ("cut", "raised"),
    ("earlier", "later"), ("north", "south"), ("east", "west"), ("largest", "smallest"), ("at least", "at most"),
    ("began", "ended"), ("gained", "lost"), ("against", "in favour of"), ("oldest", "youngest"), ("above", "below"),
    ("over", "under"), ("confirmed", "denied"), ("agreed", "refused"), ("last", "first"), ("older", "younger"),
)  # fmt: skip
_SAID = re.compile(
    r"\b(?:said|says|told|called|warned|added|argued|insisted|according to|stressed|promised|described)\b"
)
_VERB = re.compile(r"\b(is|are|was|were|has|have|had|will|would|can|could)\b(?! (?:not|no)\b)")
_UNITS = (
    ("per cent", "crowns"), ("%", " tonnes"), ("metres", "kilometres"), ("kilometres", "metres"), ("crowns", "tonnes"),
    ("hours", "days"), ("days", "weeks"), ("years", "months"), ("weeks", "months"), ("minutes", "hours"),
    ("months", "years"), ("million", "thousand"), ("tonnes", "litres"), ("billion", "million"), ("people", "per cent"),
)  # fmt: skip


def _number(claim: str, article: dict[str, Any], elsewhere: dict[str, Any], rng: random.Random) -> str | None:
    found = list(_FIGURE.finditer(claim))
    if found:
        match = rng.choice(found)
        digits = match.group()
        place = rng.choice([n for n, sign in enumerate(digits) if sign.isdigit()])
        new = rng.choice([sign for sign in "123456789" if sign != digits[place]])
        return claim[: match.start()] + digits[:place] + new + digits[place + 1 :] + claim[match.end() :]
    words = [word for word in _NUMBER_WORDS if re.search(rf"\b{word}\b", claim)]
    if not words:
        return None
    old = rng.choice(words)
    return re.sub(rf"\b{old}\b", rng.choice([word for word in _NUMBER_WORDS if word != old]), claim, count=1)


def _name(claim: str, article: dict[str, Any], elsewhere: dict[str, Any], rng: random.Random) -> str | None:
    own = [name for name in names(claim) if not claim.startswith(name) or " " in name]
    others = [name for name in names(elsewhere["text"][300:]) if name not in article["text"] and name.count(" ") < 2]
    if not own or not others:
        return None
    old = rng.choice(own)
    like = [name for name in others if (" " in name) == (" " in old)] or others
    return claim.replace(old, rng.choice(like), 1)


def _when(claim: str, article: dict[str, Any], elsewhere: dict[str, Any], rng: random.Random) -> str | None:
    for group in (_MONTHS, _DAYS):
        held = [word for word in group if re.search(rf"\b{word}\b", claim)]
        if held:
            old = rng.choice(held)
            return re.sub(rf"\b{old}\b", rng.choice([word for word in group if word != old]), claim, count=1)
    year = re.search(r"\b(?:19|20)\d\d\b", claim)
    return claim.replace(year.group(), str(int(year.group()) - rng.randint(1, 4)), 1) if year else None


def _negation(claim: str, article: dict[str, Any], elsewhere: dict[str, Any], rng: random.Random) -> str | None:
    if re.search(r"\b(?:not|never) ", claim):
        return re.sub(r"\b(?:not|never) ", "", claim, count=1)
    match = _VERB.search(claim)
    return f"{claim[: match.end()]} not{claim[match.end() :]}" if match else None


def _direction(claim: str, article: dict[str, Any], elsewhere: dict[str, Any], rng: random.Random) -> str | None:
    both = [pair for one, other in _TURNED for pair in ((one, other), (other, one))]
    held = [pair for pair in both if re.search(rf"\b{pair[0]}\b", claim)]
    if not held:
        return None
    old, new = rng.choice(held)
    return re.sub(rf"\b{old}\b", new, claim, count=1)


def _speaker(claim: str, article: dict[str, Any], elsewhere: dict[str, Any], rng: random.Random) -> str | None:
    if not _SAID.search(claim):
        return None
    people = [name for name in names(article["text"]) if name.count(" ") == 1]
    own = [name for name in names(claim) if name in people or any(name in person.split() for person in people)]
    others = [person for person in people if not any(part in claim for part in person.split())]
    if not own or not others:
        return None
    return claim.replace(own[0], rng.choice(others), 1)


def _unit(claim: str, article: dict[str, Any], elsewhere: dict[str, Any], rng: random.Random) -> str | None:
    held = [(old, new) for old, new in _UNITS if re.search(rf"\d[\d,.]*[ -]?{re.escape(old)}(?!\w)", claim)]
    if not held:
        return None
    old, new = rng.choice(held)
    return re.sub(rf"(\d[\d,.]*[ -]?){re.escape(old)}(?!\w)", rf"\g<1>{new}", claim, count=1)


_INVENTED = (
    "because the money had run out", "and the minister has since apologised", "which surprised the police",
    "although the unions had agreed to it", "and the case is now before the courts", "to save costs",
    "after a warning from the weather service", "and her deputy resigned the same day", "which critics call a mistake",
    "in spite of protests by residents", "and insurers will pay for the damage", "as had been planned for years",
    "with the help of volunteers from abroad", "and an inquiry has been opened", "which had never happened before",
)  # fmt: skip


def _invented(claim: str, article: dict[str, Any], elsewhere: dict[str, Any], rng: random.Random) -> str | None:
    bare = claim.removesuffix(".")
    return f"{bare}, {rng.choice(_INVENTED)}." if bare != claim else None


FAULTS: dict[str, Fault] = {
    "number": _number, "name": _name, "date": _when, "negation": _negation, "direction": _direction,
    "speaker": _speaker, "unit": _unit, "invented": _invented,
}  # fmt: skip


if __name__ == "__main__":
    main()
