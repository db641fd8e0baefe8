"""A run against another one as HTML: is it better grounded, and every metric that moved."""

from __future__ import annotations

from html import escape

from eval.compare import LATENCY, LEVEL, Change, Comparison, is_amount
from eval.highlights import ABSENT
from eval.html_figures import direction_of, named, table_html

GROUNDING = "grounded_correct"
NOTHING = "No question of this group is in both runs."
_HEAD = ("metric", "other", "this", "difference", "95 %", "p (Holm)", "better", "equal", "worse", "in one only")


def verdict_html(comparison: Comparison | None) -> str:
    """Render whether the run is better grounded than the other, and how the two were made otherwise."""
    if comparison is None:
        return f'<div class="verdict"><p>{NOTHING}</p></div>'
    change = next((change for change in comparison.changes if change.name == GROUNDING), None)
    direction = direction_of(change) if change else ""
    moved = [c.name for c in comparison.changes if c.sure and c.name not in {LATENCY, GROUNDING}]
    told = f"Beyond chance moved {', '.join(map(named, moved))}." if moved else "Nothing else moved beyond chance."
    better, worse = (sum(sign * item.gain > 0 for item in comparison.answers) for sign in (1, -1))
    notes = "".join(f'<li dir="auto">{escape(note)}</li>' for note in comparison.notes)
    return (
        f'<div class="verdict {direction}"><p><strong>{_answer(change)}</strong> {_moved(change)} {told} Of '
        f"{comparison.pairs} questions in both runs {better} came out better and {worse} worse.</p><ul>{notes}</ul>"
        "</div>"
    )


def differences_html(comparison: Comparison | None) -> str:
    """Render every metric that moved, the surest first; None: nothing shared."""
    if comparison is None:
        return f'<section><h2>Against the other run</h2><p class="lead">{NOTHING}</p></section>'
    rows = [_row(change) for change in comparison.changes if change.moved]
    still = ", ".join(named(change.name) for change in comparison.changes if not change.moved)
    same = f"The same in every question: {still}." if still else ""
    return (
        f'<section><h2>Against the other run</h2><p class="lead">Paired over the {comparison.pairs} questions of both '
        "runs, each metric over those it applies to in both. p: randomisation test, corrected by Holm's method for the "
        f"number of metrics. {same}</p>{table_html('Paired differences', _HEAD, rows)}</section>"
    )


def _answer(change: Change | None) -> str:
    if change is None:
        return "Grounding cannot be compared."
    rose = "better" if change.difference > 0 else "worse"
    if change.sure:
        return f"{rose.capitalize()} grounded."
    # One metric, fixed beforehand, would need no correction for the others.
    return f"Likely {rose} grounded." if change.p <= LEVEL else "Not better grounded beyond chance."


def _moved(change: Change | None) -> str:
    if change is None:
        return ""
    return (
        f"{named(change.name)} was {change.before:.3f} and is {change.after:.3f} ({change.difference:+.3f}, 95 %: "
        f"{_ends(change, '.3f')}; p {change.p:.3f} alone, {change.p_holm:.3f} with all metrics considered)."
    )


def _row(change: Change) -> str:
    form = ".0f" if is_amount(change.name) else ".3f"
    css = {"better": ' class="good"', "worse": ' class="poor"'}.get(direction_of(change), "")
    counts = "".join(f"<td>{count}</td>" for count in (change.better, change.equal, change.worse, change.in_one))
    return (
        f'<tr><th scope="row">{named(change.name)}</th><td>{change.before:{form}}</td><td>{change.after:{form}}</td>'
        f"<td{css}>{change.difference:+{form}}</td><td>{_ends(change, form)}</td><td>{change.p_holm:.3f}</td>"
        f"{counts}</tr>"
    )


def _ends(change: Change, form: str) -> str:
    if change.low is None or change.high is None:
        return ABSENT
    return f"{change.low:+{form}} to {change.high:+{form}}"
