"""The HTTP API: questions, answers, search, articles, health; errors as RFC 9457 problems."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from pydantic import TypeAdapter

import rag.schema as schema
from rag.answers import answers_adapter
from rag.errors import PressmarkError
from rag.schema import Answer, Article, ClaimShown, Stage
from ui.api_types import ArticleCard, ArticleList, Ask, Health, SearchResults, Since, Until, window_between
from ui.docs_page import docs_html
from ui.problems import PROBLEM_RESPONSES, add_problem_handlers, problem_of

if TYPE_CHECKING:
    from rag.chain import AnswerChain
    from rag.settings import Settings

_LARGEST_BODY_BYTES = 2_000_000  # fifty earlier exchanges of full length fit
_LARGEST_OFFSET = 2**31


def build_api(chain: AnswerChain, settings: Settings) -> FastAPI:
    """Build the API over a chain; requests share the chain, each in a thread of the pool."""
    app = FastAPI(
        title="Pressmark",
        version=version("pressmark"),
        description="Ask a news archive: each sentence of the answer stands on a passage you can open.",
        docs_url=None,
        redoc_url=None,
        max_body_size=_LARGEST_BODY_BYTES,
    )
    add_problem_handlers(app)
    app.include_router(_answer_routes(chain, settings))
    app.include_router(_archive_routes(chain))
    app.include_router(_health_route(chain, settings))
    app.add_api_route("/docs", lambda: HTMLResponse(docs_html(app.openapi())), include_in_schema=False)
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
            answers_adapter().dump_json(chain.store.archive.answers.get(answer_id)), media_type="application/json"
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
        found = chain.retriever.retrieve(q, k=k, window=window_between(since, until), sources=source or ())
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
