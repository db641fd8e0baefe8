"""Make the training pairs: texts cut into passages, and for each question passages that do not answer it.

    python -m training.prepare --data ../shared/data --out runs/reader

Writes `sentences.jsonl` (templated and single-sentence questions), `paragraphs.jsonl` and `dev.jsonl` (held-out
articles). A line holds question, title, text, the answer's characters or null, the characters of the sentence that
holds it, and `negatives`: [question, title, text, kind] without an answer. The kinds:

    near      most similar passages of other articles or paragraphs, by vectors or by words, without the answer's words
    same      another passage of the same article
    cut       the answer's passage without the sentence that holds it
    swapped   the answer's passage with a name or number of the question exchanged for another

Passages of `--exclude` archives are looked for in the single-sentence sets, and documents that share a sentence with
them are left out, so that those archives can be used to measure.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ingest.passages import split
from rag.packaged import load_tokenizer
from rag.schema import Article
from rag.sentences import sentence_spans
from rag.words import names, tokens
from training import sets
from training.sets import Example, Span

SEED = 7
SIZES = (128, 128, 128, 224)  # passage sizes in tokens; the first is the product's default
NEAR = 4  # passages kept of each of the two searches
QASRL_QUESTIONS = 20_000
# One in this many groups is held out: few long articles in the first three, many short ones in the others.
HELD_OUT_ONE_IN = {"squadshifts-wiki": 6, "squad1": 11, "squad2": 4, "squadshifts-amazon": 12, "squadshifts-reddit": 12}
PRESUPPOSING = frozenset(["squadshifts-amazon", "squadshifts-reddit"])  # their questions fit other texts of the set too


@dataclass(slots=True)
class Pair:
    """One question with the passage that answers it (or does not: `span` None) and others that do not."""

    source: str
    group: str
    question: str
    title: str
    text: str
    span: Span | None
    sentence: Span | None
    sentence_only: bool = False
    negatives: list[tuple[str, str, str, str]] = field(default_factory=list)

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, ensure_ascii=False)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="folder with reader/ and train/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--exclude", type=Path, nargs="*", default=[], help="JSONL of articles to be measured on")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)
    count = _counter()
    known = {_folded(line) for path in options.exclude for line in _article_sentences(path)}
    singles = list(_single_sentences(options.data / "train", known, rng))
    _write(options.out / "sentences.jsonl", singles)
    examples = list(sets.paragraph_sets(options.data))
    held = held_out_groups(examples)
    for name, chosen in (
        ("paragraphs", [e for e in examples if (e.source, e.group) not in held]),
        ("dev", [e for e in examples if (e.source, e.group) in held]),
    ):
        pairs = _paragraph_pairs(chosen, count, rng)
        _add_near(pairs)
        _write(options.out / f"{name}.jsonl", pairs)
    selqa = [_sentence_pair(e, rng, count) for e in sets.selqa(options.data / "train/selqa")]
    _write(options.out / "selqa.jsonl", [pair for pair in selqa if pair])


def held_out_groups(examples: Iterable[Example]) -> set[tuple[str, str]]:
    """Return (source, group) of the articles kept for development: in each set the first by hash."""
    groups = defaultdict(set)
    for example in examples:
        if example.source in HELD_OUT_ONE_IN:
            groups[example.source].add(example.group)
    return {
        (source, group)
        for source, all_of_it in groups.items()
        for group in sorted(all_of_it, key=_hash)[: len(all_of_it) // HELD_OUT_ONE_IN[source]]
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _counter() -> Callable[[str], int]:
    tokenizer = load_tokenizer()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _write(path: Path, pairs: Sequence[Pair]) -> None:
    path.write_text("".join(f"{pair.line()}\n" for pair in pairs), encoding="utf-8")
    kinds: dict[str, int] = defaultdict(int)
    for pair in pairs:
        kinds[f"{pair.source}{'' if pair.span else ' without answer'}"] += 1
        for *_, kind in pair.negatives:
            kinds[kind] += 1
    print(f"{path.name}: {dict(kinds)}", flush=True)


# -- paragraphs --------------------------------------------------------------------------------------


def _paragraph_pairs(examples: Sequence[Example], count: Callable[[str], int], rng: random.Random) -> list[Pair]:
    passages = _Cutter(count, rng)
    by_article: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for example in examples:
        for start, end in passages.of(example.text):
            by_article[example.source, example.group][example.text[start:end]] = None
    swaps = _Swaps(examples, rng)
    pairs = []
    for example in examples:
        cut = passages.of(example.text)
        if example.span is None:
            start, end = rng.choice(cut)
            pairs.append(_pair(example, example.text[start:end], None))
            continue
        holding = [c for c in cut if c[0] <= example.span[0] and example.span[1] <= c[1]]
        if not holding:
            continue
        start, end = rng.choice(holding)
        pair = _pair(example, example.text[start:end], (example.span[0] - start, example.span[1] - start))
        answer = example.text[example.span[0] : example.span[1]]
        others = list(by_article[example.source, example.group])
        other = next(
            (t for t in rng.sample(others, min(5, len(others))) if t != pair.text and not _says(t, answer)), None
        )
        if other:
            pair.negatives.append((pair.question, pair.title, other, "same"))
        without = _without_sentence(pair)
        if without and not _says(without, answer):
            pair.negatives.append((pair.question, pair.title, without, "cut"))
        swapped = swaps.swapped(pair)
        if swapped:
            pair.negatives.append((swapped, pair.title, pair.text, "swapped"))
        pairs.append(pair)
    return pairs


class _Cutter:
    """Cuts each text once, at a size drawn for it."""

    def __init__(self, count: Callable[[str], int], rng: random.Random) -> None:
        self._count, self._rng = count, rng
        self._known: dict[str, list[Span]] = {}

    def of(self, text: str) -> list[Span]:
        if text not in self._known:
            article = Article(id="", version="", title="", text=text)
            found = split(article, max_tokens=self._rng.choice(SIZES), count_tokens=self._count)
            self._known[text] = [(passage.start, passage.end) for passage in found]
        return self._known[text]


def _pair(example: Example, text: str, span: Span | None) -> Pair:
    return Pair(
        example.source,
        example.group,
        example.question,
        example.title,
        text,
        span,
        _sentence_of(text, span) if span else None,
        example.sentence_only,
    )


def _sentence_of(text: str, span: Span) -> Span:
    """Return the sentence with the answer; from the first to the last if it runs over several."""
    inside = [s for s in sentence_spans(text) if s[0] < span[1] and span[0] < s[1]]
    return (inside[0][0], inside[-1][1]) if inside else span


def _without_sentence(pair: Pair) -> str:
    assert pair.sentence is not None  # noqa: S101  # only called for answered pairs
    start, end = pair.sentence
    return " ".join((pair.text[:start] + pair.text[end:]).split())


def _says(text: str, answer: str) -> bool:
    """Tell whether the answer's characters, or its words with other punctuation, stand in the text."""
    return answer.lower() in text.lower() or f" {_words(answer)} " in f" {_words(text)} "


@lru_cache(maxsize=50_000)
def _words(text: str) -> str:
    return " ".join(tokens(text))


_NUMBER = re.compile(r"(?<![\w.,])\d+(?![\w.,]*\d)")


class _Swaps:
    """Makes a question unanswerable by its own passage: another name or number for one that stands in the passage."""

    def __init__(self, examples: Sequence[Example], rng: random.Random) -> None:
        self._rng = rng
        self._names: dict[tuple[str, int], list[str]] = defaultdict(list)
        for example in examples:
            for name in names(example.question):
                self._names[example.source, len(name.split())].append(name)

    def swapped(self, pair: Pair) -> str | None:
        held = pair.text.lower()
        numbers = [m for m in _NUMBER.finditer(pair.question) if m.group() in held]
        if numbers:
            match = self._rng.choice(numbers)
            value = int(match.group())
            new = str(value + self._rng.choice([-1, 1]) * self._rng.randint(1, max(2, min(value // 4, 40))))
            swapped = pair.question[: match.start()] + new + pair.question[match.end() :]
            return swapped if not new.startswith("-") and new not in held else None
        own = [name for name in names(pair.question) if len(name) > 3 and name.lower() in held]
        if not own:
            return None
        name = self._rng.choice(own)
        pool = self._names[pair.source, len(name.split())]
        for _ in range(5):
            other = self._rng.choice(pool)
            if other.lower() not in held and other.lower() not in pair.question.lower():
                return pair.question.replace(name, other)
        return None


_Matrix = Any  # an array of NumPy or a sparse matrix of SciPy


def _add_near(pairs: Sequence[Pair]) -> None:
    """Add passages of other paragraphs that a search finds for the question and that do not hold the answer."""
    texts = list(dict.fromkeys(pair.text for pair in pairs))
    own = {text: (pair.source, pair.group, pair.title) for pair in pairs for text in [pair.text]}
    place = {text: index for index, text in enumerate(texts)}
    questions = [pair.question for pair in pairs]
    found = [_by_vectors(questions, texts), _by_words(questions, texts)]
    for row, pair in enumerate(pairs):
        if pair.span is None:
            continue
        answer = pair.text[pair.span[0] : pair.span[1]]
        seen = {place[pair.text]}
        for ranking in found:
            kept = 0
            for index in ranking[row]:
                source, group, title = own[texts[index]]
                foreign = pair.source not in PRESUPPOSING or (source, group) != (pair.source, pair.group)
                if index not in seen and foreign and kept < NEAR and not _says(texts[index], answer):
                    pair.negatives.append((pair.question, title, texts[index], "near"))
                    kept += 1
                seen.add(int(index))


def _by_vectors(questions: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    from rag.embeddings import SentenceEmbeddings
    from rag.settings import load_settings
    from training.precision import autocast

    embeddings = SentenceEmbeddings.packaged(load_settings())
    with autocast():  # the order of near misses need not be exact
        held = embeddings.embed(texts)
        asked = embeddings.embed(questions, query=True)
    return _top(asked, held.T)


def _by_words(questions: Sequence[str], texts: Sequence[str]) -> np.ndarray:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english", dtype=np.float32)
    held = vectorizer.fit_transform(texts)
    return _top(vectorizer.transform(questions), held.T.tocsc())


def _top(asked: _Matrix, held: _Matrix, count: int = 3 * NEAR) -> np.ndarray:
    """Return the best `count` columns of `asked @ held` for each row, best first."""
    rows = []
    for start in range(0, asked.shape[0], 512):
        scores = asked[start : start + 512] @ held
        scores = scores.toarray() if hasattr(scores, "toarray") else np.asarray(scores)
        best = np.argpartition(-scores, count, axis=1)[:, :count]
        order = np.take_along_axis(-scores, best, axis=1).argsort(axis=1)
        rows.append(np.take_along_axis(best, order, axis=1))
    return np.concatenate(rows)


# -- single sentences --------------------------------------------------------------------------------


def _single_sentences(train: Path, known: set[str], rng: random.Random) -> Iterator[Pair]:
    """Yield templated and free questions on one sentence, most put back among other sentences of its document."""
    texts = {id_: text for id_, (text, _) in sets.qamr_sentences(train / "qamr").items()}
    documents: dict[str, list[str]] = defaultdict(list)
    for id_ in sorted(texts, key=_sentence_place):
        documents[_document(id_)].append(id_)
    measured = {_document(id_) for id_, text in texts.items() if _folded(text) and _folded(text) in known}
    print(f"{len(measured)} documents left out: they stand in an archive to be measured on", flush=True)
    templated = list(sets.qasrl(train / "qasrl_bank_2_1"))
    rng.shuffle(templated)
    free = [*sets.qamr(train / "qamr"), *sets.qadiscourse(train / "qadiscourse")]
    for example in [*templated[:QASRL_QUESTIONS], *free]:
        if _document(example.group) in measured or example.span is None:
            continue
        around = [id_ for id_ in documents[_document(example.group)] if id_ != example.group]
        few = example.source == "qasrl"  # "Who said something?" fits any other sentence
        before, after = _neighbours(example.group, around, 0 if few else rng.choice([0, 1, 2, 3, 4, 5]), rng)
        lead = " ".join(texts[id_] for id_ in before)
        text = " ".join(part for part in (lead, example.text, *(texts[id_] for id_ in after)) if part)
        shift = len(lead) + 1 if lead else 0
        span = (example.span[0] + shift, example.span[1] + shift)
        pair = _pair(example, text, span)
        pair.sentence = (shift, shift + len(example.text))
        others = " ".join(texts[id_] for id_ in around[:6])
        answer = example.text[example.span[0] : example.span[1]]
        if others and not few and not _says(others, answer):
            pair.negatives.append((pair.question, pair.title, others, "same"))
        yield pair


def _neighbours(id_: str, around: list[str], wanted: int, rng: random.Random) -> tuple[list[str], list[str]]:
    chosen = set(rng.sample(around, min(wanted, len(around))))
    place = _sentence_place(id_)
    kept = [other for other in around if other in chosen]
    return [o for o in kept if _sentence_place(o) < place], [o for o in kept if _sentence_place(o) > place]


def _document(id_: str) -> str:
    return ":".join(id_.split(":")[:3])


def _sentence_place(id_: str) -> tuple[str, int, int]:
    parts = id_.split(":")
    return (":".join(parts[:3]), int(parts[3]), int(parts[4]))


def _sentence_pair(example: Example, rng: random.Random, count: Callable[[str], int]) -> Pair | None:
    """Return a pair of at most the passage size around the answering line, and the other lines as a negative."""
    assert example.span is not None  # noqa: S101  # the set has an answer for each
    lines = example.text.split("\n")
    target = example.text[: example.span[0]].count("\n")
    first = last = target
    while count("\n".join(lines[first : last + 1])) <= SIZES[0]:
        grown = [(first - 1, last)] * (first > 0) + [(first, last + 1)] * (last + 1 < len(lines))
        grown = [g for g in grown if count("\n".join(lines[g[0] : g[1] + 1])) <= SIZES[0]]
        if not grown:
            break
        first, last = rng.choice(grown)
    lead = sum(len(line) + 1 for line in lines[first:target])
    span = (lead, lead + len(lines[target]))
    pair = _pair(example, "\n".join(lines[first : last + 1]), span)
    pair.sentence = span
    rest = [*lines[:first], *lines[last + 1 :]]
    if rest:
        pair.negatives.append((pair.question, pair.title, "\n".join(rest), "same"))
    return pair


def _article_sentences(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line)["text"]
            yield from (text[start:end] for start, end in sentence_spans(text))


def _folded(text: str) -> str:
    folded = "".join(char for char in text.lower() if char.isalnum())
    return folded if len(folded) > 40 else ""


if __name__ == "__main__":
    main()
