"""The sets the verifier learns from, each as pairs of a claim and a text; where each comes from: training/README.md.

`folder` is a copy of the development data (`judge/`, `reader/`, `train/`).
"""

from __future__ import annotations

import csv
import json
import random
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rag.figures import figures
from rag.sentences import sentences
from rag.words import MONTHS, WEEKDAYS, names

# "other" stands for contradicted or neither, where a set does not tell them apart.
Label = Literal["supported", "contradicted", "neither", "other"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim with a text; `group` is never split between training and measuring."""

    source: str
    group: str
    claim: str
    text: str
    label: Label

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, ensure_ascii=False)


_LABELS: dict[str, Label] = {
    "entailment": "supported", "contradiction": "contradicted", "neutral": "neither",
    "not_entailment": "other",
    "supports": "supported", "supported": "supported", "support": "supported",
    "refutes": "contradicted", "refuted": "contradicted", "refute": "contradicted",
    "notenoughinfo": "neither", "not enough": "neither", "enough": "supported", "not enough info": "neither",
}  # fmt: skip


def all_sets(folder: Path) -> Iterator[Pair]:
    """Yield every pair of the published sets in `folder`/train."""
    train = folder / "train"
    yield from _fever(train / "fever_dev_rte" / "RTE-Fever" / "processed")
    for part in ("dev", "test"):
        for row in _lines(train / "fool_me_twice" / "dataset" / f"{part}.jsonl"):
            text = " ".join(piece["text"] for piece in row["gold_evidence"])
            yield _pair("fool_me_twice", row["wikipedia_page"], row["text"], text, row["label"])
        for row in _lines(train / "fever_symmetric" / "symmetric_v0.2" / f"fever_symmetric_{part}.jsonl"):
            yield _pair("fever_symmetric", row["claim"], row["sentence2"], row["sentence1"], row["gold_label"])
    for part in ("fever", "hover", "vitaminc"):
        path = train / "sufficient_facts" / "data" / "sufficient_facts" / f"{part}_sufficient_facts.jsonl"
        yield from _sufficient(path, part)
    yield from _covid(train / "check_covid" / "Check-COVID")
    for name in ("mnli/dev", "snli/dev", "scitail/test"):
        for row in _lines(train / "snli_mnli_dev" / "data" / f"{name}.jsonl"):
            yield _pair(name.split("/")[0], row["premise"], row["hypothesis"], row["premise"], row["label"])
    yield from _aligned(train / "snli_test" / "dataset" / "eSNLI", "test")
    for part in ("train", "dev", "test"):
        yield from _table(train / "cad_nli" / "NLI" / "all_combined" / f"{part}.tsv", "cad", "sentence1", "sentence2")
    for part in ("MNLI", "SNLI"):
        path = train / "negation_nli" / "data" / "new_benchmarks" / "clean_data" / f"{part}.txt"
        yield from _table(path, "negation", "Text", "Hypothesis")
    with zipfile.ZipFile(train / "breaking_nli" / "breaking_nli_dataset.zip") as packed:
        for line in packed.read("data/dataset.jsonl").decode("utf-8").splitlines():
            row = json.loads(line)
            yield _pair("breaking", row["sentence1"], row["sentence2"], row["sentence1"], row["gold_label"])


def judged(folder: Path) -> Iterator[Pair]:
    """Yield the human labels of `folder`/judge; a group is a document, as far as it is told."""
    for name in ("summedits", "wice"):
        for row in _lines(folder / "judge" / f"{name}_dev.jsonl"):
            label: Label = "supported" if row["label"] else "other"
            yield Pair(name, f"{name}:{row['group']}", row["claim"], row["doc"], label)


def _pair(source: str, group: str, claim: str, text: str, label: str) -> Pair:
    return Pair(source, f"{source}:{group}", _tidy(claim), _tidy(text), _LABELS[label.strip().lower()])


def _tidy(text: str) -> str:
    """Undo the treebank's tokens: "-LRB-", blanks before punctuation."""
    for mark, sign in (("-LRB-", "("), ("-RRB-", ")"), ("-LSB-", "["), ("-RSB-", "]"), ("``", '"'), ("''", '"')):
        text = text.replace(mark, sign)
    text = re.sub(r"\s+([.,;:!?)\]])", r"\1", text)
    return " ".join(re.sub(r"([(\[])\s+", r"\1", text).split())


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _fever(folder: Path) -> Iterator[Pair]:
    parts = [(folder / f"dev.{name}").read_text(encoding="utf-8").splitlines() for name in ("raw.input0", "raw.input1")]
    labels = (folder / "dev.label").read_text(encoding="utf-8").splitlines()
    for text, claim, label in zip(*parts, labels, strict=True):
        yield _pair("fever", claim, claim, text, label)


def _sufficient(path: Path, part: str) -> Iterator[Pair]:
    for row in _lines(path):
        whole = row["label_after"].lower() != "not enough"
        text = " ".join(sentence for _, sentence in row["evidence"])
        label = row["label_before"] if whole else "not enough"
        yield _pair(f"sufficient-{part}", row["claim"], row["claim"], text, label)


def _covid(folder: Path) -> Iterator[Pair]:
    abstracts = {row["cord_id"]: row["abstract"] for row in _lines(folder / "corpus.json")}
    for row in _lines(folder / "Check-COVID_all.json"):
        chosen = sorted({item["sent_index"] for item in row["evidence_set"]})
        sentences_ = abstracts[row["cord_id"]]
        text = " ".join(sentences_[index] for index in chosen if index < len(sentences_)) or " ".join(sentences_)
        yield _pair("check_covid", row["cord_id"], row["claim"], text, row["label"])


def _aligned(folder: Path, part: str) -> Iterator[Pair]:
    parts = [(folder / f"{name}.{part}").read_text(encoding="utf-8").splitlines() for name in ("s1", "s2", "labels")]
    for text, claim, label in zip(*parts, strict=True):
        yield _pair("snli-test", text, claim, text, label)


def _table(path: Path, source: str, text: str, claim: str) -> Iterator[Pair]:
    with path.open(encoding="utf-8", errors="replace", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["gold_label"]:
                yield _pair(source, row[text], row[claim], row[text], row["gold_label"])


# -- made from paragraphs ------------------------------------------------------------------------------

_OPPOSITES_TEXT = """
    rose fell|increased decreased|increase decrease|rise fall|higher lower|more fewer|more less|before after|won lost
    first last|north south|east west|accepted rejected|approved rejected|opened closed|largest smallest|best worst
    confirmed denied|oldest youngest|always never|all some|most few|gained lost|up down|early late|start end
    began ended|above below|with without|because although|join leave|support oppose|supported opposed|bought sold
    allowed banned|arrived left|major minor|public private|local national|old new|male female|father son|long short
"""
_OPPOSITES = {
    word: other
    for pair in _OPPOSITES_TEXT.replace("\n", "|").split("|")
    if len(words := pair.split()) == 2
    for word, other in (tuple(words), tuple(reversed(words)))
}
_BE = re.compile(r"\b(is|are|was|were|will|would|can|could|has|have|had|did|does|should|must)\b(?! not)")
_CLAUSE = re.compile(r",\s[^,.;:“”\"]{12,120}(?:,|(?=[.;]$))")
_LEADING = re.compile(r"^(?:However|Meanwhile|In addition|Also|Then|Later|Today|Additionally|Moreover|Finally),\s+(\w)")
_MADE_WORDS = range(8, 45)


def made(paragraphs: list[tuple[str, str]], rng: random.Random) -> Iterator[Pair]:
    """Yield claims made from the sentences of (group, paragraph): compressions, and corruptions of them."""
    for number, (group, paragraph) in enumerate(paragraphs):
        fit = [text for text in sentences(paragraph) if len(text.split()) in _MADE_WORDS]
        if len(fit) < 2:
            continue
        other = paragraphs[rng.randrange(len(paragraphs))][1]
        for sentence in rng.sample(fit, min(2, len(fit))):
            claim = compressed(sentence, rng)
            yield Pair("made", f"made:{group}", claim, paragraph, "supported")
            wrong = corrupted(claim, paragraph, other, rng)
            if wrong:
                yield Pair("made", f"made:{group}", wrong[0], paragraph, wrong[1])
        if number % 2 == 0:
            sentence = rng.choice(fit)
            yield Pair("made", f"made:{group}", compressed(sentence, rng), paragraph.replace(sentence, " "), "neither")


def compressed(sentence: str, rng: random.Random) -> str:
    """Return the sentence without one of its clauses, where it has one that can go; else as it is."""
    sentence = _LEADING.sub(lambda match: match[1].upper(), sentence)
    clauses = list(_CLAUSE.finditer(sentence))
    if clauses and rng.random() < 0.7:
        chosen = rng.choice(clauses)
        cut = sentence[: chosen.start()] + sentence[chosen.end() :]
        if len(cut.split()) >= 6:
            sentence = re.sub(r"\s+([.,])", r"\1", cut)
    return sentence


def corrupted(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> tuple[str, Label] | None:
    """Return the claim with one fault, and its label; None if no fault could be made."""
    kinds = [_number, _name, _date, _direction, _negation, _appended]
    rng.shuffle(kinds)
    for kind in kinds:
        wrong = kind(claim, paragraph, elsewhere, rng)
        if wrong and wrong != claim and wrong not in paragraph:
            return wrong, "other" if kind is _name else "neither" if kind is _appended else "contradicted"
    return None


def _number(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    found = list(re.finditer(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w])", claim))
    if not found:
        return None
    match = rng.choice(found)
    others = [
        m.group() for m in re.finditer(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?!\w)", paragraph) if m.group() != match.group()
    ]
    if others and rng.random() < 0.4:
        new = rng.choice(others)
    else:
        digits = list(match.group())
        places = [place for place, sign in enumerate(digits) if sign.isdigit()]
        place = rng.choice(places[:2])
        digits[place] = rng.choice([sign for sign in "123456789" if sign != digits[place]])
        new = "".join(digits)
    return claim[: match.start()] + new + claim[match.end() :]


def _name(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    own = names(claim)
    pool = [name for name in [*names(paragraph), *names(elsewhere)] if name not in claim]
    if not own or not pool:
        return None
    old = rng.choice(own)
    like = [name for name in pool if name.count(" ") == old.count(" ")] or pool
    return claim.replace(old, rng.choice(like), 1)


def _date(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    for group in (MONTHS, WEEKDAYS):
        known = [word for word in group if re.search(rf"\b{word.capitalize()}\b", claim)]
        if known:
            old = rng.choice(known)
            new = rng.choice([word for word in group if word != old and len(word) > 3])
            return re.sub(rf"\b{old.capitalize()}\b", new.capitalize(), claim, count=1)
    return None


def _direction(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    found = [word for word in re.findall(r"\w+", claim) if word in _OPPOSITES]
    if not found:
        return None
    word = rng.choice(found)
    return re.sub(rf"\b{word}\b", _OPPOSITES[word], claim, count=1)


def _negation(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    for pattern in (r"\b(not|never) ", r"n’t\b", r"n't\b"):
        if re.search(pattern, claim):
            return re.sub(pattern, "", claim, count=1)
    match = _BE.search(claim)
    return f"{claim[: match.end()]} not{claim[match.end() :]}" if match else None


def _appended(claim: str, paragraph: str, elsewhere: str, rng: random.Random) -> str | None:
    clauses = [match.group().strip(" ,") for match in _CLAUSE.finditer(elsewhere)]
    clauses = [clause for clause in clauses if not figures(clause) and clause not in paragraph]
    return f"{claim.rstrip('.')}, {rng.choice(clauses)}." if clauses else None
