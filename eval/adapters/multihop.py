"""MultiHop-RAG: questions over several news articles (Tang & Yang, COLM 2024, arXiv:2401.15391).

`MultiHopRAG.json`: query, answer, question_type (inference_query, comparison_query, temporal_query, null_query) and
evidence_list with fact and url. `corpus.json`: title, author, source, published_at, category, url, body. Both are JSON
lists. Also read are JSON lines with question, type and the lists facts and urls, and articles with a text.

A fact is a quote if the article says it (white space aside). Of null questions the archive has no answer. Comparison
and temporal questions ask for a judgement over articles: unless a fact says the answer, they are tagged "yes-no", as
such answers need not be quoted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from eval.adapters.adapted import Adapted, adapted, question_of
from eval.adapters.quoting import Pool, aliases_of, one_line
from eval.adapters.reading import Entry, Faults, Filled, Id, Layout, read_entries
from eval.datasets import EvalQuestion, Evidence, Split
from eval.metrics.answers import contains_gold, tokens
from ingest.loaders.records import fields_of
from rag.errors import DatasetError

_NOT_WORD_FOR_WORD = "facts left out, as their article does not say them word for word"
_SAME_ADDRESS = "articles left out, as an earlier one has their address"
_NO_ARTICLE = "facts left out, as their article is not in the corpus"
_WITHOUT_FACT = "questions left out, as none of their facts could be quoted"
_TOGETHER = (
    "questions over several articles; only `retrieval_questions` says that all of them are needed, as where no quote "
    "holds the answer articles replace each other"
)
_TYPES = Literal["inference_query", "comparison_query", "temporal_query", "null_query"]


class _Fact(Layout):
    fact: Filled
    url: Filled


class _Question(Layout):
    id: Id | None = None
    query: Annotated[Filled, Field(validation_alias=AliasChoices("query", "question"))]
    type_: Annotated[_TYPES, Field(validation_alias=AliasChoices("question_type", "type"))]
    answer: Filled
    evidence_list: Sequence[_Fact] = ()
    facts: Sequence[Filled] = ()
    urls: Sequence[Filled] = ()

    @property
    def evidence(self) -> list[tuple[str, str]]:
        """Facts with their addresses, from whichever layout it has."""
        return [(item.fact, item.url) for item in self.evidence_list] or list(zip(self.facts, self.urls, strict=True))


def read_multihop(path: Path, split: Split) -> Adapted:
    """Read MultiHop-RAG; see `eval.adapters.adapt`."""
    questions_path = path / "MultiHopRAG.json" if path.is_dir() else path
    counts: Counter[str] = Counter()
    pool = _corpus(_corpus_of(questions_path), counts)
    faults = Faults(questions_path)
    questions = []
    for entry in read_entries(questions_path):
        item = faults.checked(_Question, entry)
        if item is None:
            continue
        id_ = f"multihop-{item.id or entry.position}"
        if reason := _fault(item):
            faults.add(entry.where, reason)
        elif not faults.repeated(id_, entry.where) and (found := _question(id_, item, pool, split, counts)):
            questions.append(found)
    faults.raise_any()
    counts[_TOGETHER] = sum(len({item.article_id for item in question.evidence}) > 1 for question in questions)
    return adapted(questions_path, questions, pool, counts)


def _corpus_of(questions_path: Path) -> Path:
    renamed = questions_path.with_name(questions_path.name.replace("questions", "articles"))
    choices = [questions_path.with_name("corpus.json"), *([renamed] if renamed != questions_path else [])]
    found = next((path for path in reversed(choices) if path.exists()), None)
    if found is None:
        raise DatasetError(f"{questions_path} has no articles beside it: put {choices[0].name} into its folder.")
    return found


def _corpus(path: Path, counts: Counter[str]) -> Pool:
    faults = Faults(path)
    pool = Pool("multihop-rag")
    for entry in read_entries(path):
        record = entry.value
        if not isinstance(record, dict):
            faults.checked(_Article, entry)
            continue
        fields = fields_of(record, {})
        if faults.checked(_Article, Entry(entry.where, entry.position, {"text": fields.text, "url": fields.url})):
            counts[_SAME_ADDRESS] += pool.id_of("", url=fields.url) in pool
            pool.add(
                fields.text,
                title=fields.title,
                url=fields.url,
                source=fields.source,
                published=fields.published_at,
                authors=fields.authors,
                section=fields.section,
            )
    faults.raise_any()
    return pool


class _Article(Layout):
    text: Filled
    url: Filled


def _fault(item: _Question) -> str:
    if item.type_ == "null_query":
        return "a null_query has evidence" if item.evidence_list or item.facts else ""
    if len(item.facts) != len(item.urls):
        return f"there are {len(item.facts)} facts and {len(item.urls)} urls"
    if not item.evidence:
        return "evidence_list is missing or empty"
    return "" if tokens(item.answer) else "answer holds neither letter nor figure"


def _question(id_: str, item: _Question, pool: Pool, split: Split, counts: Counter[str]) -> EvalQuestion | None:
    text, type_ = one_line(item.query), item.type_.removesuffix("_query")
    if type_ == "null":
        return question_of(id_, text, answers=(), evidence=(), split=split, marks=[type_])
    evidence = list(_quotes(item, pool, counts))
    if not evidence:
        counts[_WITHOUT_FACT] += 1
        return None
    aliases = aliases_of([item.answer])
    said = any(contains_gold(quote.quote, [aliases]) for quote in evidence)
    yes_no = tokens(item.answer) in (["yes"], ["no"])
    if yes_no:
        aliases = tuple(tokens(item.answer))  # the data write "Yes", "yes", "No" and "no"
    kind = "yes-no" if yes_no or (type_ != "inference" and not said) else ""
    return question_of(id_, text, answers=[aliases], evidence=evidence, split=split, kind=kind, marks=[type_])


def _quotes(item: _Question, pool: Pool, counts: Counter[str]) -> Iterator[Evidence]:
    for fact, url in item.evidence:
        id_ = pool.id_of("", url=url)
        if id_ not in pool:
            counts[_NO_ARTICLE] += 1
        elif quote := pool[id_].find(fact):
            yield quote
        else:
            counts[_NOT_WORD_FOR_WORD] += 1
