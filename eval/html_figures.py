"""The figures of a run as HTML: large ones, tables beside the trivial systems, and by tag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from eval.compare import Change, is_amount, lower_is_better
from eval.highlights import (
    ABSENT,
    OURS,
    SYSTEMS,
    TAG_COLUMNS,
    Row,
    headline_rows,
    interval_text,
    judge_of,
    label_of,
    meaning_of,
    number_text,
)
from eval.records import Run
from eval.runner import Figure

_NO_NOTE = "How far this judge agrees with people is not known here: `pressmark eval judge` measures it."
_HEAT = 45  # per cent of red in the worst cell: text on it keeps contrast AA


def cards_html(rows: Sequence[Row], run: Run, changes: Mapping[str, Change], judge_notes: Sequence[str]) -> str:
    """Render the headlines of a group as large figures; those that a judge decides apart, with what is known of it.

    Args:
        rows: All figures of the group.
        run: The run.
        changes: Against another run, by metric; empty for none.
        judge_notes: What is known of the judge's own worth.
    """
    heads = headline_rows(rows)
    plain = "".join(_card(row, run, changes) for row in heads if not judge_of(row.name, run))
    judged = "".join(_card(row, run, changes) for row in heads if judge_of(row.name, run))
    if not judged:
        return f'<ul class="cards">{plain}</ul>'
    notes = "".join(f'<li dir="auto">{escape(note)}</li>' for note in judge_notes or [_NO_NOTE])
    return (
        f'<ul class="cards">{plain}</ul><div class="judged"><ul class="cards">{judged}</ul><div class="notes">'
        f'<h3 class="label">A judge decides these: they are as good as it is</h3><ul>{notes}</ul></div></div>'
    )


def trivial_html(rows: Sequence[Row], run: Run) -> str:
    """Render the figures of a group beside those of the trivial systems: the headlines, and folded all of them."""
    heads = [row for row in headline_rows(rows) if not row.name.endswith("_ms")]
    every = f'<details class="more"><summary>All {len(rows)} figures</summary>{_figures_table(rows, run)}</details>'
    if not run.baselines:
        return f"<section><h2>Figures</h2>{_figures_table(heads, run)}{every}</section>"
    apart = ", ".join(f"<code>{escape(row.name)}</code>" for row in rows if set(row.marks) == {"worse"})
    told = f"All of them come last in {apart}." if apart else "No figure puts all of them last: read them together."
    systems = "; ".join(f"<strong>{escape(name)}</strong> {escape(SYSTEMS.get(name, ''))}" for name in run.baselines)
    return (
        '<section><h2>Beside trivial systems</h2><p class="lead">Nobody would want these systems; they are scored in '
        "the same way. Where one is <strong>not worse</strong> (in colour), the figure alone does not measure what its "
        f'name says. {told}</p>{_figures_table(heads, run)}<p class="lead">{systems}.</p>{every}</section>'
    )


def tags_html(run: Run, found: Sequence[Figure]) -> str:
    """Render the figures by tag, the worst outcome first, redder where worse."""
    ours = (figure for figure in found if figure.group.startswith("tag:") and figure.system == OURS)
    chosen = {(figure.group.removeprefix("tag:"), figure.name): figure for figure in ours}
    known = {name for _, name in chosen}
    names = [name for name in (column.format(k=run.k) for column in TAG_COLUMNS) if name in known]
    tags = sorted({tag for tag, _ in chosen}, key=lambda tag: (-_badness(chosen.get((tag, "right_outcome"))), tag))
    asked = {tag: figure.of for (tag, _), figure in chosen.items()}
    if not tags:
        return '<section id="tags"><h2>By tag</h2><p class="lead">The questions have no tags.</p></section>'
    rows = [
        f'<tr><th scope="row"><button type="button" data-tag="{escape(tag)}">{escape(tag)}</button></th>'
        f"<td>{asked[tag]}</td>{''.join(_heat(chosen.get((tag, name))) for name in names)}</tr>"
        for tag in tags
    ]
    return (
        '<section id="tags"><h2>By tag</h2><p class="lead">All questions, the worst outcome first; the redder, the '
        "worse. A tag of few questions says little: intervals are in the cells' tips. A tag's button lists its "
        f"questions.</p>{table_html('Figures by tag', ['tag', 'questions', *map(named, names)], rows)}</section>"
    )


def table_html(label: str, head: Iterable[str], rows: Iterable[str]) -> str:
    """Render a table that scrolls in a region of its own.

    Args:
        label: Of the region.
        head: Cells of the head, HTML.
        rows: HTML, each a `<tr>`.
    """
    cells = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}"><table><thead><tr>{cells}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def named(name: str) -> str:
    """Render a metric's code name, with a minus where lower is better."""
    return f"<code>{escape(name)}</code>{' (−)' if lower_is_better(name) else ''}"


def direction_of(change: Change) -> str:
    """Return "better" or "worse" where a change is beyond chance, else ""."""
    if not change.sure:
        return ""
    return "worse" if (change.difference > 0) == change.lower_is_better else "better"


# -- large figures -------------------------------------------------------------------------------


def _card(row: Row, run: Run, changes: Mapping[str, Change]) -> str:
    figure, judge = row.ours, judge_of(row.name, run)
    counted = f"n {figure.n} of {figure.of}" + (f", judge: {judge}" if judge else "")
    return (
        f'<li class="card" title="{escape(meaning_of(row.name))}"><h3>{escape(label_of(row.name))}</h3>'
        f'<p class="small">{named(row.name)}</p><p class="value{" absent" if figure.value is None else ""}">'
        f'{number_text(row.name, figure.value)}</p>{_line(figure)}<p class="small">{_certainty(figure)}</p>'
        f'<p class="small">{escape(counted)}</p>{_delta(changes.get(row.name))}</li>'
    )


def _line(figure: Figure) -> str:
    """Draw value and interval of a rate on a line from 0 to 1."""
    if figure.value is None or is_amount(figure.name):
        return ""
    low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
    return (
        '<svg class="line" viewBox="0 0 200 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" x="0" y="3" width="200" height="2"/>'
        f'<rect class="interval" x="{200 * low:.1f}" y="1" width="{200 * (high - low):.1f}" height="6"/>'
        f'<rect class="point" x="{198 * figure.value:.1f}" y="0" width="2" height="8"/></svg>'
    )


def _certainty(figure: Figure) -> str:
    if figure.value is None:
        return "applies to no question"
    if figure.low is None:
        return "too few for an interval"
    if figure.low == figure.high and figure.value in {0.0, 1.0}:
        # The bootstrap sees no spread here; the rule of three does (Hanley & Lippman-Hand, JAMA 1983).
        return f"all agree: ± {min(1.0, 3 / figure.n):.2f} (3 / n)"
    return f"95 %: {interval_text(figure)}"


def _delta(change: Change | None) -> str:
    if change is None:
        return ""
    if not change.moved:
        return '<p class="delta">as in the other run</p>'
    sure = "beyond chance" if change.sure else "may be chance"
    return f'<p class="delta {direction_of(change)}">{change.difference:+.3f}, {sure}</p>'


# -- tables --------------------------------------------------------------------------------------


def _figures_table(rows: Sequence[Row], run: Run) -> str:
    head = ["figure", OURS, "95 %", "n", *(escape(name) for name in run.baselines)]
    return table_html("Figures", head, (_figure_row(row, run) for row in rows))


def _figure_row(row: Row, run: Run) -> str:
    ours, judge = row.ours, judge_of(row.name, run)
    by = f' <span class="judge">judge: {escape(judge)}</span>' if judge else ""
    others = "".join(_other(row.name, other, mark) for other, mark in zip(row.others, row.marks, strict=True))
    return (
        f'<tr><th scope="row">{named(row.name)}{by}<span class="small">{escape(meaning_of(row.name))}</span></th>'
        f'<td class="ours">{number_text(row.name, ours.value)}</td><td>{interval_text(ours) or ABSENT}</td>'
        f"<td>{ours.n} of {ours.of}</td>{others}</tr>"
    )


def _other(name: str, other: Figure | None, mark: str) -> str:
    value = number_text(name, other.value if other else None)
    if mark == "not worse":
        return f'<td class="alike">{"≤" if lower_is_better(name) else "≥"} {value}</td>'
    return f'<td class="absent">{value}</td>' if value == ABSENT else f"<td>{value}</td>"


def _badness(figure: Figure | None) -> float:
    if figure is None or figure.value is None:
        return 0.0
    return figure.value if lower_is_better(figure.name) else 1 - figure.value


def _heat(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return f'<td class="absent">{ABSENT}</td>'
    interval = interval_text(figure)
    tip = f"n {figure.n} of {figure.of}" + (f", 95 %: {interval}" if interval else "")
    heat = f"{_HEAT * min(1.0, max(0.0, _badness(figure))):.0f}%"
    return f'<td class="heat" style="--heat: {heat}" title="{tip}">{number_text(figure.name, figure.value)}</td>'
