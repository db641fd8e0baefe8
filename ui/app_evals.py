"""The tab of evals: runs with their figures and plots, the worst answers, a button that starts one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import gradio as gr

from rag.errors import PressmarkError
from ui.app_articles import require_writer
from ui.evals import SAMPLE
from ui.events import told
from ui.plots import latency_plot, reliability_plot, runs_plot
from ui.problems import reason
from ui.render_archive import refusal_html
from ui.render_evals import eval_state_html, runs_html, served_html, worst_html
from ui.theme import WIRED

if TYPE_CHECKING:
    from ui.access import Keys
    from ui.desk import Desk
    from ui.evals import EvalDesk

_LOOK_S = 0.5  # between two looks at how far an eval is
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def add_evals_tab(page: gr.Blocks, desk: Desk, evals: EvalDesk, keys: Keys) -> None:
    """Lay the tab out and wire it."""
    with gr.Row(elem_id="pm-eval-start", visible=desk.settings.writable):
        dataset = gr.Dropdown([SAMPLE], value=SAMPLE, label="Questions", elem_id="pm-dataset")
        start = gr.Button("Run an eval", elem_id="pm-start-eval")
    state = gr.HTML(elem_id="pm-eval-state", apply_default_css=False)
    listed = gr.HTML(elem_id="pm-runs", apply_default_css=False, js_on_load=WIRED)
    with gr.Row(elem_id="pm-plots"):
        over_runs = gr.Plot(label="Figures over runs", show_label=False, visible=False)
        reliability = gr.Plot(label="Right answers against confidence", show_label=False, visible=False)
        latency = gr.Plot(label="Milliseconds to the answer", show_label=False, visible=False)
    worst = gr.HTML(elem_id="pm-worst", apply_default_css=False)
    served = gr.HTML(elem_id="pm-served", apply_default_css=False)
    outputs = [listed, over_runs, reliability, latency, worst]

    def show(name: str = "") -> list[Any]:
        cards = evals.runs.latest()
        chosen = name or (cards[0].name if cards else "")
        if not chosen:
            hidden = gr.update(visible=False)
            return [runs_html(cards, ""), hidden, hidden, hidden, ""]
        try:
            run = evals.runs.get(chosen)
        except PressmarkError as error:
            return [runs_html(cards, ""), gr.skip(), gr.skip(), gr.skip(), refusal_html(reason(error))]
        plots = (runs_plot(cards), reliability_plot(run.records), latency_plot(run.records))
        return [runs_html(cards, chosen), *(gr.update(value=plot, visible=True) for plot in plots), worst_html(run)]

    def open_(event: gr.EventData) -> list[Any]:
        return show(told(event).get("id", ""))

    def begin(request: gr.Request, chosen: str) -> Iterator[list[Any]]:
        skipped = [gr.skip()] * len(outputs)
        try:
            require_writer(desk, keys, request)
            evals.start(chosen)
        except PressmarkError as error:
            yield [refusal_html(reason(error)), *skipped]
            return
        while (now := evals.state) is not None and now.running:
            yield [eval_state_html(now), *skipped]
            time.sleep(_LOOK_S)
        yield [eval_state_html(evals.state), *show()]

    def arrive() -> list[Any]:
        days = desk.archive.served.days(datetime.now(UTC))
        return [gr.update(choices=evals.datasets()), eval_state_html(evals.state), served_html(days), *show()]

    page.load(arrive, outputs=[dataset, state, served, *outputs], **_QUIET)
    listed.select(open_, outputs=outputs, **_QUIET)
    start.click(begin, inputs=[dataset], outputs=[state, *outputs], **_QUIET)
