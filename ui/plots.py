"""The plots of the evals tab, by plotly; nothing is fetched: Gradio's page carries plotly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eval.runs import RunCard

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from eval.records import Record
    from eval.runner import Figure

PLOTTED = ("correct", "citation_precision", "abstention_recall", "hit@8")
_BINS = 10
_HEIGHT = 330
_GRID = "rgba(128,128,128,.25)"  # on paper light and dark
_COLOURS = ("#0d6c9f", "#a3562a", "#2f7d4f", "#7a5aa6")


def figure_of(card: RunCard, name: str) -> Figure | None:
    """Return a figure over all questions of a run."""
    return next((f for f in card.figures if f.name == name and f.group == "all"), None)


def runs_plot(cards: Sequence[RunCard]) -> go.Figure:
    """Plot figures over runs, oldest first, with their 95 % intervals."""
    import plotly.graph_objects as go

    ordered = sorted(cards, key=lambda card: card.created_at)
    plot = go.Figure()
    for colour, name in zip(_COLOURS, PLOTTED, strict=True):
        found = [(card, figure_of(card, name)) for card in ordered]
        shown = [(card, figure) for card, figure in found if figure and figure.value is not None]
        plot.add_scatter(
            x=[card.name for card, _ in shown],
            y=[figure.value for _, figure in shown],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [(figure.high or figure.value or 0) - (figure.value or 0) for _, figure in shown],
                "arrayminus": [(figure.value or 0) - (figure.low or figure.value or 0) for _, figure in shown],
                "thickness": 1,
            },
            mode="lines+markers",
            name=name,
            line={"color": colour},
        )
    return _plain(plot, "Figures over runs", y_range=(0, 1.02))


def reliability_plot(records: Sequence[Record]) -> go.Figure:
    """Plot how often answers are right against how sure the reader was, in tenths; on the diagonal it is calibrated."""
    import plotly.graph_objects as go

    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for record in records:
        if record.answer is None:
            continue
        sure = float(record.answer["confidence"])
        bins[min(_BINS - 1, int(sure * _BINS))].append((sure, bool(record.answerable and record.correct)))
    filled = [part for part in bins if part]
    plot = go.Figure()
    plot.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="calibrated", line={"dash": "dot", "color": "#888888"})
    plot.add_scatter(
        x=[sum(sure for sure, _ in part) / len(part) for part in filled],
        y=[sum(right for _, right in part) / len(part) for part in filled],
        mode="markers+lines",
        name="answers",
        marker={"size": [6 + len(part) ** 0.5 * 2 for part in filled], "color": _COLOURS[0]},
        text=[f"{len(part)} questions" for part in filled],
    )
    return _plain(plot, "Right answers against confidence", y_range=(0, 1.02))


def latency_plot(records: Sequence[Record]) -> go.Figure:
    """Plot how long answers took."""
    import plotly.graph_objects as go

    plot = go.Figure()
    taken = [record.latency_ms for record in records if record.latency_ms is not None]
    plot.add_histogram(x=taken, nbinsx=30, marker={"color": _COLOURS[0]}, name="questions")
    return _plain(plot, "Milliseconds to the answer")


def _plain(plot: go.Figure, title: str, *, y_range: tuple[float, float] | None = None) -> go.Figure:
    plot.update_layout(
        title={"text": title, "font": {"size": 15}},
        height=_HEIGHT,
        margin={"l": 45, "r": 15, "t": 50, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "#8a867c"},
        legend={"orientation": "h", "y": -0.2},
        yaxis={"range": y_range, "gridcolor": _GRID, "zerolinecolor": _GRID},
        xaxis={"gridcolor": _GRID, "zerolinecolor": _GRID},
    )
    return plot
