"""The words for dates, time windows and verdicts, and the answer as plain text.

Pure; shared by terminal, clipboard and page. Nothing here is HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from rag.schema import Answer, Article, Citation, Claim, Conflict, RetrievedPassage, TimeWindow, Verdict

VERDICTS: dict[Verdict, tuple[str, str]] = {
    "supported": ("✓", "Supported by the cited passage"),
    "partly": ("◐", "Partly supported by the cited passage"),
    "unsupported": ("✕", "Not supported by the archive"),
}
# Not from `calendar`: its names follow the process's locale, and dates here are English.
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def date_text(moment: datetime | None) -> str:
    """Return the day, as "3 July 2025" (UTC), or "date unknown"."""
    if moment is None:
        return "date unknown"
    day = moment.astimezone(UTC)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def article_marks(article: Article) -> list[str]:
    """Return what a reader must know of an article beside its text: kind, cut end, notes; often nothing."""
    note = "retracted" if article.retracted else "corrected" if article.correction else ""
    marks = (
        article.kind if article.kind != "article" else "",
        "breaks off" if article.truncated else "",
        "headline inferred" if article.title_inferred else "",
        note,
    )
    return [mark for mark in marks if mark]


def window_text(window: TimeWindow | None) -> str:
    """Return a time window in words, "" for none; the last day named is inside the window."""
    if window is None or not (window.since or window.until):
        return ""
    last = window.until - timedelta(microseconds=1) if window.until else None
    if window.since is None:
        words = f"until {date_text(last)}"
    elif last is None:
        words = f"since {date_text(window.since)}"
    else:
        words = _days_text(window.since, last)
    return f"{words} (from “{window.inferred_from}”)" if window.inferred_from else words


def _days_text(first: datetime, last: datetime) -> str:
    start, end = date_text(first), date_text(last)
    if start == end:
        return start
    if first.astimezone(UTC).year == last.astimezone(UTC).year:
        start = start.rsplit(" ", 1)[0]
    return f"{start} to {end}"


def plain_text(answer: Answer) -> str:
    """Return the answer for a terminal or the clipboard: what was searched, sentences, conflicts, notes, sources.

    Control characters are taken out: text from an article must not steer a terminal.
    """
    blocks = ["\n".join(_scope_lines(answer))]
    blocks += [f"{' '.join(answer.short.text.split())} [{answer.short.citation}]"] if answer.short else []
    blocks += [" ".join(_sentence(claim) for claim in answer.claims) if answer.claims else answer.text]
    blocks += [_conflict_text(conflict) for conflict in answer.conflicts]
    blocks += ["\n".join(f"Note: {note}" for note in answer.notes)]
    blocks += ["\n".join(_source_lines(answer.citations))]
    return _CONTROL.sub("", "\n\n".join(block for block in blocks if block))


def _scope_lines(answer: Answer) -> Iterable[str]:
    if answer.search_query != answer.question:
        yield f"Searched for: {answer.search_query}"
    if answer.window:
        yield f"Published: {window_text(answer.window)}"


def _sentence(claim: Claim) -> str:
    remark = ""
    if claim.verdict != "supported":
        remark = f" ({'; '.join((VERDICTS[claim.verdict][1].lower(), *claim.reasons))})"
    # A quote may run over a paragraph's end; on a terminal it stays one sentence of the answer.
    return " ".join(claim.text.split()) + "".join(f" [{number}]" for number in claim.citations) + remark


def _conflict_text(conflict: Conflict) -> str:
    lines = [
        f"  {position.value} — {position.source or 'outlet unknown'}, {date_text(position.published_at)}"
        f" [{position.citation}]"
        for position in conflict.positions
    ]
    return "\n".join(["The sources differ:", *lines])


def markdown_text(answer: Answer) -> str:
    """Return the answer as Markdown: sentences with their markers, conflicts, notes, sources with quotes."""
    said = [f"**{_plain_markdown(answer.short.text)}** [{answer.short.citation}]"] if answer.short else []
    said += [_plain_markdown(line) for line in map(_sentence, answer.claims)] or [_plain_markdown(answer.text)]
    blocks = [f"**{_plain_markdown(answer.question)}**", *said]
    blocks += [_markdown_conflict(conflict) for conflict in answer.conflicts]
    blocks += [f"*{_plain_markdown(note)}*" for note in answer.notes]
    blocks += ["\n".join(map(_markdown_source, answer.citations))] if answer.citations else []
    return _CONTROL.sub("", "\n\n".join(blocks))


def _markdown_conflict(conflict: Conflict) -> str:
    head, *lines = _conflict_text(conflict).split("\n")
    return "\n".join([head, "", *(f"- {_plain_markdown(line.strip())}" for line in lines)])


def _markdown_source(citation: Citation) -> str:
    title = _plain_markdown(citation.title)
    address = citation.url if re.fullmatch(r"https?://[^\s<>()\\]+", citation.url) else ""
    named = f"[{title}]({address})" if address else title
    quote = _plain_markdown(" ".join(citation.quote.split()))
    outlet = _plain_markdown(citation.source or "outlet unknown")
    return f"- [{citation.number}] {named}, {outlet}, {date_text(citation.published_at)}: “{quote}”"


def _plain_markdown(text: str) -> str:
    """Take its meaning from what Markdown would read as markup; markers like [1] stay."""
    return re.sub(r"([\\`*_<>#|~&])|\[(?!\d{1,3}\])|!(?=\[)", lambda m: f"\\{m.group()}", text)


def anchor_texts(citation: Citation) -> list[str]:
    """Return what the relative words in the quote mean: “last month” [January 2025]; each phrase once."""
    return [f"“{words}” [{means}]" for words, means in dict.fromkeys((a.words, a.means) for a in citation.anchors)]


def _source_lines(citations: Sequence[Citation]) -> Iterable[str]:
    for citation in citations:
        outlet = citation.source or "outlet unknown"
        yield f'[{citation.number}] {outlet}, {date_text(citation.published_at)}: "{citation.title}"'
        if citation.url:
            yield f"    {citation.url}"
        if citation.anchors:
            yield f"    {', '.join(anchor_texts(citation))}"
        if citation.correction:
            yield f"    {citation.correction}"


def passage_text(found: RetrievedPassage) -> str:
    """Return a found passage for a terminal: place, headline, outlet, date, id of the article, text."""
    passage = found.passage
    byline = f"{passage.source or 'outlet unknown'}, {date_text(passage.published_at)}, {passage.article_id}"
    return _CONTROL.sub("", f"{found.rank}. {passage.title}\n   {byline}\n   {' '.join(passage.text.split())}")


def article_text(article: Article) -> str:
    """Return a whole article for a terminal: headline, byline, notes, text."""
    byline = [article.source, ", ".join(article.authors), date_text(article.published_at), article.url]
    head = f"{article.title}\n{' · '.join(part for part in [*byline, *article_marks(article)] if part)}"
    notes = f"\n{article.correction}" if article.correction else ""
    return _CONTROL.sub("", f"{head}{notes}\n\n{article.text}")
