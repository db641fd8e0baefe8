"""The evidence panel of an answer, as HTML: each quote marked in its surroundings. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from rag.schema import Answer, Article, Citation, RetrievedPassage
from ui.html import action, byline, linked, text
from ui.surroundings import surroundings
from ui.wording import anchor_texts

ArticleKey = tuple[str, str]
"""Article id and version."""


def sources_html(answer: Answer, articles: Mapping[ArticleKey, Article]) -> str:
    """Render the right column: a card for each citation, then what else was read.

    Args:
        answer: Its citations are shown in order; the page's script can sort them by date.
        articles: The cited articles by (id, version); a missing one leaves the quote to stand alone.
    """
    cards = "".join(_card_html(answer, citation, articles) for citation in answer.citations)
    if not cards:
        return ""
    sort = ""
    if len(answer.citations) > 1:
        sort = (
            '<span class="pm-sort" role="group" aria-label="Order of the sources">'
            '<button type="button" data-act="sort" data-by="place" aria-pressed="true">By relevance</button>'
            '<button type="button" data-act="sort" data-by="time" aria-pressed="false">Newest first</button></span>'
        )
    return (
        f'<aside class="pm-sources" aria-label="Sources"><div class="pm-sources-head"><h3 class="pm-label">Sources</h3>'
        f"{sort}</div><ol>{cards}</ol>{_also_read_html(answer)}</aside>"
    )


def _card_html(answer: Answer, citation: Citation, articles: Mapping[ArticleKey, Article]) -> str:
    article = articles.get((citation.article_id, citation.version))
    passage = next((p for p in answer.retrieved if _covers(p, citation)), None)
    before, after = surroundings(citation, article, passage)
    remarks = [", ".join(anchor_texts(citation))] if citation.anchors else []
    if citation.also_in:
        remarks.append(f"Also in {', '.join(citation.also_in)}")
    if citation.truncated:
        remarks.append("The archive holds only the beginning of this article")
    correction = f'<p class="pm-correction" dir="auto">⚠ {text(citation.correction)}</p>' if citation.correction else ""
    moment = int(citation.published_at.timestamp()) if citation.published_at else ""
    return (
        f'<li class="pm-source" id="source-{text(answer.id)}-{citation.number}" tabindex="-1" '
        f'data-place="{citation.number}" data-time="{moment}">'
        f'<span class="pm-number">{citation.number}</span><div class="pm-card">'
        f'<h4 class="pm-headline">{linked(citation.title, citation.url)}</h4>'
        f"{byline(citation.source, citation.published_at, citation.section)}{correction}"
        f'<blockquote class="pm-passage" dir="auto">{text(before)}<mark>{text(citation.quote)}</mark>'
        f"{text(after)}</blockquote>"
        + "".join(f'<p class="pm-remark" dir="auto">{text(remark)}</p>' for remark in remarks)
        + action(
            "Read the article",
            "read",
            id=citation.article_id,
            version=citation.version,
            start=str(citation.start),
            end=str(citation.end),
        )
        + "</div></li>"
    )


def _covers(found: RetrievedPassage, citation: Citation) -> bool:
    passage = found.passage
    same = (passage.article_id, passage.version) == (citation.article_id, citation.version)
    return same and passage.start <= citation.start and citation.end <= passage.end


def _also_read_html(answer: Answer) -> str:
    """Render the passages that were read and are not cited, closed at first."""
    others = [p for p in answer.retrieved if not any(_covers(p, citation) for citation in answer.citations)]
    if not others:
        return ""
    items = "".join(
        f'<li><p class="pm-near-title">{linked(item.passage.title, item.passage.url)}</p>'
        f"{byline(item.passage.source, item.passage.published_at, item.section)}"
        f'<p class="pm-passage" dir="auto">{text(item.passage.text)}</p></li>'
        for item in others
    )
    noun = "passage was" if len(others) == 1 else "passages were"
    return f'<details class="pm-also"><summary>{len(others)} more {noun} read</summary><ul>{items}</ul></details>'
