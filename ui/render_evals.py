"""Eval runs as HTML: their figures, and the worst answers of one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time

from eval.records import Record, Run
from eval.report import ranked_misses
from eval.runner import Figure
from eval.runs import RunCard
from rag.served import ServedDay
from ui.evals import EvalState
from ui.html import action, text
from ui.wording import date_text

_FIGURES = {
    "correct": "right answers",
    "grounded_correct": "right, from the right article",
    "abstention_precision": "refusals that were right",
    "abstention_recall": "unanswerable ones refused",
    "quote_exact": "exact quotes",
    "citation_precision": "citations of the right article",
    "hit@8": "right article found",
    "latency_p50_ms": "median time",
    "latency_p95_ms": "95 % within",
}
_WORST = 12


def runs_html(cards: Sequence[RunCard], chosen: str) -> str:
    """Render the runs, newest first, each with its main figures; the name of each opens it."""
    if not cards:
        return (
            '<p class="pm-none">No eval has been run over this archive. Start one here, or on the command line with '
            "<code>pressmark eval run</code>.</p>"
        )
    names = [name for name in _FIGURES if any(_figure(card, name) for card in cards)]
    head = "".join(f'<th scope="col" title="{text(name)}">{text(_FIGURES[name])}</th>' for name in names)
    rows = "".join(
        f"<tr{' aria-current=true' if card.name == chosen else ''}>"
        f'<th scope="row">{action(card.name, "open", css="pm-open", id=card.name)}'
        f'<span class="pm-byline">{text(card.dataset)}, {card.questions} questions, {text(card.model)}, '
        f"{date_text(card.created_at)}</span></th>"
        + "".join(f"<td>{_value(_figure(card, name))}</td>" for name in names)
        + "</tr>"
        for card in cards
    )
    return (
        '<div class="pm-scroll" tabindex="0" role="region" aria-label="Eval runs"><table class="pm-table"><caption>'
        f'Runs, newest first; below each figure its 95 % interval</caption><thead><tr><th scope="col">run</th>{head}'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _figure(card: RunCard, name: str) -> Figure | None:
    return next((figure for figure in card.figures if figure.name == name and figure.group == "all"), None)


def _value(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "–"
    if figure.name.endswith("_ms"):
        return f"{figure.value:.0f} ms"
    interval = ""
    if figure.low is not None and figure.high is not None:
        interval = f'<span class="pm-byline">{figure.low:.2f}–{figure.high:.2f}</span>'
    return f"{figure.value:.3f}{interval}"


def worst_html(run: Run) -> str:
    """Render the wrong answers of a run, the gravest first."""
    misses = ranked_misses(run)
    if not misses:
        return '<p class="pm-none">Every question of this run came out right.</p>'
    items = "".join(_miss_html(record) for record in misses[:_WORST])
    return (
        f'<h2 class="pm-label">{len(misses)} of {len(run.records)} questions went wrong; the gravest first</h2>'
        f'<ul class="pm-list pm-misses">{items}</ul>'
    )


def _miss_html(record: Record) -> str:
    expected = "; ".join(" | ".join(group) for group in record.answers) or "The archive does not say"
    shown = record.error or str((record.answer or {}).get("text", ""))
    ranks = ", ".join(str(rank) if rank else "not found" for rank in record.ranks)
    place = f" · evidence at place {text(ranks)}" if ranks else ""
    return (
        f'<li><p class="pm-near-title" dir="auto">{text(record.question)}</p>'
        f'<p class="pm-byline">{text(record.id)} · {text(", ".join([record.split, *record.tags]))} · '
        f"{record.status}{place}</p>"
        f'<p class="pm-expected" dir="auto"><span class="pm-label">Expected</span> {text(expected)}</p>'
        f'<p class="pm-passage" dir="auto">{text(shown)}</p></li>'
    )


def served_html(days: Sequence[ServedDay]) -> str:
    """Render how the answers served were grounded, newest day first; "" if none were."""
    if not days:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{date_text(datetime.combine(day.day, time(), UTC))}</th><td>{day.answers}</td>'
        f"<td>{_share(day.supported, day.claims)}</td><td>{_share(day.withheld, day.withheld + day.claims)}</td>"
        f"<td>{_share(day.abstained, day.answers)}</td><td>{day.p50_ms:.0f} / {day.p95_ms:.0f} ms</td></tr>"
        for day in days
    )
    heads = ("day", "answers", "sentences supported", "sentences withheld", "abstained", "p50 / p95")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="pm-scroll" tabindex="0" role="region" aria-label="Answers served"><table class="pm-table">'
        f"<caption>Answers served here, by day</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


def eval_state_html(state: EvalState | None) -> str:
    """Render how far the eval is that was started here."""
    if state is None:
        return ""
    if state.error:
        return f'<p class="pm-failure" role="alert" dir="auto">{text(state.error)}</p>'
    if not state.running:
        return f'<p class="pm-none" role="status">Done: {text(state.dataset)}, {state.of} questions.</p>'
    share = round(100 * state.done / max(1, state.of))
    return (
        f'<div class="pm-ingest" role="status"><p><strong>Running</strong>: {text(state.dataset)}, question '
        f'{state.done} of {state.of}</p><progress max="100" value="{share}" aria-label="Asked so far">{share} %'
        "</progress></div>"
    )
