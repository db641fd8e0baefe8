"""The HTTP API as one application: its routes, what serves, errors as RFC 9457 problems."""

from __future__ import annotations

from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse

from ui.api_answers import answer_routes
from ui.api_articles import article_routes
from ui.api_types import Health, Ready
from ui.docs_page import docs_html
from ui.ingests import IngestDesk
from ui.mcp import mount_mcp
from ui.openai_api import openai_routes
from ui.problems import PROBLEM_RESPONSES, add_problem_handlers, add_problem_schema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ui.desk import Desk

_OTHER_THREADS = 32  # beside those that answer or wait: health, articles, files


def build_api(desk: Desk, ingests: IngestDesk | None = None) -> FastAPI:
    """Build the API over a desk; each request has a thread of the pool.

    Args:
        desk: Answers.
        ingests: Takes articles; made for the desk's store if left out.
    """
    settings = desk.settings
    ingests = ingests or IngestDesk(desk.chain.store, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        import anyio.to_thread

        # A question that waits holds its thread: the pool must not run out while the queue is within its bound.
        threads = settings.answers_at_once + settings.answers_waiting + _OTHER_THREADS
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = max(limiter.total_tokens, threads)
        ingests.settle()
        async with mcp_running():
            yield
        ingests.close()

    app = FastAPI(
        title="Pressmark",
        version=version("pressmark"),
        description="Ask a news archive: each sentence of the answer stands on a passage you can open.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    add_problem_handlers(app)
    app.include_router(answer_routes(desk))
    app.include_router(article_routes(desk, ingests))
    app.include_router(openai_routes(desk))
    app.include_router(_server_routes(desk))
    app.add_api_route("/docs", lambda: HTMLResponse(docs_html(app.openapi())), include_in_schema=False)
    mcp_running = mount_mcp(app, desk)
    _document_problems(app)
    return app


def _document_problems(app: FastAPI) -> None:
    described = app.openapi

    def openapi() -> dict[str, Any]:
        spec = described()
        add_problem_schema(spec)
        return spec

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's guide to extending OpenAPI does


def _server_routes(desk: Desk) -> APIRouter:
    routes = APIRouter(tags=["server"], responses=PROBLEM_RESPONSES)

    @routes.head("/health", include_in_schema=False)
    @routes.head("/ready", include_in_schema=False)
    def alive() -> None:
        """Answer those who look whether the server is there without wanting to know more."""

    @routes.get("/health", summary="See what serves")
    def health() -> Health:
        """Return versions, models and the archive's freshness."""
        status = desk.archive.status()
        return Health(
            status="ok",
            version=version("pressmark"),
            articles=status.articles,
            passages=status.passages,
            pending=status.pending,
            newest_at=status.newest_at,
            newest_title=status.newest_title,
            last_ingest_at=status.last_ingest_at,
            embedding_model=desk.chain.store.embeddings.model_id,
            chat_model=desk.settings.chat_model or "builtin",
        )

    @routes.get("/ready", summary="See whether questions can be answered")
    def ready() -> Ready:
        """Return at once if models and archive are loaded; the server listens only then."""
        return Ready(ready=True, articles=desk.archive.status().articles)

    @routes.get(
        "/metrics",
        summary="Read the counters",
        response_class=PlainTextResponse,
        responses=PROBLEM_RESPONSES,
    )
    def metrics() -> PlainTextResponse:
        """Return answers, verdicts, times and the archive's age in the text form of Prometheus."""
        return PlainTextResponse(desk.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return routes
