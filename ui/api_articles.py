"""The archive over HTTP: search, list, read, add and delete articles, and what became of what was added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, File, Query, Response, UploadFile
from fastapi.exceptions import RequestValidationError

from ingest.indexer import delete_articles
from rag.archive_tables import ArticleStatus
from rag.errors import NotAllowedError
from rag.ingests import IngestRecord
from ui.api_types import (
    Addition,
    ArticleCard,
    ArticleList,
    ArticlePage,
    IngestList,
    SearchResults,
    Since,
    Until,
    window_between,
)
from ui.ingests import Pasted
from ui.problems import PROBLEM_RESPONSES

if TYPE_CHECKING:
    from rag.settings import Settings
    from ui.desk import Desk
    from ui.ingests import IngestDesk

_LARGEST_OFFSET = 2**31
_FILES = 50
_Outlets = Annotated[list[str] | None, Query(max_length=100, description="Outlet; may be repeated.")]


def article_routes(desk: Desk, ingests: IngestDesk) -> APIRouter:
    """Return the routes for search, articles and ingests."""
    routes = APIRouter(prefix="/api", responses=PROBLEM_RESPONSES)
    _add_reading(routes, desk)
    _add_writing(routes, desk, ingests)
    return routes


def _add_reading(routes: APIRouter, desk: Desk) -> None:
    archive = desk.archive

    @routes.get("/search", tags=["archive"], summary="Find passages")
    def search(
        q: Annotated[str, Query(min_length=1, max_length=2000, description="Words or a question.")],
        k: Annotated[
            int | None, Query(ge=1, le=50, description="Passages wanted; the setting `k` if left out.")
        ] = None,
        since: Since = None,
        until: Until = None,
        source: _Outlets = None,
    ) -> SearchResults:
        """Return passages, best first, one for each story."""
        found = desk.chain.retriever.retrieve(q, k=k, window=window_between(since, until), sources=source or ())
        return SearchResults(query=q, passages=found)

    @routes.get("/articles", tags=["archive"], summary="List articles")
    def list_articles(
        search: Annotated[str, Query(max_length=500, description="Part of the title.")] = "",
        status: Annotated[ArticleStatus, Query(description="indexed is every article that can be found.")] = "indexed",
        since: Since = None,
        until: Until = None,
        source: _Outlets = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        offset: Annotated[int, Query(ge=0, le=_LARGEST_OFFSET)] = 0,
    ) -> ArticleList:
        """Return articles without their texts, newest first."""
        window, sources = window_between(since, until), source or ()
        found = archive.articles(search=search, kind=status, window=window, sources=sources, limit=limit, offset=offset)
        total = archive.article_count(search=search, kind=status, window=window, sources=sources)
        cards = [ArticleCard.model_validate(article, from_attributes=True) for article in found]
        return ArticleList(articles=cards, total=total, limit=limit, offset=offset)

    @routes.get("/articles/{article_id:path}", tags=["archive"], summary="Read an article")
    def read_article(
        article_id: str,
        version: Annotated[
            str | None, Query(max_length=200, description="As a citation names it; else the current.")
        ] = None,
    ) -> ArticlePage:
        """Return an article with its text; the offsets of citations point into it."""
        found = ArticlePage.model_validate(archive.article(article_id, version), from_attributes=True)
        card = archive.stories.cards([article_id]).get(article_id)
        copies = list(card.also_in) if card else []
        return found.model_copy(update={"versions": archive.versions(article_id), "also_in": copies})

    @routes.get("/ingests", tags=["ingests"], summary="List ingests")
    def list_ingests(limit: Annotated[int, Query(ge=1, le=200)] = 20) -> IngestList:
        """Return what was added last, newest first."""
        return IngestList(ingests=archive.ingests.latest(limit))

    @routes.get("/ingests/{ingest_id}", tags=["ingests"], summary="See how far an ingest is")
    def read_ingest(ingest_id: str) -> IngestRecord:
        """Return how far it is, and at its end what came of it."""
        return archive.ingests.get(ingest_id)


def _add_writing(routes: APIRouter, desk: Desk, ingests: IngestDesk) -> None:
    settings = desk.settings

    @routes.post("/articles", tags=["ingests"], summary="Add a text or an address", status_code=202)
    def add(body: Addition, response: Response) -> IngestRecord:
        """Take a text (one article, or a pasted page of several) or an address; reading goes on afterwards."""
        require_writable(settings)
        if (body.text is None) == (body.url is None):
            message = "give either text, for an article, or url alone, for a page to fetch"
            raise RequestValidationError([{"type": "value_error", "loc": ("body",), "msg": message}])
        if body.text is None:
            record = ingests.take_address(str(body.url))
        else:
            record = ingests.take_text(Pasted(body.text, body.title, body.source, body.article_url, body.published_at))
        response.headers["Location"] = f"/api/ingests/{record.id}"
        return record

    @routes.post(
        "/articles/upload",
        tags=["ingests"],
        summary="Upload files",
        status_code=202,
    )
    def upload(
        files: Annotated[list[UploadFile], File(description="Text, HTML, JSON, CSV, feeds, documents, archives.")],
        response: Response,
    ) -> IngestRecord:
        """Take files as `pressmark ingest` does; reading goes on afterwards."""
        require_writable(settings)
        if len(files) > _FILES:
            message = f"at most {_FILES} files at once: put more into an archive"
            raise RequestValidationError([{"type": "too_long", "loc": ("body", "files"), "msg": message}])
        record = ingests.take_files([(file.filename or "upload", file.file.read()) for file in files])
        response.headers["Location"] = f"/api/ingests/{record.id}"
        return record

    @routes.delete("/articles/{article_id:path}", tags=["archive"], summary="Delete an article", status_code=204)
    def delete(article_id: str) -> None:
        """Delete an article in all versions; answers given keep the quotes they showed."""
        require_writable(settings)
        delete_articles([article_id], desk.chain.store)


def require_writable(settings: Settings) -> None:
    """Refuse a change of the archive where the settings do not allow one.

    Raises:
        NotAllowedError: They do not.
    """
    if not settings.writable:
        raise NotAllowedError("This server does not change its archive: PRESSMARK_ALLOW_WRITES is off.")
