"""The public sets a reader learns from, each to one form; where each comes from stands in training/README.md.

`folder` is a copy of the development data (`reader/` and `train/` as described in their own README files).
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Example:
    """One question about one text.

    Attributes:
        source: Name of the set.
        group: Article the text is from; whole groups are held out.
        text: Paragraph, or several sentences one per line.
        span: Characters [start, end) of the answer in `text`; None if it holds none.
        sentence_only: `span` covers the whole answering sentence, no exact answer is known.
        golds: Every accepted answer, where a set gives several.
    """

    source: str
    group: str
    question: str
    title: str
    text: str
    span: Span | None
    sentence_only: bool = False
    golds: tuple[str, ...] = ()


def squad(path: Path, source: str, *, titled: bool) -> Iterator[Example]:
    """Yield the questions of a file in SQuAD format; of several gold spans the most frequent, then the shortest.

    In a file of one document each paragraph is a group. `titled` says that the document's title names its subject.
    """
    documents = json.loads(path.read_text(encoding="utf-8"))["data"]
    for document in documents:
        name = str(document.get("title", ""))
        for number, paragraph in enumerate(document["paragraphs"]):
            group = name if len(documents) > 1 else f"{name}-{number}"
            title = name.replace("_", " ") if titled else ""
            for qa in paragraph["qas"]:
                answers = qa.get("answers", [])
                golds = tuple(dict.fromkeys(answer["text"] for answer in answers))
                question, text = _tidy(qa["question"]), paragraph["context"]
                yield Example(source, group, question, title, text, _majority(answers), golds=golds)


def paragraph_sets(folder: Path) -> Iterator[Example]:
    """Yield every question that comes with a whole paragraph."""
    yield from squad(folder / "reader/new_wiki_v1.0.json", "squadshifts-wiki", titled=True)
    yield from squad(folder / "reader/amazon_reviews_v1.0.json", "squadshifts-amazon", titled=False)
    yield from squad(folder / "reader/reddit_v1.0.json", "squadshifts-reddit", titled=False)
    yield from squad(folder / "train/squad1_train_part/data/test-v1.1.json", "squad1", titled=True)
    yield from squad(folder / "train/squad2_half_dev/data/dev-v2.0.json", "squad2", titled=True)
    yield from nq(folder / "train/nq_oracle/qa_data/nq-open-oracle.jsonl.gz")


def nq(path: Path) -> Iterator[Example]:
    """Yield real search questions with their gold passage; the first place of the answer is its span."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            passage = next(ctx for ctx in item["ctxs"] if ctx["isgold"])
            found = [_find(passage["text"], answer) for answer in item["answers"]]
            span = next((span for span in found if span), None)
            if span:
                yield Example("nq", passage["title"], item["question"] + "?", passage["title"], passage["text"], span)


def qamr(folder: Path) -> Iterator[Example]:
    """Yield free questions on single sentences where both validators overlap the writer's contiguous span."""
    texts = qamr_sentences(folder)
    for part in ("dev", "test"):
        with (folder / f"data/filtered/{part}.tsv").open(encoding="utf-8") as lines:
            for line in lines:
                id_, _, _, _, _, question, answer, *validators = line.rstrip("\n").split("\t")
                own = [int(index) for index in answer.split()]
                others = [{int(i) for i in v.split(":")[1].split()} for v in validators if ":" in v]
                if not own or own != list(range(own[0], own[-1] + 1)) or not all(set(own) & o for o in others):
                    continue
                text, spans = texts[id_]
                yield Example("qamr", id_, _tidy(question), "", text, (spans[own[0]][0], spans[own[-1]][1]))


def qamr_sentences(folder: Path) -> dict[str, tuple[str, list[Span]]]:
    """Return text and token spans of each sentence, by id `corpus:domain:document:paragraph:sentence`."""
    found = {}
    with (folder / "data/wiki-sentences.tsv").open(encoding="utf-8") as lines:
        for line in lines:
            id_, sentence = line.rstrip("\n").split("\t")
            found[id_] = joined(sentence.split(" "))
    return found


def qadiscourse(folder: Path) -> Iterator[Example]:
    """Yield why, how and when questions whose answer stands in the sentence word for word."""
    for path in sorted((folder / "Dataset").glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                text = row["untokenized sentence"].replace("\\'", "'")
                span = _find(text, row["answer"].replace("\\'", "'").rstrip(" ."))
                question = row["full_question"].replace("\\'", "'").strip()
                if span and span[1] - span[0] < 0.8 * len(text) and question:
                    yield Example("qadiscourse", row["qasrl_id"], question.rstrip("?") + "?", "", text, span)


def qasrl(folder: Path) -> Iterator[Example]:
    """Yield templated questions a majority finds valid, with the span most mark; textbook sentences left out."""
    seen: set[tuple[str, str, str]] = set()
    for path in sorted((folder / "data").glob("**/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                item = json.loads(line)
                if not str(item["sentenceId"]).startswith("TQA"):
                    yield from _qasrl_sentence(item, seen)


def _qasrl_sentence(item: dict[str, Any], seen: set[tuple[str, str, str]]) -> Iterator[Example]:
    text, places = joined(item["sentenceTokens"])
    for verb in item["verbEntries"].values():
        for question, label in verb["questionLabels"].items():
            key = (item["sentenceId"], str(verb["verbIndex"]), question)
            judged = label["answerJudgments"]
            valid = [j for j in judged if j["isValid"]]
            if key in seen or len(valid) * 2 <= len(judged):
                continue
            seen.add(key)
            marked = [tuple(span) for j in valid for span in j["spans"]]
            start, end = max(dict.fromkeys(marked), key=lambda span: (marked.count(span), span[0] - span[1]))
            yield Example("qasrl", str(item["sentenceId"]), question, "", text, (places[start][0], places[end - 1][1]))


def selqa(folder: Path) -> Iterator[Example]:
    """Yield questions with candidate sentences, one per line; the answer is a whole sentence."""
    for part in ("dev", "test"):
        for item in json.loads((folder / f"ass/selqa-ass-{part}.json").read_text(encoding="utf-8")):
            if len(item["answers"]) != 1:
                continue
            lines = [" ".join(candidate.split()) for candidate in item["candidates"]]
            start = sum(len(line) + 1 for line in lines[: item["answers"][0]])
            span = (start, start + len(lines[item["answers"][0]]))
            yield Example(
                "selqa", item["article"], _tidy(item["question"]), item["article"], "\n".join(lines), span, True
            )


def joined(words: list[str]) -> tuple[str, list[Span]]:
    """Put Penn Treebank tokens together as prose; return the text and each token's characters."""
    text, spans, clings = "", [], True
    for word in words:
        plain = _BRACKETS.get(word, word)
        text += "" if clings or word in _CLOSING or _CLINGS_LEFT.match(plain) else " "
        spans.append((len(text), len(text) + len(plain)))
        text += plain
        clings = word in _OPENING
    return text, spans


_BRACKETS = {
    "``": '"', "''": '"', "`": "'", "-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}",
}  # fmt: skip
_OPENING = frozenset(["``", "`", "-LRB-", "-LSB-", "-LCB-", "$", "£", "€"])
_CLOSING = frozenset(["''", "-RRB-", "-RSB-", "-RCB-"])
_CLINGS_LEFT = re.compile(r"^(?:[.,;:!?%]|n't|'s|'re|'ve|'ll|'d|'m|'|\.\.\.)$", re.IGNORECASE)


def _majority(answers: list[dict[str, Any]]) -> Span | None:
    spans = [(int(a["answer_start"]), int(a["answer_start"]) + len(a["text"])) for a in answers if a["text"]]
    return max(dict.fromkeys(spans), key=lambda span: (spans.count(span), span[0] - span[1])) if spans else None


def _find(text: str, answer: str) -> Span | None:
    if len(answer) < 2 and not answer.isdigit():
        return None
    match = re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE)
    return match.span() if match else None


def _tidy(question: str) -> str:
    return " ".join(question.split())
