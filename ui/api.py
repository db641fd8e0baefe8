"""The HTTP API: questions, answers, search, articles, health; errors as RFC 9457 problems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

import rag.schema as schema
from rag.archive import answers_adapter
from rag.errors import PressmarkError
from rag.schema import Answer, Article, ClaimShown, RetrievedPassage, Stage, TimeWindow, Turn
from ui.problems import PROBLEM_RESPONSES, add_problem_handlers, problem_of

if TYPE_CHECKING:
    from rag.chain import AnswerChain
    from rag.settings import Settings

_LARGEST_BODY_BYTES = 2_000_000  # fifty earlier exchanges of full length fit
_LARGEST_OFFSET = 2**31


def _moment(value: object) -> datetime | None:
    """Read an ISO date or time as aware UTC; a date is its midnight."""
    if value is None or isinstance(value, datetime):
        return value
    try:
        # Not pydantic's own reading: it takes "5" for five seconds after 1970.
        moment = datetime.fromisoformat(str(value).strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("write an ISO date or time, such as 2025-06-30 or 2025-06-30T12:00:00Z") from error
    if not 1600 <= moment.year <= 2400:  # far from the ends of the calendar, where adding a day fails
        raise ValueError("the year must lie between 1600 and 2400")
    return moment


Moment = Annotated[datetime, BeforeValidator(_moment)]
Since = Annotated[
    Moment | None,
    Field(
        description="Earliest publication time, as ISO date or time; UTC if it names no zone.", examples=["2025-06-01"]
    ),
]
Until = Annotated[
    Moment | None,
    Field(description="Publication before this time (exclusive), as ISO date or time.", examples=["2025-07-01"]),
]
Outlets = Annotated[list[str], Field(max_length=100, description="Outlets to search, by exact name; empty for all.")]


class Exchange(BaseModel):
    """One earlier exchange of the dialogue."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=20_000, examples=["Who leads the port authority?"])
    answer: str = Field(default="", max_length=20_000, description="The `text` of the answer given.")


class Ask(BaseModel):
    """A question to the archive."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(
        min_length=1,
        description="In words; the server's limit on characters is `PRESSMARK_QUESTION_CHARS`.",
        examples=["What did the council decide in June?"],
    )
    history: list[Exchange] = Field(
        default=[], max_length=50, description="Earlier exchanges, oldest first, for follow-up questions."
    )
    since: Since = None
    until: Until = None
    infer_window: bool = Field(
        default=True, description='Take publication dates from the question ("in June") unless since or until is given.'
    )
    sources: Outlets = []
    now: Moment | None = Field(default=None, description='The moment "last week" counts from; the present if left out.')
    stream: bool = Field(
        default=False, description="Send server-sent events (stage, claim, answer, error) as the answer grows."
    )

    def query(self) -> schema.Query:
        """Return the question as the chain takes it."""
        return schema.Query(
            question=self.question,
            turns=tuple(Turn(turn.question, turn.answer) for turn in self.history),
            window=_window(self.since, self.until),
            infer_window=self.infer_window,
            sources=tuple(self.sources),
            now=self.now,
        )


class SearchResults(BaseModel):
    """Passages found, best first."""

    query: str
    passages: list[RetrievedPassage]


class ArticleCard(BaseModel):
    """An article without its text."""

    id: str
    version: str
    title: str
    source: str
    url: str
    published_at: datetime | None
    section: str
    kind: str
    language: str
    truncated: bool
    correction: str | None


class ArticleList(BaseModel):
    """Articles by publication time, newest first, unknown dates last."""

    articles: list[ArticleCard]
    limit: int
    offset: int


class Health(BaseModel):
    """What serves and how fresh it is."""

    status: str = Field(examples=["ok"])
    version: str
    articles: int
    passages: int
    pending: int = Field(description="Articles that an interrupted ingest left unindexed.")
    newest_at: datetime | None
    newest_title: str
    last_ingest_at: datetime | None
    embedding_model: str
    chat_model: str = Field(description='"builtin" for the built-in reader.')


def build_api(chain: AnswerChain, settings: Settings) -> FastAPI:
    """Build the API over a chain; requests share the chain, each in a thread of the pool."""
    app = FastAPI(
        title="Pressmark",
        version=version("pressmark"),
        description="Ask a news archive: each sentence of the answer stands on a passage you can open.",
        redoc_url=None,
        max_body_size=_LARGEST_BODY_BYTES,
    )
    add_problem_handlers(app)
    app.include_router(_answer_routes(chain, settings))
    app.include_router(_archive_routes(chain))
    app.include_router(_health_route(chain, settings))
    return app


def _answer_routes(chain: AnswerChain, settings: Settings) -> APIRouter:
    routes = APIRouter(prefix="/api/answers", tags=["answers"], responses=PROBLEM_RESPONSES)

    @routes.post(
        "",
        summary="Ask a question",
        response_model=Answer,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    def ask(body: Ask) -> Response:
        """Answer from the archive, with `stream` as server-sent events: stage, claim, answer, error."""
        _check_length(body.question, settings.question_chars)
        if body.stream:
            return _streamed(chain, body.query())
        return Response(answers_adapter().dump_json(chain.invoke(body.query())), media_type="application/json")

    @routes.get("/{answer_id}", summary="Read a stored answer", response_model=Answer)
    def replay(answer_id: str) -> Response:
        """Return an answer as it was given."""
        return Response(
            answers_adapter().dump_json(chain.store.archive.answer(answer_id)), media_type="application/json"
        )

    return routes


def _archive_routes(chain: AnswerChain) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["archive"], responses=PROBLEM_RESPONSES)
    archive = chain.store.archive

    @routes.get("/search", summary="Find passages")
    def search(
        q: Annotated[str, Query(min_length=1, max_length=2000, description="Words or a question.")],
        k: Annotated[
            int | None, Query(ge=1, le=50, description="Passages wanted; the setting `k` if left out.")
        ] = None,
        since: Since = None,
        until: Until = None,
        source: Annotated[list[str] | None, Query(max_length=100, description="Outlet; may be repeated.")] = None,
    ) -> SearchResults:
        """Return passages, best first, one for each story."""
        found = chain.retriever.retrieve(q, k=k, window=_window(since, until), sources=source or ())
        return SearchResults(query=q, passages=found)

    @routes.get("/articles", summary="List articles")
    def list_articles(
        search: Annotated[str, Query(max_length=500, description="Part of the title.")] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        offset: Annotated[int, Query(ge=0, le=_LARGEST_OFFSET)] = 0,
    ) -> ArticleList:
        """Return articles without their texts, newest first."""
        found = archive.articles(search=search, limit=limit, offset=offset)
        cards = [ArticleCard.model_validate(article, from_attributes=True) for article in found]
        return ArticleList(articles=cards, limit=limit, offset=offset)

    @routes.get("/articles/{article_id:path}", summary="Read an article")
    def read_article(
        article_id: str,
        version: Annotated[
            str | None, Query(max_length=200, description="As a citation names it; else the current.")
        ] = None,
    ) -> Article:
        """Return an article with its text; the offsets of citations point into it."""
        return archive.article(article_id, version)

    return routes


def _health_route(chain: AnswerChain, settings: Settings) -> APIRouter:
    routes = APIRouter(tags=["health"], responses=PROBLEM_RESPONSES)

    @routes.get("/health", summary="See what serves")
    def health() -> Health:
        """Return versions, models and the archive's freshness."""
        status = chain.store.archive.status()
        return Health(
            status="ok",
            version=version("pressmark"),
            articles=status.articles,
            passages=status.passages,
            pending=status.pending,
            newest_at=status.newest_at,
            newest_title=status.newest_title,
            last_ingest_at=status.last_ingest_at,
            embedding_model=chain.store.embeddings.model_id,
            chat_model=settings.chat_model or "builtin",
        )

    return routes


# -- parts ---------------------------------------------------------------------------------------


def _window(since: datetime | None, until: datetime | None) -> TimeWindow | None:
    if since is None and until is None:
        return None
    if since and until and until <= since:
        raise ValueError("`until` must be later than `since`; it is exclusive.")
    return TimeWindow(since, until)


def _check_length(question: str, limit: int) -> None:
    # The limit is a setting, so no constant of the body's schema.
    if len(question) > limit:
        message = f"String should have at most {limit} characters"
        raise RequestValidationError([{"type": "string_too_long", "loc": ("body", "question"), "msg": message}])


def _streamed(chain: AnswerChain, query: schema.Query) -> StreamingResponse:
    events = iter(chain.stream(query))
    first = next(events)  # a question refused at the door is still a plain error with its own status
    return StreamingResponse(
        _event_lines(first, events), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


def _event_lines(first: schema.Event, events: Iterator[schema.Event]) -> Iterator[str]:
    try:
        yield _event_text(first)
        for event in events:
            yield _event_text(event)
    except Exception as error:
        # The status line is long gone: the failure is told as the last event.
        problem = problem_of(error)
        yield f"event: error\ndata: {problem.model_dump_json()}\n\n"
        if not isinstance(error, (PressmarkError, ValueError)):
            raise


def _event_text(event: schema.Event) -> str:
    if isinstance(event, Stage):
        return f"event: stage\ndata: {json.dumps(asdict(event), ensure_ascii=False)}\n\n"
    if isinstance(event, ClaimShown):
        return f"event: claim\ndata: {_CLAIMS.dump_json(event).decode()}\n\n"
    return f"event: answer\ndata: {answers_adapter().dump_json(event).decode()}\n\n"


_CLAIMS: TypeAdapter[ClaimShown] = TypeAdapter(ClaimShown)
