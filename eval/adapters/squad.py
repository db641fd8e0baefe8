"""SQuAD 1.1 and 2.0, and SQuADShifts: one JSON file, documents with paragraphs with questions about each.

Each paragraph is an article of its own, not each document: a question was written for its paragraph, and a 2.0
question was only checked to have no answer in that one. With whole documents a citation of any of their fifty
paragraphs would count as right. A paragraph that occurs twice is one article.

Evidence is the whole sentence, or the sentences, that an annotator's answer stands in; the answers of all annotators
are aliases. An answer that is part of a word ("German" of "German-speaking") also counts with the words it is part of,
as answers are found by whole tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from eval.adapters.adapted import Adapted, adapted, question_of
from eval.adapters.quoting import Pool, Quotable, aliases_of, one_line
from eval.adapters.reading import Entry, Faults, Filled, Id, Layout, read_json
from eval.datasets import EvalQuestion, Evidence, Split
from eval.metrics.answers import contains_gold
from ingest.clean import normalise
from rag.errors import DatasetError

_WIDENED = "questions whose answers are parts of words; the whole words count too"
_EMPTY = "questions left out, as their answers hold neither letter nor figure"
_ELSEWHERE = "questions without an answer in their own paragraph; another paragraph may answer them"


class _Document(Layout):
    title: str = ""
    paragraphs: list[Any]  # each is checked alone, so that a fault is named by its paragraph


class _Answer(Layout):
    text: Filled
    answer_start: int


class _Question(Layout):
    id: Id
    question: Filled
    answers: Sequence[_Answer] = ()
    is_impossible: bool | None = None


class _Paragraph(Layout):
    context: Filled
    qas: list[_Question]


def read_squad(path: Path, split: Split) -> Adapted:
    """Read a SQuAD file; see `eval.adapters.adapt`."""
    faults = Faults(path)
    pool = Pool("squad")
    counts: Counter[str] = Counter()
    questions = []
    for where, title, paragraph in _paragraphs(path, faults):
        article = pool.add(paragraph.context, title=title)
        if article is None:
            continue  # the layout has refused an empty context
        for number, item in enumerate(paragraph.qas, 1):
            place = f"{where} question {number}"
            reason = _fault(item, paragraph.context)
            if reason:
                faults.add(place, reason)
            elif not faults.repeated(item.id, place) and (found := _question(item, paragraph, article, split, counts)):
                questions.append(found)
    faults.raise_any()
    return adapted(path, questions, pool, counts)


def _paragraphs(path: Path, faults: Faults) -> Iterator[tuple[str, str, _Paragraph]]:
    value = read_json(path)
    documents = value.get("data") if isinstance(value, dict) else None
    if not isinstance(documents, list):
        raise DatasetError(f"{path} is not in SQuAD's layout: it needs an object with a list `data`.")
    for number, item in enumerate(documents, 1):
        document = faults.checked(_Document, Entry(f"document {number}", number, item))
        if document is None:
            continue
        title = unquote(document.title).replace("_", " ")
        for place, part in enumerate(document.paragraphs, 1):
            where = f"document {number} paragraph {place}"
            if paragraph := faults.checked(_Paragraph, Entry(where, place, part)):
                yield where, title, paragraph


def _fault(item: _Question, context: str) -> str:
    if not item.answers and not item.is_impossible:
        return "has no answers and is not marked is_impossible: give a file with answers"
    if item.answers and item.is_impossible:
        return "is marked is_impossible and has answers"
    for answer in item.answers:
        start = answer.answer_start
        if start < 0 or context[start : start + len(answer.text)] != answer.text:
            return f"answer_start {start} does not point at {answer.text[:40]!r} in the context"
    return ""


def _question(
    item: _Question, paragraph: _Paragraph, article: Quotable, split: Split, counts: Counter[str]
) -> EvalQuestion | None:
    text = one_line(item.question)
    if not item.answers:
        counts[_ELSEWHERE] += 1
        return question_of(item.id, text, answers=(), evidence=(), split=split)
    spans = list(dict.fromkeys(_span(answer, paragraph.context, article) for answer in item.answers))
    aliases = aliases_of(article.article.text[start:end] for start, end in spans)
    evidence = [article.sentences_at(start, end) for start, end in spans]
    if not _said(evidence, aliases):
        aliases = aliases_of([*aliases, *(_whole_words(article.article.text, span) for span in spans)])
        if not aliases:
            counts[_EMPTY] += 1
            return None
        counts[_WIDENED] += 1
    return question_of(item.id, text, answers=[aliases], evidence=evidence, split=split)


def _said(evidence: list[Evidence], aliases: tuple[str, ...]) -> bool:
    return bool(aliases) and any(contains_gold(quote.quote, [aliases]) for quote in evidence)


def _span(answer: _Answer, context: str, article: Quotable) -> tuple[int, int]:
    """Return where an answer is in the article's text, which has other white space than the context."""
    lead = len(answer.text) - len(answer.text.lstrip())
    start = answer.answer_start + lead
    end = start + len(answer.text.strip())
    last = _chars_before(context, end) - 1
    first = min(_chars_before(context, start), last)  # an accent alone joins the letter before it
    return article.offsets[first], article.offsets[last] + 1


@lru_cache(maxsize=1024)
def _chars_before(context: str, place: int) -> int:
    """Return how many characters that are no white space the archive's form has before a place in the context."""
    return len("".join(normalise(context[:place]).split()))


def _whole_words(text: str, span: tuple[int, int]) -> str:
    start, end = span
    while start and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[start:end]
