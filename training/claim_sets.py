"""The sets the verifier learns from, each as pairs of a claim and a text; where each comes from: training/README.md.

`folder` is a copy of the development data (`judge/`, `reader/`, `train/`).
"""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rag.anchors import anchored
from rag.sentences import sentences

OWN = Path(__file__).parent / "data" / "claims.jsonl"

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


def judged_sentences(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """Yield the human labels sentence by sentence, as far as the sets tell which one is wrong.

    A sentence of a supported claim is supported. Of an unsupported one the only sentence that no supported claim about
    the same document holds is the wrong one; claims with several such are left out.
    """
    by_group: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_group[pair.group].append(pair)
    for found in by_group.values():
        right = {text for pair in found if pair.label == "supported" for text in sentences(pair.claim)}
        wrong = set()
        for pair in found:
            unknown = [text for text in sentences(pair.claim) if text not in right]
            if pair.label != "supported" and len(unknown) == 1:
                wrong.add(unknown[0])
        for text in sorted(right | wrong):
            yield replace(found[0], claim=text, label="supported" if text in right else "other")


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


def own() -> Iterator[Pair]:
    """Yield our own sentences about passages of ours, each as the verifier meets it: headline, outlet, date, text."""
    for row in _lines(OWN):
        published = datetime.fromisoformat(row["date"]).replace(tzinfo=UTC)
        date = f"{published:%d %B %Y}".lstrip("0")
        text = f"{row['title']}\n{row['outlet']} {date}\n{anchored(row['text'], published)}"
        labels: tuple[tuple[str, Label], ...] = (("true", "supported"), ("false", "other"))
        for name, label in labels:
            for claim in row[name]:
                yield Pair("own", f"own:{row['id'].rsplit(':', 1)[0]}", claim["claim"], text, label)
