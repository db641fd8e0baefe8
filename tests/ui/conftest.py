from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from rag.errors import NotFoundError
from rag.schema import (
    Answer,
    ArchiveStatus,
    Article,
    Citation,
    Claim,
    ClaimShown,
    Event,
    Passage,
    Query,
    RetrievedPassage,
    Stage,
    TimeWindow,
)
from rag.settings import Settings
from ui.desk import Desk

NOW = datetime(2025, 7, 4, 12, tzinfo=UTC)
QUOTE = "The council voted 9 to 4 on Tuesday to close the bridge."
TEXT = f"Harbour Street will be quiet. {QUOTE} Work begins in August."
ARTICLE = Article(
    id="a1",
    version="v1",
    title="Council closes the bridge",
    text=TEXT,
    source="The Courier",
    url="https://courier.example/bridge",
    published_at=datetime(2025, 7, 3, 9, tzinfo=UTC),
    section="Local",
)


def passage_of(article: Article = ARTICLE) -> RetrievedPassage:
    passage = Passage(
        id=f"{article.id}-0",
        article_id=article.id,
        version=article.version,
        index=0,
        start=0,
        end=len(article.text),
        text=article.text,
        title=article.title,
        source=article.source,
        url=article.url,
        published_at=article.published_at,
    )
    return RetrievedPassage(passage=passage, score=1.0, rank=1, section=article.section)


def citation_of(article: Article = ARTICLE, quote: str = QUOTE, number: int = 1) -> Citation:
    start = article.text.index(quote)
    return Citation(
        number=number,
        article_id=article.id,
        version=article.version,
        start=start,
        end=start + len(quote),
        quote=quote,
        title=article.title,
        source=article.source,
        url=article.url,
        published_at=article.published_at,
        section=article.section,
        correction=article.correction,
        truncated=article.truncated,
    )


def answer_of(article: Article = ARTICLE, quote: str = QUOTE, **changes: object) -> Answer:
    values: dict[str, object] = {
        "id": "f00d",
        "question": "Why is the bridge closed?",
        "search_query": "Why is the bridge closed?",
        "window": None,
        "status": "answered",
        "claims": (Claim(quote, (1,), "supported", 1.0),),
        "text": f"{quote} [1]",
        "raw_text": quote,
        "citations": (citation_of(article, quote),),
        "retrieved": (passage_of(article),),
        "conflicts": (),
        "notes": (),
        "confidence": 0.9,
        "model": "builtin",
        "timings_ms": {"searching": 12.0},
        "created_at": NOW,
    }
    return Answer(**(values | changes))


class FakeAnswers:
    def __init__(self) -> None:
        self.all: dict[str, Answer] = {}

    def get(self, answer_id: str) -> Answer:
        if answer_id not in self.all:
            raise NotFoundError(f"No answer has the id {answer_id!r}.")
        return self.all[answer_id]


class FakeArchive:
    def __init__(self, articles: Sequence[Article]) -> None:
        self.all = list(articles)
        self.shared = False
        self.answers = FakeAnswers()
        self.ingests = SimpleNamespace(latest=lambda limit: [])
        self.served = SimpleNamespace(add=lambda *_: None, days=lambda now: [])
        self.stories = SimpleNamespace(cards=lambda ids: {})

    def versions(self, article_id: str) -> list[str]:
        return [article.version for article in self.all if article.id == article_id]

    def article_count(self, *, search: str = "", **_: object) -> int:
        return len(self.articles(search=search))

    def article(self, article_id: str, version: str | None = None) -> Article:
        for article in self.all:
            if article.id == article_id and version in {None, article.version}:
                return article
        raise NotFoundError(f"No article has the id {article_id!r}.")

    def articles(self, *, search: str = "", limit: int = 50, offset: int = 0, **_: object) -> list[Article]:
        return [article for article in self.all if search.lower() in article.title.lower()][offset : offset + limit]

    def status(self) -> ArchiveStatus:
        newest = self.all[0] if self.all else None
        return ArchiveStatus(
            articles=len(self.all),
            passages=len(self.all),
            stories=len(self.all),
            pending=0,
            sources=tuple({article.source for article in self.all}),
            newest_at=newest.published_at if newest else None,
            newest_title=newest.title if newest else "",
            last_ingest_at=NOW if newest else None,
        )


class FakeChain:
    """Answers every question with `answer`, or raises `failure`."""

    def __init__(self, answer: Answer, articles: Sequence[Article] = (ARTICLE,)) -> None:
        self.answer = answer
        self.failure: Exception | None = None
        self.fails_late = False
        self.queries: list[Query] = []
        self.searches: list[tuple[str, TimeWindow | None, tuple[str, ...]]] = []
        self.archive = FakeArchive(articles)
        self.store = SimpleNamespace(archive=self.archive, embeddings=SimpleNamespace(model_id="mini"))
        self.retriever = self

    def retrieve(
        self, question: str, *, k: int | None = None, window: TimeWindow | None = None, sources: Sequence[str] = ()
    ) -> list[RetrievedPassage]:
        self.searches.append((question, window, tuple(sources)))
        return [passage_of()][:k]

    def invoke(self, query: Query) -> Answer:
        return [event for event in self.stream(query) if isinstance(event, Answer)][-1]

    def stream(self, query: Query) -> Iterator[Event]:
        self.queries.append(query)
        if self.failure and not self.fails_late:
            raise self.failure
        yield Stage("searching", "1 articles")
        for claim in self.answer.claims:
            yield ClaimShown(claim, tuple(c for c in self.answer.citations if c.number in claim.citations))
        if self.failure:
            raise self.failure
        self.archive.answers.all[self.answer.id] = self.answer
        yield self.answer


@pytest.fixture
def chain() -> FakeChain:
    return FakeChain(answer_of())


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None)


@pytest.fixture
def desk(chain: FakeChain, settings: Settings) -> Desk:
    return Desk(chain, settings)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
