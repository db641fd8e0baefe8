"""The page: masthead, freshness, and three tabs; each tab is a room of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.answers import answers_adapter
from rag.errors import PressmarkError
from rag.schema import Query
from ui.app_articles import add_articles_tab
from ui.app_ask import add_ask_tab
from ui.app_evals import add_evals_tab
from ui.problems import reason
from ui.render import failure_html
from ui.render_archive import freshness_html

if TYPE_CHECKING:
    from ui.access import Keys
    from ui.desk import Desk
    from ui.evals import EvalDesk
    from ui.ingests import IngestDesk

SAMPLE_QUESTIONS: tuple[str, ...] = ()
"""Questions offered as buttons for an archive we know nothing of: none."""

_WAITING = 64  # sessions queued before the page says that it is busy
_KEPT_S = 3600  # seconds that uploads lie in Gradio's own folder
_MASTHEAD = (
    '<header class="pm-masthead"><h1>Pressmark</h1>'
    "<p>Ask the archive. Every sentence stands on a passage you can open.</p></header>"
)


def build_page(
    desk: Desk,
    ingests: IngestDesk,
    evals: EvalDesk,
    keys: Keys,
    sample_questions: Sequence[str] = SAMPLE_QUESTIONS,
) -> gr.Blocks:
    """Build the page.

    Args:
        desk: Answers the questions of all sessions.
        ingests: Takes articles.
        evals: Runs evals and keeps them.
        keys: Tell who may change the archive.
        sample_questions: Offered as buttons before the first question.
    """
    at_once = desk.settings.answers_at_once
    page: gr.Blocks = gr.Blocks(
        title="Pressmark", analytics_enabled=False, fill_width=True, delete_cache=(_KEPT_S, _KEPT_S)
    )
    with page:
        gr.HTML(_MASTHEAD, elem_id="pm-masthead", apply_default_css=False)
        freshness = gr.HTML(elem_id="pm-freshness", apply_default_css=False)
        with gr.Tabs(elem_id="pm-tabs") as tabs:
            with gr.Tab("Ask", id="ask"):
                ask = add_ask_tab(page, desk, sample_questions)
            with gr.Tab("Articles", id="articles"):
                articles = add_articles_tab(page, desk, ingests, keys)
            with gr.Tab("Evals", id="evals"):
                add_evals_tab(page, desk, evals, keys)
        articles.open_from(ask.opens, tabs)
        shown: dict[str, Any] = {
            "fn": lambda: _archive_update(desk),
            "outputs": [freshness, ask.sources, articles.sources],
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        page.load(**shown)
        articles.changed.change(**shown)
        gr.events.api(_endpoint(desk), api_name="ask", concurrency_limit=at_once)
    page.queue(default_concurrency_limit=at_once, max_size=_WAITING)
    return page


def _archive_update(desk: Desk) -> list[Any]:
    """Return the freshness line and the outlets to choose from, for both tabs."""
    try:
        status = desk.archive.status()
    except PressmarkError as error:
        return [failure_html("The archive cannot be read", reason(error)), gr.skip(), gr.skip()]
    # An archive that has ended is as old as it is at its own day; when it was ingested is a matter of today.
    line = freshness_html(status, datetime.now(UTC), as_of=desk.settings.as_of, stale_days=desk.settings.stale_days)
    outlets = gr.update(choices=list(status.sources))
    return [line, outlets, outlets]


def _endpoint(desk: Desk) -> Callable[[str], dict[str, Any]]:
    """Return the page's one public endpoint, for `gradio_client`."""

    def ask(question: str) -> dict[str, Any]:
        """Answer a question; the result is the Answer of `POST /api/answers`."""
        try:
            answer = desk.invoke(Query(question), "gradio")
        except (PressmarkError, ValueError) as error:
            raise gr.Error(reason(error), print_exception=False) from error
        found: dict[str, Any] = answers_adapter().dump_python(answer, mode="json")
        return found

    return ask
