"""The plots of the report as plotly JSON, without colours: the page's script puts those of its theme in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eval.compare import LATENCY, Comparison
from eval.highlights import OURS, number_text
from eval.metrics.abstention import risk_coverage, risk_coverage_area
from eval.metrics.statistics import mean
from eval.records import Record
from eval.runner import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

BINS = 10
_OF_STAGE = re.compile(r"latency_(\w+)_p50_ms")
_GREY = "#8a8a86"  # told from paper in both themes; all other colours are the theme's


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot.

    Attributes:
        caption: What is to be seen, in words, with its figures.
        figure: `data` and `layout` as plotly takes them; None if there is nothing to draw.
    """

    title: str
    caption: str
    figure: Mapping[str, object] | None = None


def plots_of(
    records: Sequence[Record], found: Sequence[Figure], group: str, comparison: Comparison | None
) -> dict[str, Plot]:
    """Return the plots of one group of questions by name, in the order shown.

    Args:
        records: Those of the group.
        found: The figures of the run, for the times by stage.
        group: Name of the group in `found`.
        comparison: With another run, over the group's questions; None for none.
    """
    answered = [record for record in records if record.status in {"answered", "partial"} and record.answer]
    plots = {
        "reliability": _reliability(answered),
        "risk": _risk(answered),
        "latency": _latency(records),
        "stages": _stages([f for f in found if f.group == group and f.system == OURS]),
    }
    return plots | {"differences": _differences(comparison)} if comparison else plots


# -- confidence ----------------------------------------------------------------------------------


def _sure(answered: Sequence[Record]) -> list[tuple[float, bool]]:
    return [(float(record.answer["confidence"]), bool(record.correct)) for record in answered if record.answer]


def _reliability(answered: Sequence[Record]) -> Plot:
    title = "Confidence against right answers"
    pairs = _sure(answered)
    if not pairs:
        return Plot(title, "No question was answered.")
    import plotly.graph_objects as go

    bins: list[list[tuple[float, bool, str]]] = [[] for _ in range(BINS)]
    for record, (sure, right) in zip(answered, pairs, strict=True):
        bins[min(BINS - 1, int(sure * BINS))].append((sure, right, record.cluster or record.id))
    filled = [part for part in bins if part]
    said = [sum(sure for sure, _, _ in part) / len(part) for part in filled]
    rates = [mean([float(right) for _, right, _ in part], [cluster for *_, cluster in part]) for part in filled]
    so = [rate.value or 0.0 for rate in rates]
    gap = sum(len(part) * abs(a - b) for part, a, b in zip(filled, said, so, strict=True)) / len(pairs)
    plot = go.Figure()
    plot.add_scatter(
        x=said,
        y=so,
        mode="lines+markers",
        name="answers",
        marker={"size": [7 + 2 * len(part) ** 0.5 for part in filled]},
        line={"width": 1.5},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [(rate.high if rate.high is not None else y) - y for rate, y in zip(rates, so, strict=True)],
            "arrayminus": [y - (rate.low if rate.low is not None else y) for rate, y in zip(rates, so, strict=True)],
            "thickness": 1,
        },
        customdata=[len(part) for part in filled],
        hovertemplate="said %{x:.2f}, right %{y:.2f}<br>%{customdata} answers<extra></extra>",
    )
    plot.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="calibrated", line={"dash": "dot", "color": _GREY})
    caption = (
        f"{len(pairs)} answered questions in tenths of confidence, with 95 % intervals; larger points hold more. Below "
        f"the dotted line answers are less often right than said. Mean gap (ECE): {gap:.3f}."
    )
    return Plot(title, caption, _drawn(plot, x="confidence", y="share right", x_range=(0, 1.02), y_range=(0, 1.05)))


def _risk(answered: Sequence[Record]) -> Plot:
    title = "Risk over coverage"
    pairs = _sure(answered)
    area = risk_coverage_area(pairs)
    if area is None:
        return Plot(title, "No question was answered.")
    import plotly.graph_objects as go

    points = risk_coverage(pairs)
    whole = points[-1][1]
    plot = go.Figure()
    plot.add_scatter(
        x=[0, *(coverage for coverage, _ in points)],
        y=[points[0][1], *(risk for _, risk in points)],
        mode="lines",
        name="surest first",
        line={"shape": "vh"},
        hovertemplate="%{x:.0%} answered<br>%{y:.1%} of them wrong<extra></extra>",
    )
    plot.add_scatter(x=[0, 1], y=[whole, whole], mode="lines", name="any order", line={"dash": "dot", "color": _GREY})
    caption = (
        f"If only the surest of the {len(pairs)} answered questions were answered: the share of wrong answers among "
        f"them. Area {area:.3f}; {whole:.3f} if confidence told nothing; at best {_least_area(pairs):.3f}. "
        "The figure risk_coverage_area is over all questions, and counts refusals as wrong."
    )
    top = max(0.1, *(risk for _, risk in points)) * 1.1
    layout = _drawn(plot, x="share of them answered", y="share wrong", x_range=(0, 1.02), y_range=(0, top))
    return Plot(title, caption, layout)


def _least_area(pairs: Sequence[tuple[float, bool]]) -> float:
    """Return the area if every right answer were surer than every wrong one."""
    ordered = sorted((right for _, right in pairs), reverse=True)
    return risk_coverage_area([(-float(place), right) for place, right in enumerate(ordered)]) or 0.0


# -- time ----------------------------------------------------------------------------------------


def _latency(records: Sequence[Record]) -> Plot:
    title = "Time to the answer"
    taken = [round(record.latency_ms) for record in records if record.latency_ms is not None]
    if not taken:
        return Plot(title, "No time was measured.")
    import plotly.graph_objects as go

    plot = go.Figure()
    plot.add_histogram(x=taken, nbinsx=30, name="questions", hovertemplate="%{x} ms: %{y}<extra></extra>")
    caption = f"{len(taken)} calls, {number_text('_ms', min(taken))} to {number_text('_ms', max(taken))}."
    return Plot(title, caption, _drawn(plot, x="milliseconds", y="questions"))


def _stages(figures: Sequence[Figure]) -> Plot:
    title = "Time by stage"
    by_name = {figure.name: figure for figure in figures}
    timed = [found.group(1) for name in by_name if (found := _OF_STAGE.fullmatch(name))]
    stages = [stage for stage in timed if _stage(by_name, stage, 50)]
    if not stages:
        return Plot(title, "No stage was timed.")
    import plotly.graph_objects as go

    plot = go.Figure()
    for q in (50, 95):
        values = [figure.value if (figure := _stage(by_name, stage, q)) else None for stage in stages]
        plot.add_bar(
            x=values,
            y=stages,
            orientation="h",
            name="median" if q == 50 else "95 of 100 are faster",
            hovertemplate="%{y}: %{x:.0f} ms<extra></extra>",
        )
    told = "; ".join(
        f"{stage} {number_text('_ms', figure.value)}" for stage in stages if (figure := _stage(by_name, stage, 50))
    )
    plot.update_layout(barmode="group", yaxis={"autorange": "reversed"})
    return Plot(title, f"Medians: {told}.", _drawn(plot, x="milliseconds", y=""))


def _stage(by_name: Mapping[str, Figure], stage: str, q: int) -> Figure | None:
    figure = by_name.get(f"latency_{stage}_p{q}_ms")
    return figure if figure and figure.value is not None else None


# -- against another run -------------------------------------------------------------------------


def _differences(comparison: Comparison) -> Plot:
    title = "Paired differences"
    changes = [c for c in comparison.changes if c.moved and c.name not in {LATENCY, "answer_words"}]
    if not changes:
        return Plot(title, f"No rate differs in any of the {comparison.pairs} questions of both runs.")
    import plotly.graph_objects as go

    plot = go.Figure()
    for sure in (True, False):
        chosen = [change for change in changes if change.sure == sure]
        plot.add_scatter(
            x=[change.difference for change in chosen],
            y=[f"{change.name} (−)" if change.lower_is_better else change.name for change in chosen],
            mode="markers",
            name="beyond chance" if sure else "may be chance",
            marker={"size": 9, "symbol": "circle" if sure else "circle-open"},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(c.high if c.high is not None else c.difference) - c.difference for c in chosen],
                "arrayminus": [c.difference - (c.low if c.low is not None else c.difference) for c in chosen],
                "thickness": 1,
            },
            hovertemplate="%{y}: %{x:+.3f}<extra></extra>",
        )
    plot.add_vline(x=0, line={"dash": "dot", "color": _GREY, "width": 1})
    plot.update_layout(height=130 + 24 * len(changes), yaxis={"autorange": "reversed"})
    caption = (
        f"This run less the other over {comparison.pairs} questions, with 95 % intervals; right of 0 is higher, which "
        "is worse for the metrics marked (−)."
    )
    return Plot(title, caption, _drawn(plot, x="difference", y=""))


def _drawn(
    plot: go.Figure,
    *,
    x: str,
    y: str,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
) -> dict[str, object]:
    """Return plotly's JSON of a figure; its template, which holds the colours, is the script's."""
    plot.update_layout(xaxis={"title": {"text": x}}, yaxis={"title": {"text": y}})
    if x_range:
        plot.update_xaxes(range=x_range)
    if y_range:
        plot.update_yaxes(range=y_range)
    drawn = plot.to_plotly_json()
    layout = {name: value for name, value in drawn["layout"].items() if name != "template"}
    return {"data": drawn["data"], "layout": layout}
