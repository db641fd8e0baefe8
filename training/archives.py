"""Archives to measure the reader on, each as an open store: the sample, Wikinews, SQuAD paragraphs, MultiHop-RAG."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from eval.datasets import EvalQuestion, load_questions
from eval.sample import DESCRIPTIVE, QUESTIONS, sample_articles
from ingest.indexer import index_articles
from ingest.loaders import load
from ingest.loaders.source import Source
from ingest.report import Problem
from rag.evidence import EvidenceSentence
from rag.schema import Article
from rag.settings import load_settings
from rag.store import Store, opened
from training.prepare import held_out_groups
from training.sets import Example, Span, paragraph_sets

NOW = datetime(2025, 9, 1, tzinfo=UTC)
WIKINEWS_QUESTIONS = Path(__file__).parent / "data" / "wikinews.jsonl"
SEED_PAGE_QUESTIONS = Path(__file__).parent / "data" / "seed.jsonl"  # on the page of news the project began with


@dataclass(frozen=True, slots=True)
class SquadQuestion:
    """A question of a held-out article; `span` in its paragraph's text, None if that does not answer it.

    Attributes:
        article_id: The paragraph, which is an article of its own here.
        document: The paragraphs of the same Wikipedia article.
    """

    text: str
    article_id: str
    document: frozenset[str]
    span: Span | None
    golds: tuple[str, ...]

    def answered_in(self, candidate: EvidenceSentence) -> bool:
        """Tell whether the sentence is of the question's paragraph and the answer begins in it."""
        own = candidate.found.passage.article_id == self.article_id
        return self.span is not None and own and candidate.start <= self.span[0] < candidate.end


def our_questions(data: Path, *, split: str) -> Iterator[tuple[str, Store, list[EvalQuestion]]]:
    """Yield (name, open store, questions of the split) for each set of ours; a store closes when the next comes."""
    with archive_of(sample_articles()) as store:
        yield "sample", store, load_questions(QUESTIONS, split=split)
        yield "sample, descriptive", store, load_questions(DESCRIPTIVE, split=split)
    with archive_of(load(Source(data / "archive" / "wikinews.jsonl", "wikinews.jsonl"))) as store:
        yield "wikinews, descriptive", store, load_questions(WIKINEWS_QUESTIONS, split=split)


@contextmanager
def squad_archive(data: Path, sources: Sequence[str]) -> Iterator[tuple[Store, list[SquadQuestion]]]:
    """Open an archive of all paragraphs of the named sets, with the questions on their held-out articles."""
    examples = list(paragraph_sets(data))
    held = held_out_groups(examples)
    own = [example for example in examples if example.source in sources]
    ids = {text: f"p{number}" for number, text in enumerate(dict.fromkeys(example.text for example in own))}
    documents: dict[tuple[str, str], set[str]] = {}
    for example in own:
        documents.setdefault((example.source, example.group), set()).add(ids[example.text])
    whole = {key: frozenset(paragraphs) for key, paragraphs in documents.items()}
    with archive_of(_paragraphs(own, ids)) as store:
        asked = [example for example in own if (example.source, example.group) in held]
        yield (
            store,
            [SquadQuestion(e.question, ids[e.text], whole[e.source, e.group], e.span, e.golds) for e in asked],
        )


@contextmanager
def archive_of(articles: Iterable[Article | Problem]) -> Iterator[Store]:
    """Open a store in a temporary folder with the articles in it."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(home=Path(folder))
        with opened(settings) as store:
            index_articles(articles, store, passage_tokens=settings.passage_tokens)
            yield store


def multihop(data: Path) -> tuple[Iterator[Article | Problem], list[dict[str, object]]]:
    """Return the MultiHop-RAG articles, and the questions as they are written."""
    folder = data / "archive"
    questions = (folder / "multihop_dev_questions.jsonl").read_text(encoding="utf-8").splitlines()
    return load(Source(folder / "multihop_dev_articles.jsonl", "multihop.jsonl")), [json.loads(q) for q in questions]


def _paragraphs(examples: Iterable[Example], ids: dict[str, str]) -> Iterator[Article]:
    done: set[str] = set()
    for example in examples:
        if example.text not in done:
            done.add(example.text)
            yield Article(id=ids[example.text], version="1", title=example.title or "-", text=example.text)
