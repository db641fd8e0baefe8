"""What a reader sees of an answer, as HTML. Pure; all pieces are escaped by `ui.html`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rag.prompts import REFUSAL
from rag.schema import Answer, Article, Citation, Claim, Conflict, RetrievedPassage, Stage, TimeWindow
from ui.html import action, byline, linked, text
from ui.render_sources import ArticleKey, sources_html
from ui.wording import VERDICTS, date_text, markdown_text, plain_text, window_text

_STAGES = {
    "understanding": "Understanding the question",
    "searching": "Searching the archive",
    "reading": "Reading the passages",
    "writing": "Writing",
    "checking": "Checking each sentence",
}
_NEAREST = 3  # articles offered when the archive does not say


# -- one exchange --------------------------------------------------------------------------------


def turn_html(answer: Answer, articles: Mapping[ArticleKey, Article], *, stage: Stage | None = None) -> str:
    """Render one exchange: the question above, the answer beside its sources.

    Args:
        answer: Finished, or a draft with the claims that came so far.
        articles: The cited articles by (id, version), as far as the archive has them.
        stage: The step in progress; None for a finished answer.
    """
    return (
        f'<article class="pm-turn"><h2 class="pm-question" dir="auto">{text(answer.question)}</h2>'
        f'<div class="pm-columns">{answer_html(answer, stage=stage)}{sources_html(answer, articles)}</div></article>'
    )


def failure_html(question: str, message: str) -> str:
    """Render an exchange that could not be answered, with what the reader can do about it."""
    return (
        f'<article class="pm-turn"><h2 class="pm-question" dir="auto">{text(question)}</h2>'
        f'<p class="pm-failure" role="alert" dir="auto">{text(message)}</p></article>'
    )


def results_html(question: str, found: Sequence[RetrievedPassage]) -> str:
    """Render what a search without an answer found."""
    items = "".join(
        f'<li class="pm-result"><h3 class="pm-headline">{linked(item.passage.title, item.passage.url)}</h3>'
        f"{byline(item.passage.source, item.passage.published_at, item.section)}"
        f'<p class="pm-passage" dir="auto">{text(item.passage.text)}</p>'
        + (f'<p class="pm-remark" dir="auto">Also in {text(", ".join(item.also_in))}</p>' if item.also_in else "")
        + (f'<p class="pm-correction" dir="auto">⚠ {text(item.correction)}</p>' if item.correction else "")
        + "</li>"
        for item in found
    )
    body = '<p class="pm-abstained">Nothing found: widen the dates or outlets.</p>'
    if found:
        count = f'<p class="pm-label">{len(found)} passages, best first</p>'
        body = f'{count}<ol class="pm-results">{items}</ol>'
    return f'<article class="pm-turn"><h2 class="pm-question" dir="auto">{text(question)}</h2>{body}</article>'


def stage_html(stage: Stage) -> str:
    """Render the step in progress."""
    words = _STAGES.get(stage.name, stage.name.capitalize())
    detail = f' <span class="pm-detail" dir="auto">{text(stage.detail)}</span>' if stage.detail else ""
    return (
        f'<p class="pm-stage" role="status"><span class="pm-pulse" aria-hidden="true"></span>{text(words)}{detail}</p>'
    )


# -- the answer ----------------------------------------------------------------------------------


def answer_html(answer: Answer, *, stage: Stage | None = None) -> str:
    """Render the left column: dates and search used, sentences with verdicts, conflicts, notes, what can be done."""
    body = _abstention_html(answer) if answer.status == "abstained" else _claims_html(answer)
    notes = "".join(f'<li dir="auto">{text(note)}</li>' for note in answer.notes)
    return (
        f'<div class="pm-answer" id="answer-{text(answer.id)}">{_chips_html(answer, fixed=stage is not None)}{body}'
        + "".join(_conflict_html(answer, conflict) for conflict in answer.conflicts)
        + (f'<ul class="pm-notes">{notes}</ul>' if notes else "")
        + (stage_html(stage) if stage else _colophon_html(answer))
        + "</div>"
    )


def _claims_html(answer: Answer) -> str:
    cited = {citation.number: citation for citation in answer.citations}
    short = ""
    if answer.short and answer.short.citation in cited:
        marker = _marker_html(answer.id, cited[answer.short.citation])
        short = f'<p class="pm-short" dir="auto">{text(answer.short.text)}{marker}</p>'
    return short + "".join(_claim_html(answer.id, claim, cited) for claim in answer.claims)


def _claim_html(answer_id: str, claim: Claim, cited: Mapping[int, Citation]) -> str:
    symbol, label = VERDICTS[claim.verdict]
    when = f", as of {date_text(claim.as_of)}" if claim.as_of else ""
    markers = "".join(_marker_html(answer_id, cited[number]) for number in claim.citations if number in cited)
    reasons = ""
    if claim.verdict != "supported" or claim.reasons:
        items = "".join(f'<li dir="auto">{text(reason)}</li>' for reason in claim.reasons)
        told = f"<ul>{items}</ul>" if items else ""
        reasons = f'<details class="pm-reasons"><summary>{text(label)}</summary>{told}</details>'
    return (
        f'<div class="pm-claim pm-{claim.verdict}">'
        f'<span class="pm-verdict" role="img" title="{label}{when}" aria-label="{label}{when}">{symbol}</span>'
        f'<p class="pm-sentence" dir="auto">{text(claim.text)}{markers}</p>{reasons}</div>'
    )


def _marker_html(answer_id: str, citation: Citation) -> str:
    label = f"Source {citation.number}: {citation.source or 'outlet unknown'}, {date_text(citation.published_at)}"
    return (
        f'<sup><a class="pm-cite" href="#source-{text(answer_id)}-{citation.number}" '
        f'title="{text(label)}" aria-label="{text(label)}">{citation.number}</a></sup>'
    )


def _conflict_html(answer: Answer, conflict: Conflict) -> str:
    cited = {citation.number: citation for citation in answer.citations}
    positions = "".join(
        f'<div class="pm-position"><p class="pm-value" dir="auto">{text(position.value)}'
        + (_marker_html(answer.id, cited[position.citation]) if position.citation in cited else "")
        + f"</p>{byline(position.source, position.published_at)}</div>"
        for position in conflict.positions
    )
    return (
        '<section class="pm-conflict"><h3 class="pm-label"><span aria-hidden="true">⇄</span> '
        f'The sources differ</h3><div class="pm-positions">{positions}</div></section>'
    )


def _abstention_html(answer: Answer) -> str:
    nearest = nearest_passages(answer)
    # The text goes on with the nearest articles, which are shown as links below.
    shown = REFUSAL if nearest and answer.text.startswith(REFUSAL) else answer.text
    items = "".join(
        f'<li><p class="pm-near-title">{linked(found.passage.title, found.passage.url)}</p>'
        f"{byline(found.passage.source, found.passage.published_at, found.section)}</li>"
        for found in nearest
    )
    listed = f'<h3 class="pm-label">Nearest in the archive</h3><ul class="pm-nearest">{items}</ul>' if items else ""
    return f'<p class="pm-abstained" dir="auto">{text(shown)}</p>{listed}'


def nearest_passages(answer: Answer) -> list[RetrievedPassage]:
    """Return the best passage of each of the few nearest articles, best first."""
    by_article: dict[str, RetrievedPassage] = {}
    for found in answer.retrieved:
        by_article.setdefault(found.passage.article_id, found)
    return list(by_article.values())[:_NEAREST]


# -- what was searched, to change ----------------------------------------------------------------


def _chips_html(answer: Answer, *, fixed: bool) -> str:
    """Tell what was searched where it is not simply the question over all dates; each can be changed or taken away."""
    chips = []
    if answer.search_query and answer.search_query.strip() != answer.question.strip():
        form = (
            f'<label>Search for <input type="text" name="question" value="{text(answer.search_query)}" '
            f'maxlength="2000"></label>{action("Ask this", "redo", css="pm-apply")}'
        )
        away = action("✕", "redo", css="pm-away", title="Ask it as it was typed", question=answer.question)
        chips.append(_chip_html("Searched for", answer.search_query, form, away, fixed))
    if words := window_text(answer.window):
        form = _days_form(answer.window)
        away = action("✕", "redo", css="pm-away", title="Search all dates", dates="all")
        chips.append(_chip_html("Published", words, form, away, fixed))
    return f'<div class="pm-chips">{"".join(chips)}</div>' if chips else ""


def _chip_html(label: str, value: str, form: str, away: str, fixed: bool) -> str:
    words = f'<span class="pm-label">{label}</span> <span dir="auto">{text(value)}</span>'
    if fixed:
        return f'<div class="pm-chip"><p>{words}</p></div>'
    return (
        f'<div class="pm-chip"><p>{words}</p>'
        f'<details class="pm-change"><summary>Change</summary><div class="pm-form">{form}</div></details>{away}</div>'
    )


def _days_form(window: TimeWindow | None) -> str:
    first = window.since if window else None
    last = window.until - timedelta(seconds=1) if window and window.until else None
    inputs = "".join(
        f'<label>{label} <input type="date" name="{name}" value="{_day(day)}"></label>'
        for label, name, day in (("From", "first", first), ("to", "last", last))
    )
    return f"{inputs}{action('Search these dates', 'redo', css='pm-apply', dates='set')}"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else ""


# -- what can be done with an answer -------------------------------------------------------------


def _colophon_html(answer: Answer) -> str:
    model = "Built-in reader" if answer.model == "builtin" else answer.model
    taken_ms = answer.timings_ms.get("total", sum(answer.timings_ms.values()))
    taken = f" · {taken_ms / 1000:.1f} s" if taken_ms >= 50 else ""
    plain = f"{answer.question}\n\n{plain_text(answer)}"
    copies = action("Copy with sources", "copy", copy=plain) + action(
        "Copy as Markdown", "copy", copy=markdown_text(answer)
    )
    if answer.created_at and answer.text:  # a draft has nothing to keep
        link = f'<a class="pm-action" href="?answer={text(answer.id)}">Link to this answer</a>'
        rate = (
            f'<span class="pm-rate" data-answer="{text(answer.id)}" role="group" aria-label="Was this answer good?">'
            f"{action('Helpful', 'rate', rating='up')}{action('Not helpful', 'rate', rating='down')}</span>"
        )
    else:
        link = rate = ""
    return (
        f'<div class="pm-colophon"><p dir="auto">{text(model)}{taken}</p>'
        f'<div class="pm-actions">{copies}{link}{rate}</div></div>'
    )
