"""The chat window: one Gradio page over the chain."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rag.answers import answers_adapter
from rag.errors import PressmarkError
from rag.schema import Query
from ui.conversation import Conversation, Scope, converse, stopped
from ui.render import failure_html, freshness_html
from ui.theme import SCROLL_TO_NEW

if TYPE_CHECKING:
    import gradio as gr

    from rag.chain import AnswerChain
    from rag.settings import Settings

SAMPLE_QUESTIONS: tuple[str, ...] = ()
"""Questions offered as buttons for an archive we know nothing of: none."""

# Sessions answered at once; the chain serialises its model calls, so more would only wait inside it.
_AT_ONCE = 4
_WAITING = 64  # sessions queued before the page says that it is busy
_MASTHEAD = (
    '<header class="pm-masthead"><h1>Pressmark</h1>'
    "<p>Ask the archive. Every sentence stands on a passage you can open.</p></header>"
)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The components of the page that events read or change."""

    conversation: gr.State
    freshness: gr.HTML
    past: gr.HTML
    live: gr.HTML
    question: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    new: gr.Button
    first_day: gr.Textbox
    last_day: gr.Textbox
    infer_window: gr.Checkbox
    sources: gr.Dropdown
    samples: gr.Column
    sample_buttons: tuple[gr.Button, ...]

    @property
    def shown(self) -> list[Any]:  # Gradio's components have no common public type
        """What a step of a conversation changes, in the order of `_update`."""
        return [self.conversation, self.past, self.live, self.ask, self.stop, self.new, self.samples]

    @property
    def scope(self) -> list[Any]:
        """The inputs of `Scope`, in its order."""
        return [self.first_day, self.last_day, self.infer_window, self.sources]


def build_page(chain: AnswerChain, settings: Settings, sample_questions: Sequence[str] = SAMPLE_QUESTIONS) -> gr.Blocks:
    """Build the chat window.

    Args:
        chain: Answers the questions; shared by all sessions.
        settings: For the longest question.
        sample_questions: Offered as buttons before the first question.
    """
    # Gradio reads it when it is imported: a reader's questions are nobody's statistics.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    page: gr.Blocks = gr.Blocks(title="Pressmark", analytics_enabled=False, fill_width=True)
    with page:
        parts = _lay_out(settings, sample_questions)
        _wire_asking(chain, parts)
        page.load(
            lambda: _archive_update(chain),
            outputs=[parts.freshness, parts.sources],
            show_progress="hidden",
            api_visibility="private",
        )
        gr.events.api(_endpoint(chain), api_name="ask", concurrency_limit=_AT_ONCE)
    page.queue(default_concurrency_limit=_AT_ONCE, max_size=_WAITING)
    return page


# -- layout --------------------------------------------------------------------------------------


def _lay_out(settings: Settings, sample_questions: Sequence[str]) -> _Parts:
    import gradio as gr

    conversation = gr.State(Conversation())
    gr.HTML(_MASTHEAD, elem_id="pm-masthead", apply_default_css=False)
    freshness = gr.HTML(elem_id="pm-freshness", apply_default_css=False)
    past = gr.HTML(elem_id="pm-past", apply_default_css=False)
    live = gr.HTML(elem_id="pm-live", apply_default_css=False)
    with gr.Column(elem_id="pm-composer"):
        question = gr.Textbox(
            label="Your question",
            placeholder="What do you want to know?",
            lines=1,
            max_lines=5,
            max_length=settings.question_chars,
            autofocus=True,
            elem_id="pm-question",
        )
        with gr.Row(elem_id="pm-buttons"):
            ask = gr.Button("Ask", variant="primary", elem_id="pm-ask")
            stop = gr.Button("Stop", visible=False, elem_id="pm-stop")
            new = gr.Button("New conversation", visible=False, elem_id="pm-new")
    first_day, last_day, infer_window, sources = _lay_out_scope()
    with gr.Column(visible=bool(sample_questions), elem_id="pm-samples") as samples:
        gr.HTML('<p class="pm-label pm-samples-label">Or try one of these</p>', apply_default_css=False)
        buttons = tuple(gr.Button(text, elem_classes="pm-sample") for text in sample_questions)
    return _Parts(
        conversation=conversation,
        freshness=freshness,
        past=past,
        live=live,
        question=question,
        ask=ask,
        stop=stop,
        new=new,
        first_day=first_day,
        last_day=last_day,
        infer_window=infer_window,
        sources=sources,
        samples=samples,
        sample_buttons=buttons,
    )


def _lay_out_scope() -> tuple[gr.Textbox, gr.Textbox, gr.Checkbox, gr.Dropdown]:
    import gradio as gr

    with gr.Accordion("Dates and outlets", open=False, elem_id="pm-narrow"):
        with gr.Row():
            first_day = gr.Textbox(label="Published from", placeholder="2025-06-01", max_length=10, max_lines=1)
            last_day = gr.Textbox(label="to (that day included)", placeholder="2025-06-30", max_length=10, max_lines=1)
        sources = gr.Dropdown([], value=[], multiselect=True, label="Outlets (none chosen: all)")
        infer_window = gr.Checkbox(value=True, label="Take dates from the question, such as “in June”")
    return first_day, last_day, infer_window, sources


# -- events --------------------------------------------------------------------------------------


def _wire_asking(chain: AnswerChain, parts: _Parts) -> None:
    import gradio as gr

    def grow(
        question: str | None,
        conversation: Conversation,
        first: str | None,
        last: str | None,
        infer: bool,
        sources: list[str] | None,
    ) -> Iterator[list[Any]]:
        # Gradio sends None for a box that was never touched.
        if not question or not question.strip():
            return
        scope = Scope(first or "", last or "", infer, tuple(sources or ()))
        for step, grown in enumerate(converse(chain, question, conversation, scope)):
            # Only the first step empties the box: the reader may be typing the next question.
            yield [*_update(grown, past_changed=step == 0), "" if step == 0 else gr.skip()]

    def stop(conversation: Conversation) -> list[Any]:
        return _update(stopped(chain, conversation), past_changed=False)

    triggers: list[tuple[Callable[..., Any], Any]] = [
        (parts.question.submit, parts.question),
        (parts.ask.click, parts.question),
        *((button.click, button) for button in parts.sample_buttons),
    ]
    asking = []
    for trigger, asked in triggers:
        event = trigger(
            grow,
            inputs=[asked, parts.conversation, *parts.scope],
            outputs=[*parts.shown, parts.question],
            show_progress="hidden",
            concurrency_id="ask",
            concurrency_limit=_AT_ONCE,
            api_visibility="private",
        )
        trigger(None, js=SCROLL_TO_NEW, api_visibility="private")
        asking.append(event)
    for button, function in ((parts.stop, stop), (parts.new, lambda _: _update(Conversation(), past_changed=True))):
        button.click(
            function,
            inputs=[parts.conversation],
            outputs=parts.shown,
            cancels=asking,
            show_progress="hidden",
            api_visibility="private",
        )


def _update(conversation: Conversation, *, past_changed: bool) -> list[Any]:
    """Return the values of `_Parts.shown`."""
    import gradio as gr

    busy = conversation.draft is not None
    begun = bool(conversation.page)
    return [
        conversation,
        "".join(conversation.pages) if past_changed else gr.skip(),
        conversation.page,
        gr.update(visible=not busy),
        gr.update(visible=busy),
        gr.update(visible=begun and not busy),
        gr.update(visible=not begun),
    ]


def _archive_update(chain: AnswerChain) -> list[Any]:
    """Return the freshness line and the outlets to choose from."""
    import gradio as gr

    try:
        status = chain.store.archive.status()
    except PressmarkError as error:
        return [failure_html("The archive cannot be read", str(error)), gr.skip()]
    return [freshness_html(status, datetime.now(UTC)), gr.update(choices=list(status.sources))]


def _endpoint(chain: AnswerChain) -> Callable[[str], dict[str, Any]]:
    """Return the page's one public endpoint, for `gradio_client`."""

    def ask(question: str) -> dict[str, Any]:
        """Answer a question; the result is the Answer of `POST /api/answers`."""
        import gradio as gr

        try:
            answer = chain.invoke(Query(question))
        except (PressmarkError, ValueError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        found: dict[str, Any] = answers_adapter().dump_python(answer, mode="json")
        return found

    return ask
