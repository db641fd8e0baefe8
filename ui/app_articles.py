"""The tab of the archive's articles: find, read, add, delete."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.indexer import delete_articles
from ingest.loaders import LOADERS
from rag.archive_tables import ArticleStatus
from rag.errors import NotAllowedError, PressmarkError
from rag.schema import Article
from ui.conversation import window_of_days
from ui.events import told
from ui.ingests import Pasted
from ui.problems import reason
from ui.render_archive import Spot, article_html, articles_html, ingest_html, refusal_html
from ui.theme import SHOW_ARTICLE, WIRED

if TYPE_CHECKING:
    from rag.ingests import IngestRecord
    from ui.access import Keys
    from ui.desk import Desk
    from ui.ingests import IngestDesk

_STATUSES: list[tuple[str, ArticleStatus]] = [
    ("All that can be found", "indexed"),
    ("Still being read", "pending"),
    ("Without a date", "undated"),
    ("Teasers", "teaser"),
    ("Breaking off", "truncated"),
    ("Corrected", "corrected"),
    ("Retracted", "retracted"),
]
_PAGE = 25  # articles shown at once
_LOOK_S = 0.25  # between two looks at how far an ingest is
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True, slots=True)
class ArticlesTab:
    """What the rest of the page needs of the tab.

    Attributes:
        sources: The outlets to fill.
        changed: Changes whenever articles were added or deleted.
        open_from: Wires the buttons of other components to open an article here.
    """

    sources: gr.Dropdown
    changed: gr.State
    open_from: Callable[[Sequence[gr.HTML], gr.Tabs], None]


def add_articles_tab(page: gr.Blocks, desk: Desk, ingests: IngestDesk, keys: Keys) -> ArticlesTab:
    """Lay the tab out and wire it."""
    changed = gr.State(0)
    offset = gr.State(0)
    article = gr.HTML(elem_id="pm-article", apply_default_css=False, js_on_load=WIRED)
    if desk.settings.writable:
        _add_adding(desk, ingests, keys, changed)
    with gr.Row(elem_id="pm-article-filters"):
        search = gr.Textbox(label="Words of the headline", max_length=200, max_lines=1)
        status = gr.Dropdown(_STATUSES, value="indexed", label="Which")
        sources = gr.Dropdown([], value=[], multiselect=True, label="Outlets (none chosen: all)")
        first_day = gr.Textbox(label="Published from", placeholder="2025-06-01", max_length=10, max_lines=1)
        last_day = gr.Textbox(label="to (that day included)", placeholder="2025-06-30", max_length=10, max_lines=1)
    listed = gr.HTML(elem_id="pm-articles", apply_default_css=False, js_on_load=WIRED)
    with gr.Row(elem_id="pm-pages"):
        newer = gr.Button("Newer", elem_id="pm-newer")
        older = gr.Button("Older", elem_id="pm-older")
    filters: list[Any] = [search, status, sources, first_day, last_day]

    def show(
        text: str | None,
        kind: ArticleStatus,
        outlets: list[str] | None,
        first: str | None,
        last: str | None,
        start: int,
    ) -> list[Any]:
        try:
            window = window_of_days(first or "", last or "")
        except ValueError as error:
            return [refusal_html(reason(error)), 0, gr.skip(), gr.skip()]
        asked: dict[str, Any] = {"search": text or "", "kind": kind, "window": window, "sources": outlets or ()}
        total = desk.archive.article_count(**asked)
        start = max(0, min(start, (total - 1) // _PAGE * _PAGE))
        found = desk.archive.articles(**asked, limit=_PAGE, offset=start)
        shown = articles_html(found, total=total, offset=start)
        return [shown, start, gr.update(interactive=start > 0), gr.update(interactive=start + _PAGE < total)]

    def moved(step: int | None) -> Callable[..., list[Any]]:
        """Show the list so many articles on; from its beginning for None."""

        def move(*values: Any) -> list[Any]:  # noqa: ANN401  # the values of the filters, then the offset
            *chosen, start = values
            listing: Callable[..., list[Any]] = show
            return listing(*chosen, 0 if step is None else start + step)

        return move

    outputs = [listed, offset, newer, older]
    # One at a time, so that a list asked for earlier never comes later and stays.
    in_turn = {"concurrency_id": "list", "concurrency_limit": 1}
    shown: dict[str, Any] = {"inputs": [*filters, offset], "outputs": outputs, **in_turn, **_QUIET}
    for component in filters:
        component.change(moved(None), **shown)
    page.load(show, **shown)
    changed.change(show, **shown)
    newer.click(moved(-_PAGE), **shown)
    older.click(moved(_PAGE), **shown)
    open_from = _wire_reading(desk, keys, article, listed, changed)
    return ArticlesTab(sources, changed, open_from)


# -- reading and deleting ------------------------------------------------------------------------


def _wire_reading(
    desk: Desk, keys: Keys, article: gr.HTML, listed: gr.HTML, changed: gr.State
) -> Callable[[Sequence[gr.HTML], gr.Tabs], None]:
    def read(request: gr.Request, event: gr.EventData) -> str:
        asked = told(event)
        try:
            found = desk.archive.article(asked.get("id", ""), asked.get("version") or None)
        except PressmarkError as error:
            return refusal_html(reason(error))
        return _read_html(desk, found, may_write(desk, keys, request), _spot(asked))

    def delete(request: gr.Request, event: gr.EventData, count: int) -> list[Any]:
        try:
            require_writer(desk, keys, request)
            delete_articles([told(event).get("id", "")], desk.chain.store)
        except PressmarkError as error:
            return [refusal_html(reason(error)), gr.skip()]
        return ['<p class="pm-none" role="status">The article is deleted.</p>', count + 1]

    for shown in (listed, article):
        opened = shown.select(read, outputs=[article], **_QUIET)
        opened.then(None, js=SHOW_ARTICLE, api_visibility="private")
    article.delete(delete, inputs=[changed], outputs=[article, changed], **_QUIET)

    def open_from(others: Sequence[gr.HTML], tabs: gr.Tabs) -> None:
        def read_there(request: gr.Request, event: gr.EventData) -> list[Any]:
            return [read(request, event), gr.Tabs(selected="articles")]

        for other in others:
            opened = other.select(read_there, outputs=[article, tabs], **_QUIET)
            opened.then(None, js=SHOW_ARTICLE, api_visibility="private")

    return open_from


def _spot(asked: dict[str, str]) -> Spot | None:
    start, end = asked.get("start", ""), asked.get("end", "")
    return Spot(int(start), int(end)) if start.isdecimal() and end.isdecimal() else None


def _read_html(desk: Desk, found: Article, writable: bool, spot: Spot | None) -> str:
    card = desk.archive.stories.cards([found.id]).get(found.id)
    return article_html(
        found,
        versions=desk.archive.versions(found.id),
        also_in=card.also_in if card else (),
        writable=writable,
        spot=spot,
    )


def may_write(desk: Desk, keys: Keys, request: gr.Request) -> bool:
    """Tell whether whoever sent a request may change the archive."""
    return desk.settings.writable and keys.may_write(request.username)


def require_writer(desk: Desk, keys: Keys, request: gr.Request) -> None:
    """Refuse a change by somebody who may only read.

    Raises:
        NotAllowedError: They may.
    """
    if not may_write(desk, keys, request):
        raise NotAllowedError("You may read here, and change nothing: this needs a key that may write.")


# -- adding --------------------------------------------------------------------------------------


def _add_adding(desk: Desk, ingests: IngestDesk, keys: Keys, changed: gr.State) -> None:
    with gr.Accordion("Add articles", open=False, elem_id="pm-add"):
        with gr.Tabs():
            with gr.Tab("Upload"):
                files = gr.File(
                    label="Text, HTML, JSON, CSV, feeds, documents, archives",
                    file_count="multiple",
                    file_types=[*LOADERS, ".zip", ".gz", ".tar", ".tgz"],
                    elem_id="pm-files",
                )
                upload = gr.Button("Add these files", elem_id="pm-upload")
            with gr.Tab("Paste"):
                text = gr.Textbox(label="Text of an article, or a page of several", lines=8, max_length=1_000_000)
                with gr.Row():
                    title = gr.Textbox(label="Headline (if it is one article)", max_length=500, max_lines=1)
                    outlet = gr.Textbox(label="Outlet", max_length=200, max_lines=1)
                    day = gr.Textbox(label="Published on", placeholder="2025-06-30", max_length=10, max_lines=1)
                    link = gr.Textbox(label="Address of the article", max_length=2000, max_lines=1)
                paste = gr.Button("Add this text", elem_id="pm-paste")
            with gr.Tab("Address"):
                url = gr.Textbox(label="Address of a page or feed", placeholder="https://…", max_length=2000)
                fetch = gr.Button("Fetch and add", elem_id="pm-fetch")
        state = gr.HTML(elem_id="pm-adding", apply_default_css=False)

    def watched(request: gr.Request, count: int, take: Callable[[], IngestRecord]) -> Iterator[list[Any]]:
        try:
            require_writer(desk, keys, request)
            record = take()
        except (PressmarkError, ValueError) as error:
            yield [refusal_html(reason(error)), gr.skip()]
            return
        while record.state in ("waiting", "running"):
            yield [ingest_html(record), gr.skip()]
            time.sleep(_LOOK_S)
            record = desk.archive.ingests.get(record.id)
        yield [ingest_html(record), count + 1]

    def take_files(request: gr.Request, count: int, paths: list[str] | None) -> Iterator[list[Any]]:
        yield from watched(
            request, count, lambda: ingests.take_files([(Path(p).name, Path(p).read_bytes()) for p in paths or []])
        )

    def take_text(
        request: gr.Request, count: int, body: str | None, head: str, source: str, published: str, address: str
    ) -> Iterator[list[Any]]:
        def take() -> IngestRecord:
            window = window_of_days(published or "", "")
            moment = window.since if window else None
            return ingests.take_text(Pasted(body or "", head or "", source or "", address or "", moment))

        yield from watched(request, count, take)

    def take_address(request: gr.Request, count: int, address: str | None) -> Iterator[list[Any]]:
        yield from watched(request, count, lambda: ingests.take_address((address or "").strip()))

    for button, function, inputs in (
        (upload, take_files, [files]),
        (paste, take_text, [text, title, outlet, day, link]),
        (fetch, take_address, [url]),
    ):
        button.click(function, inputs=[changed, *inputs], outputs=[state, changed], concurrency_limit=4, **_QUIET)
