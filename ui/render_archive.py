"""The archive as HTML: freshness, list of articles, one article, ingests, kept conversations. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rag.ingests import IngestRecord
from rag.schema import ArchiveStatus, Article
from ui.html import action, byline, linked, text, time_html
from ui.wording import article_marks, date_text

_STATES = {
    "waiting": "Waiting",
    "running": "Reading",
    "done": "Done",
    "failed": "Nothing could be read",
    "interrupted": "Interrupted",
}


# -- freshness -----------------------------------------------------------------------------------


def freshness_html(status: ArchiveStatus, now: datetime, *, as_of: datetime | None = None, stale_days: int = 0) -> str:
    """Render what the archive holds and how fresh it is; for an empty one, how to fill it.

    Args:
        status: Of the archive.
        now: The present.
        as_of: The moment that the newest article's age counts to, if not the present.
        stale_days: Age of the newest article from which the line warns; 0 never.
    """
    if not status.articles:
        return (
            # Not `pressmark ingest`: this server owns the home, and a second process would be refused.
            '<div class="pm-empty"><p><strong>The archive is empty.</strong> Add articles under “Articles”, or stop '
            "the server and start it with yours:</p><pre><code>pressmark serve --ingest FOLDER_OR_FILE</code></pre>"
            "<p>Or try it with sample articles: <code>pressmark serve --sample</code></p></div>"
        )
    outlets = len(status.sources)
    pieces = [f"<strong>{status.articles:,}</strong> article{'s' * (status.articles != 1)}"]
    if outlets:
        pieces[0] += f" from <strong>{outlets:,}</strong> outlet{'s' * (outlets != 1)}"
    if status.newest_at:
        title = f'<span class="pm-newest" dir="auto">“{text(status.newest_title)}”</span>'
        pieces.append(f"newest {time_html(status.newest_at)}, {title}")
    if status.last_ingest_at:
        pieces.append(f"last ingest {_ago(status.last_ingest_at, now)}")
    line = '<p class="pm-freshness">' + '<span aria-hidden="true"> · </span>'.join(pieces) + "</p>"
    days = ((as_of or now) - status.newest_at).days if status.newest_at else 0
    if stale_days and days >= stale_days:
        line += (
            f'<p class="pm-stale" role="status"><span aria-hidden="true">⚠ </span>The newest article is {days} days '
            "old: what happened since is not in this archive.</p>"
        )
    return line


def _ago(moment: datetime, now: datetime) -> str:
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} minute{'s' * (minutes != 1)} ago"
    hours = minutes // 60
    return f"{hours} hour{'s' * (hours != 1)} ago" if hours < 24 else date_text(moment)


# -- articles ------------------------------------------------------------------------------------


def articles_html(articles: Sequence[Article], *, total: int, offset: int) -> str:
    """Render one page of the list; the headline of each opens it."""
    if not articles:
        return '<p class="pm-none">No article fits: widen the search.</p>'
    items = "".join(
        f"<li>{action(article.title, 'read', css='pm-open', id=article.id)}"
        f"{byline(article.source, article.published_at, article.section, *article_marks(article))}</li>"
        for article in articles
    )
    shown = f"{offset + 1:,}–{offset + len(articles):,} of {total:,}"
    return f'<p class="pm-label">{shown}, newest first</p><ul class="pm-list">{items}</ul>'


@dataclass(frozen=True, slots=True)
class Spot:
    """The characters [start, end) of an article that are marked."""

    start: int
    end: int


def article_html(
    article: Article,
    *,
    versions: Sequence[str] = (),
    also_in: Sequence[str] = (),
    writable: bool = False,
    spot: Spot | None = None,
) -> str:
    """Render an article to read.

    Args:
        article: In the version to show.
        versions: All that are kept, newest first.
        also_in: Other outlets that carry the same report.
        writable: Offer to delete it.
        spot: What a citation quotes of it.
    """
    notes = [f'<p class="pm-correction" dir="auto">⚠ {text(article.correction)}</p>'] if article.correction else []
    if also_in:
        notes.append(f'<p class="pm-remark" dir="auto">Also in {text(", ".join(also_in))}</p>')
    if article.truncated:
        notes.append('<p class="pm-remark">The archive holds only the beginning of this article.</p>')
    more = [", ".join(article.authors), article.section, *article_marks(article)]
    return (
        f'<article class="pm-article" tabindex="-1"><h2 class="pm-question">{linked(article.title, article.url)}</h2>'
        f"{byline(article.source, article.published_at, *more)}{''.join(notes)}"
        f"{_versions_html(article, versions)}"
        f'<div class="pm-body" dir="auto">{_marked(article.text, spot)}</div>'
        f'<p class="pm-id">{text(article.id)}</p>{_delete_html(article) if writable else ""}'
        f"{action('Back to the answer' if spot else 'Close', 'close', back='ask' if spot else '')}</article>"
    )


def _marked(body: str, spot: Spot | None) -> str:
    if spot is None or not 0 <= spot.start < spot.end <= len(body):
        return text(body)
    quote = text(body[spot.start : spot.end])
    return f'{text(body[: spot.start])}<mark id="pm-quoted">{quote}</mark>{text(body[spot.end :])}'


def _versions_html(article: Article, versions: Sequence[str]) -> str:
    if len(versions) < 2:
        return ""
    buttons = "".join(
        f'<li><strong aria-current="true">version {len(versions) - place}</strong></li>'
        if version == article.version
        else f"<li>{action(f'version {len(versions) - place}', 'read', id=article.id, version=version)}</li>"
        for place, version in enumerate(versions)
    )
    return f'<div class="pm-versions"><span class="pm-label">Kept</span><ul>{buttons}</ul></div>'


def _delete_html(article: Article) -> str:
    return (
        '<details class="pm-change"><summary>Delete this article</summary><div class="pm-form"><p>It is deleted in all '
        "versions, for everybody. Answers given keep the quotes they showed.</p>"
        f"{action('Delete it for good', 'delete', css='pm-apply', id=article.id)}</div></details>"
    )


# -- ingests -------------------------------------------------------------------------------------


def ingest_html(record: IngestRecord) -> str:
    """Render how far an ingest is, or what came of it."""
    share = round(record.done * 100)
    bar = (
        f'<progress max="100" value="{share}" aria-label="Read so far">{share} %</progress>'
        if record.state in ("waiting", "running")
        else ""
    )
    told = f'<pre class="pm-report" dir="auto">{text(record.report)}</pre>' if record.report else ""
    return (
        f'<div class="pm-ingest pm-{record.state}" role="status"><p><strong>{_STATES[record.state]}</strong>: '
        f'<span dir="auto">{text(record.what)}</span></p>{bar}{told}</div>'
    )


def refusal_html(message: str) -> str:
    """Render why something was not done."""
    return f'<p class="pm-failure" role="alert" dir="auto">{text(message)}</p>'


# -- kept conversations --------------------------------------------------------------------------


def conversations_html(kept: Sequence[Mapping[str, Any]], now: datetime) -> str:
    """Render the conversations that the reader's browser keeps, newest first."""
    if not kept:
        return '<p class="pm-none">Conversations you have are listed here. They stay in this browser.</p>'
    items = "".join(
        f"<li>{action(str(item['title']), 'open', css='pm-open', id=str(item['id']))}"
        f'<p class="pm-byline">{_when(str(item["at"]), now)}</p>'
        f"{action('✕', 'forget', css='pm-away', title='Delete this conversation', id=str(item['id']))}</li>"
        for item in kept
    )
    return f'<ul class="pm-list pm-kept">{items}</ul>'


def _when(moment: str, now: datetime) -> str:
    try:
        return _ago(datetime.fromisoformat(moment), now)
    except (ValueError, TypeError):
        return ""
