"""The tab to ask in: question box, growing answers with their evidence, conversations kept in the browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import gradio as gr
from anyio import to_thread

from rag.errors import NotFoundError
from rag.feedback import Feedback, Rating
from ui.conversation import Change, Conversation, Scope, converse, converse_again, find, replayed, stopped
from ui.events import told
from ui.problems import reason
from ui.render import failure_html
from ui.render_archive import conversations_html
from ui.theme import SCROLL_TO_NEW, WIRED

if TYPE_CHECKING:
    from ui.desk import Desk

_KEPT = 50  # conversations that a browser keeps
_TITLE_CHARS = 120
_ANSWER, _SEARCH = "Answer", "Search only"
# Not to hide it (the page must read what it wrote): Gradio wants one, and a new one each start would lose everything.
_BROWSER_SECRET = "pressmark"  # noqa: S105


@dataclass(frozen=True, slots=True)
class _Parts:
    """The components that events read or change."""

    conversation: gr.State
    kept: gr.BrowserState
    past: gr.HTML
    live: gr.HTML
    question: gr.Textbox
    mode: gr.Radio
    ask: gr.Button
    stop: gr.Button
    new: gr.Button
    history: gr.HTML
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


@dataclass(frozen=True, slots=True)
class AskTab:
    """What the rest of the page needs of the tab: the outlets to fill, and what opens articles."""

    sources: gr.Dropdown
    opens: tuple[gr.HTML, ...]


def add_ask_tab(page: gr.Blocks, desk: Desk, sample_questions: Sequence[str]) -> AskTab:
    """Lay the tab out and wire it."""
    parts = _lay_out(desk.settings.question_chars, sample_questions)
    asking = _wire_asking(desk, parts)
    _wire_conversations(page, desk, parts, asking)
    _wire_opinions(desk, parts)
    return AskTab(parts.sources, (parts.past, parts.live))


# -- layout --------------------------------------------------------------------------------------


def _lay_out(question_chars: int, sample_questions: Sequence[str]) -> _Parts:
    conversation = gr.State(Conversation())
    kept = gr.BrowserState([], storage_key="pressmark-conversations", secret=_BROWSER_SECRET)
    past = gr.HTML(elem_id="pm-past", apply_default_css=False, js_on_load=WIRED)
    live = gr.HTML(elem_id="pm-live", apply_default_css=False, js_on_load=WIRED)
    with gr.Column(elem_id="pm-composer"):
        question = gr.Textbox(
            label="Your question",
            placeholder="What do you want to know?",
            lines=1,
            max_lines=5,
            max_length=question_chars,
            autofocus=True,
            elem_id="pm-question",
        )
        with gr.Row(elem_id="pm-buttons"):
            ask = gr.Button("Ask", variant="primary", elem_id="pm-ask")
            stop = gr.Button("Stop", visible=False, elem_id="pm-stop")
            new = gr.Button("New conversation", visible=False, elem_id="pm-new")
        with gr.Row(elem_id="pm-under"):
            mode = gr.Radio([_ANSWER, _SEARCH], value=_ANSWER, label="What to show", elem_id="pm-mode")
            first_day, last_day, infer_window, sources = _lay_out_scope()
    with gr.Column(visible=bool(sample_questions), elem_id="pm-samples") as samples:
        gr.HTML('<p class="pm-label pm-samples-label">Or try one of these</p>', apply_default_css=False)
        buttons = tuple(gr.Button(text, elem_classes="pm-sample") for text in sample_questions)
    with gr.Accordion("Earlier conversations", open=False, elem_id="pm-history"):
        history = gr.HTML(apply_default_css=False, js_on_load=WIRED, elem_id="pm-kept")
    return _Parts(
        conversation=conversation,
        kept=kept,
        past=past,
        live=live,
        question=question,
        mode=mode,
        ask=ask,
        stop=stop,
        new=new,
        history=history,
        first_day=first_day,
        last_day=last_day,
        infer_window=infer_window,
        sources=sources,
        samples=samples,
        sample_buttons=buttons,
    )


def _lay_out_scope() -> tuple[gr.Textbox, gr.Textbox, gr.Checkbox, gr.Dropdown]:
    with gr.Accordion("Dates and outlets", open=False, elem_id="pm-narrow"):
        with gr.Row():
            first_day = gr.Textbox(label="Published from", placeholder="2025-06-01", max_length=10, max_lines=1)
            last_day = gr.Textbox(label="to (that day included)", placeholder="2025-06-30", max_length=10, max_lines=1)
        sources = gr.Dropdown([], value=[], multiselect=True, label="Outlets (none chosen: all)")
        infer_window = gr.Checkbox(value=True, label="Take dates from the question, such as “in June”")
    return first_day, last_day, infer_window, sources


# -- asking --------------------------------------------------------------------------------------


def _wire_asking(desk: Desk, parts: _Parts) -> list[Any]:
    """Wire question box, buttons and chips; return the events, which another may cancel."""

    async def grow(
        question: str | None,
        conversation: Conversation,
        mode: str,
        first: str | None,
        last: str | None,
        infer: bool,
        sources: list[str] | None,
    ) -> AsyncIterator[list[Any]]:
        # Gradio sends None for a box that was never touched.
        if not question or not question.strip():
            return
        scope = Scope(first or "", last or "", infer, tuple(sources or ()))
        work = find if mode == _SEARCH else converse
        step = -1
        async for grown in _steps(work(desk, question, conversation, scope)):
            step += 1
            # Only the first step empties the box: the reader may be typing the next question.
            yield [*_update(grown, past_changed=step == 0), "" if step == 0 else gr.skip()]

    async def again(event: gr.EventData, conversation: Conversation) -> AsyncIterator[list[Any]]:
        said = told(event)
        change = Change(said.get("question", ""), said.get("dates", ""), said.get("first", ""), said.get("last", ""))
        async for grown in _steps(converse_again(desk, conversation, change)):
            yield _update(grown, past_changed=False)

    def stop(conversation: Conversation) -> list[Any]:
        return _update(stopped(desk, conversation), past_changed=False)

    at_once = desk.settings.answers_at_once
    running: dict[str, Any] = {
        "show_progress": "hidden",
        "concurrency_id": "ask",
        "concurrency_limit": at_once,
        "api_visibility": "private",
    }
    triggers: list[tuple[Callable[..., Any], Any]] = [
        (parts.question.submit, parts.question),
        (parts.ask.click, parts.question),
        *((button.click, button) for button in parts.sample_buttons),
    ]
    asking = []
    for trigger, asked in triggers:
        inputs = [asked, parts.conversation, parts.mode, *parts.scope]
        asking.append(trigger(grow, inputs=inputs, outputs=[*parts.shown, parts.question], **running))
        trigger(None, js=SCROLL_TO_NEW, api_visibility="private")
    asking.append(parts.live.submit(again, inputs=[parts.conversation], outputs=parts.shown, **running))
    parts.stop.click(
        stop,
        inputs=[parts.conversation],
        outputs=parts.shown,
        cancels=asking,
        show_progress="hidden",
        api_visibility="private",
        queue=False,
    )
    return asking


async def _steps(steps: Iterator[Conversation]) -> AsyncIterator[Conversation]:
    """Yield what the steps yield; a stop does not wait for the sentence that is being written.

    Gradio would drop the next question meanwhile.
    """
    while (grown := await to_thread.run_sync(next, steps, None, abandon_on_cancel=True)) is not None:
        yield grown


def _update(conversation: Conversation, *, past_changed: bool) -> list[Any]:
    """Return the values of `_Parts.shown`."""
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


# -- conversations -------------------------------------------------------------------------------


def _wire_conversations(page: gr.Blocks, desk: Desk, parts: _Parts, asking: Sequence[Any]) -> None:
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def arrive(request: gr.Request, kept: list[dict[str, Any]] | None) -> list[Any]:
        answer_id = request.query_params.get("answer", "")
        listed = _listed(kept, request.username)
        if not answer_id:
            return [*[gr.skip()] * len(parts.shown), listed]
        try:
            return [*_update(replayed(desk.archive, [answer_id]), past_changed=True), listed]
        except NotFoundError as error:
            missing = Conversation(page=failure_html("This answer", reason(error)))
            return [*_update(missing, past_changed=True), listed]

    def keep(request: gr.Request, conversation: Conversation, kept: list[dict[str, Any]] | None) -> list[Any]:
        if conversation.draft is not None or not conversation.answers:
            return [gr.skip(), gr.skip()]
        grown = _kept(conversation, kept or [], request.username)
        return [grown, _listed(grown, request.username)]

    def open_(event: gr.EventData, kept: list[dict[str, Any]] | None) -> list[Any]:
        wanted = told(event).get("id", "")
        entry = next((entry for entry in kept or [] if entry.get("id") == wanted), None)
        answers = [str(id_) for id_ in entry.get("answers", [])] if entry else []
        try:
            opened = replayed(desk.archive, answers, wanted)
        except NotFoundError as error:
            opened = Conversation(page=failure_html(str(entry["title"]) if entry else "Conversation", reason(error)))
        return _update(opened, past_changed=True)

    def forget(request: gr.Request, event: gr.EventData, kept: list[dict[str, Any]] | None) -> list[Any]:
        left = [entry for entry in kept or [] if entry.get("id") != told(event).get("id")]
        return [left, _listed(left, request.username)]

    page.load(arrive, inputs=[parts.kept], outputs=[*parts.shown, parts.history], **quiet)
    for event in asking:
        event.then(keep, inputs=[parts.conversation, parts.kept], outputs=[parts.kept, parts.history], **quiet)
    parts.history.select(open_, inputs=[parts.kept], outputs=parts.shown, cancels=list(asking), **quiet)
    parts.history.delete(forget, inputs=[parts.kept], outputs=[parts.kept, parts.history], **quiet)
    parts.new.click(
        lambda: _update(Conversation(), past_changed=True), outputs=parts.shown, cancels=list(asking), **quiet
    )


def _kept(conversation: Conversation, kept: Sequence[dict[str, Any]], user: str | None) -> list[dict[str, Any]]:
    """Put a conversation before the others that the browser keeps."""
    title = conversation.turns[0].question[:_TITLE_CHARS] if conversation.turns else "Conversation"
    known = next((entry for entry in kept if entry.get("id") == conversation.id), None)
    entry = {
        "id": conversation.id,
        "title": known["title"] if known else title,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "answers": list(conversation.answers),
        "user": user or "",
    }
    return [entry, *(other for other in kept if other.get("id") != conversation.id)][:_KEPT]


def _listed(kept: Sequence[dict[str, Any]] | None, user: str | None) -> str:
    mine = [entry for entry in kept or [] if entry.get("user", "") == (user or "")]
    return conversations_html(mine, datetime.now(UTC))


# -- opinions ------------------------------------------------------------------------------------


def _wire_opinions(desk: Desk, parts: _Parts) -> None:
    def rate(event: gr.EventData) -> None:
        said = told(event)
        rating: Rating = "up" if said.get("rating") == "up" else "down"
        why = said.get("reason", "").strip()[:2000]
        try:
            desk.archive.feedback.add(Feedback(said.get("answer", ""), rating, why, datetime.now(UTC)))
        except NotFoundError as error:
            raise gr.Error(reason(error), print_exception=False) from error

    for shown in (parts.past, parts.live):
        shown.like(rate, show_progress="hidden", api_visibility="private")
