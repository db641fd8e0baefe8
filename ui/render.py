"""What a reader sees of an answer, as HTML.

Pure. Everything that comes from an article, a question or a model is escaped here and nowhere
else; only http and https addresses become links.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from html import escape
from urllib.parse import urlsplit

from rag.prompts import REFUSAL
from rag.schema import Answer, ArchiveStatus, Article, Citation, Claim, Conflict, RetrievedPassage, Stage
from ui.surroundings import surroundings
from ui.wording import VERDICTS, anchor_texts, date_text, plain_text, window_text

__all__ = [
    "ArticleKey",
    "answer_html",
    "failure_html",
    "freshness_html",
    "nearest_passages",
    "plain_text",
    "safe_url",
    "sources_html",
    "stage_html",
    "turn_html",
    "window_text",
]

_STAGES = {
    "understanding": "Understanding the question",
    "searching": "Searching the archive",
    "reading": "Reading the passages",
    "writing": "Writing",
    "checking": "Checking each sentence",
}
_NEAREST = 3  # articles offered when the archive does not say

ArticleKey = tuple[str, str]
"""Article id and version."""


# -- small pieces --------------------------------------------------------------------------------


def safe_url(url: str) -> str:
    """Return `url` if a browser may be sent there, else ""."""
    address = url.strip()
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc or re.search(r"[\s\x00-\x1f]", address):
        return ""
    return address


def _text(value: str) -> str:
    """Escape for element content and quoted attributes; a bare CR would be read as a line feed."""
    return escape(value, quote=True).replace("\r", "&#13;")


def _time(moment: datetime | None) -> str:
    if moment is None:
        return '<span class="pm-undated">date unknown</span>'
    return f'<time datetime="{_text(moment.isoformat())}">{date_text(moment)}</time>'


def _linked(title: str, url: str) -> str:
    address = safe_url(url)
    if not address:
        return f'<span dir="auto">{_text(title)}</span>'
    return (
        f'<a dir="auto" href="{_text(address)}" target="_blank" rel="noopener noreferrer nofollow">{_text(title)}</a>'
    )


def _byline(source: str, moment: datetime | None, section: str = "") -> str:
    pieces = [f'<span class="pm-outlet" dir="auto">{_text(source or "Outlet unknown")}</span>', _time(moment)]
    if section:
        pieces.append(f'<span dir="auto">{_text(section)}</span>')
    return '<p class="pm-byline">' + '<span aria-hidden="true"> · </span>'.join(pieces) + "</p>"


# -- the answer ----------------------------------------------------------------------------------


def answer_html(answer: Answer, *, stage: Stage | None = None) -> str:
    """Render the left column: dates and search used, sentences with verdicts, conflicts, notes.

    Args:
        answer: Finished, or a draft with the claims that came so far.
        stage: The step in progress; None for a finished answer.
    """
    body = _abstention_html(answer) if answer.status == "abstained" else claims_html(answer)
    notes = "".join(f'<li dir="auto">{_text(note)}</li>' for note in answer.notes)
    return (
        f'<div class="pm-answer" id="answer-{_text(answer.id)}">{_scope_html(answer)}{body}'
        + "".join(_conflict_html(answer, conflict) for conflict in answer.conflicts)
        + (f'<ul class="pm-notes">{notes}</ul>' if notes else "")
        + (stage_html(stage) if stage else _colophon_html(answer))
        + "</div>"
    )


def claims_html(answer: Answer) -> str:
    """Render the short answer if there is one, then the sentences, each with its verdict and its citation markers."""
    cited = {citation.number: citation for citation in answer.citations}
    short = ""
    if answer.short and answer.short.citation in cited:
        marker = _marker_html(answer.id, cited[answer.short.citation])
        short = f'<p class="pm-short" dir="auto">{_text(answer.short.text)}{marker}</p>'
    return short + "".join(_claim_html(answer.id, claim, cited) for claim in answer.claims)


def _claim_html(answer_id: str, claim: Claim, cited: Mapping[int, Citation]) -> str:
    symbol, label = VERDICTS[claim.verdict]
    when = f", as of {date_text(claim.as_of)}" if claim.as_of else ""
    markers = "".join(_marker_html(answer_id, cited[number]) for number in claim.citations if number in cited)
    reasons = ""
    if claim.verdict != "supported":
        reasons = f'<p class="pm-reasons" dir="auto">{_text("; ".join((label, *claim.reasons)))}</p>'
    return (
        f'<div class="pm-claim pm-{claim.verdict}">'
        f'<span class="pm-verdict" role="img" title="{label}{when}" aria-label="{label}{when}">{symbol}</span>'
        f'<p class="pm-sentence" dir="auto">{_text(claim.text)}{markers}</p>{reasons}</div>'
    )


def _marker_html(answer_id: str, citation: Citation) -> str:
    label = f"Source {citation.number}: {citation.source or 'outlet unknown'}, {date_text(citation.published_at)}"
    return (
        f'<sup><a class="pm-cite" href="#source-{_text(answer_id)}-{citation.number}" '
        f'title="{_text(label)}" aria-label="{_text(label)}">{citation.number}</a></sup>'
    )


def _scope_html(answer: Answer) -> str:
    """Tell what was searched where it is not simply the question over all dates."""
    rows = []
    if answer.search_query and answer.search_query.strip() != answer.question.strip():
        rows.append(("Searched for", answer.search_query))
    if window := window_text(answer.window):
        rows.append(("Published", window))
    return "".join(
        f'<p class="pm-scope"><span class="pm-label">{label}</span> <span dir="auto">{_text(value)}</span></p>'
        for label, value in rows
    )


def _conflict_html(answer: Answer, conflict: Conflict) -> str:
    cited = {citation.number: citation for citation in answer.citations}
    positions = "".join(
        f'<div class="pm-position"><p class="pm-value" dir="auto">{_text(position.value)}'
        + (_marker_html(answer.id, cited[position.citation]) if position.citation in cited else "")
        + f"</p>{_byline(position.source, position.published_at)}</div>"
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
        f'<li><p class="pm-near-title">{_linked(found.passage.title, found.passage.url)}</p>'
        f"{_byline(found.passage.source, found.passage.published_at, found.section)}</li>"
        for found in nearest
    )
    listed = f'<h3 class="pm-label">Nearest in the archive</h3><ul class="pm-nearest">{items}</ul>' if items else ""
    return f'<p class="pm-abstained" dir="auto">{_text(shown)}</p>{listed}'


def nearest_passages(answer: Answer) -> list[RetrievedPassage]:
    """Return the best passage of each of the few nearest articles, best first."""
    by_article: dict[str, RetrievedPassage] = {}
    for found in answer.retrieved:
        by_article.setdefault(found.passage.article_id, found)
    return list(by_article.values())[:_NEAREST]


def _colophon_html(answer: Answer) -> str:
    model = "Built-in reader" if answer.model == "builtin" else answer.model
    taken_ms = answer.timings_ms.get("total", sum(answer.timings_ms.values()))
    taken = f" · {taken_ms / 1000:.1f} s" if taken_ms >= 50 else ""
    return (
        f'<p class="pm-colophon"><span dir="auto">{_text(model)}{taken}</span> '
        f'<button type="button" class="pm-copy" data-copy="{_text(plain_text(answer))}">Copy with sources</button></p>'
    )


# -- the sources ---------------------------------------------------------------------------------


def sources_html(answer: Answer, articles: Mapping[ArticleKey, Article]) -> str:
    """Render the right column: one card for each citation, its quote marked in its surroundings.

    Args:
        answer: Its citations are shown in order.
        articles: The cited articles by (id, version); a missing one leaves the quote to stand alone.
    """
    cards = "".join(_card_html(answer, citation, articles) for citation in answer.citations)
    if not cards:
        return ""
    return f'<aside class="pm-sources" aria-label="Sources"><h3 class="pm-label">Sources</h3><ol>{cards}</ol></aside>'


def _card_html(answer: Answer, citation: Citation, articles: Mapping[ArticleKey, Article]) -> str:
    article = articles.get((citation.article_id, citation.version))
    passage = next((p for p in answer.retrieved if _covers(p, citation)), None)
    before, after = surroundings(citation, article, passage)
    remarks = [", ".join(anchor_texts(citation))] if citation.anchors else []
    if citation.also_in:
        remarks.append(f"Also in {', '.join(citation.also_in)}")
    if citation.truncated:
        remarks.append("The archive holds only the beginning of this article")
    correction = (
        f'<p class="pm-correction" dir="auto">⚠ {_text(citation.correction)}</p>' if citation.correction else ""
    )
    return (
        f'<li class="pm-source" id="source-{_text(answer.id)}-{citation.number}" tabindex="-1">'
        f'<span class="pm-number">{citation.number}</span><div class="pm-card">'
        f'<h4 class="pm-headline">{_linked(citation.title, citation.url)}</h4>'
        f"{_byline(citation.source, citation.published_at, citation.section)}{correction}"
        f'<blockquote class="pm-passage" dir="auto">{_text(before)}<mark>{_text(citation.quote)}</mark>'
        f"{_text(after)}</blockquote>"
        + "".join(f'<p class="pm-remark" dir="auto">{_text(remark)}</p>' for remark in remarks)
        + "</div></li>"
    )


def _covers(found: RetrievedPassage, citation: Citation) -> bool:
    passage = found.passage
    same = (passage.article_id, passage.version) == (citation.article_id, citation.version)
    return same and passage.start <= citation.start and citation.end <= passage.end


# -- around the answer ---------------------------------------------------------------------------


def turn_html(answer: Answer, articles: Mapping[ArticleKey, Article], *, stage: Stage | None = None) -> str:
    """Render one exchange: the question above, the answer beside its sources."""
    return (
        f'<article class="pm-turn"><h2 class="pm-question" dir="auto">{_text(answer.question)}</h2>'
        f'<div class="pm-columns">{answer_html(answer, stage=stage)}{sources_html(answer, articles)}</div></article>'
    )


def failure_html(question: str, message: str) -> str:
    """Render an exchange that could not be answered, with what the reader can do about it."""
    return (
        f'<article class="pm-turn"><h2 class="pm-question" dir="auto">{_text(question)}</h2>'
        f'<p class="pm-failure" role="alert" dir="auto">{_text(message)}</p></article>'
    )


def stage_html(stage: Stage) -> str:
    """Render the step in progress."""
    words = _STAGES.get(stage.name, stage.name.capitalize())
    detail = f' <span class="pm-detail" dir="auto">{_text(stage.detail)}</span>' if stage.detail else ""
    return (
        f'<p class="pm-stage" role="status"><span class="pm-pulse" aria-hidden="true"></span>{_text(words)}{detail}</p>'
    )


def freshness_html(status: ArchiveStatus, now: datetime) -> str:
    """Render what the archive holds and how fresh it is; for an empty one, how to fill it."""
    if not status.articles:
        return (
            # Not `pressmark ingest`: this server owns the home, and a second process would be refused.
            '<div class="pm-empty"><p><strong>The archive is empty.</strong> Stop the server and start it with your '
            "articles:</p><pre><code>pressmark serve --ingest FOLDER_OR_FILE</code></pre>"
            "<p>Or try it with sample articles: <code>pressmark serve --sample</code></p></div>"
        )
    outlets = len(status.sources)
    pieces = [f"<strong>{status.articles:,}</strong> article{'s' * (status.articles != 1)}"]
    if outlets:
        pieces[0] += f" from <strong>{outlets:,}</strong> outlet{'s' * (outlets != 1)}"
    if status.newest_at:
        title = f'<span class="pm-newest" dir="auto">“{_text(status.newest_title)}”</span>'
        pieces.append(f"newest {_time(status.newest_at)}, {title}")
    if status.last_ingest_at:
        pieces.append(f"last ingest {_ago(status.last_ingest_at, now)}")
    return '<p class="pm-freshness">' + '<span aria-hidden="true"> · </span>'.join(pieces) + "</p>"


def _ago(moment: datetime, now: datetime) -> str:
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} minute{'s' * (minutes != 1)} ago"
    hours = minutes // 60
    return f"{hours} hour{'s' * (hours != 1)} ago" if hours < 24 else date_text(moment)
