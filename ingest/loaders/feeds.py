"""RSS and Atom feeds, and the addresses in sitemaps."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.loaders.records import Fields, articles, plain_html
from ingest.loaders.source import Source, read_bytes
from ingest.report import Problem
from rag.schema import Article

_SITEMAP = re.compile(rb"<(?:\w+:)?(urlset|sitemapindex)\b")
_HEAD_BYTES = 4096
_FULL_WORDS = 120  # a "summary" this long is the whole text


def load_feed(source: Source) -> Iterator[Article | Problem]:
    """Read the entries of a feed; one that holds only a summary becomes a teaser."""
    import feedparser

    data = read_bytes(source)
    if isinstance(data, Problem):
        yield data
        return
    feed = feedparser.parse(data, sanitize_html=True, resolve_relative_uris=False)
    if not feed.entries:
        problem = feed.get("bozo_exception")
        yield Problem(source.shown_as, f"holds no entry of a feed{f' ({problem})' if problem else ''}: check the file")
        return
    for position, entry in enumerate(feed.entries, start=1):
        where = f"{source.shown_as} entry {position}"
        fields = _fields(entry, str(feed.feed.get("title", "")), str(feed.feed.get("language", "")))
        if fields.text.strip():
            yield from articles(fields, source, where=where, position=position)
        else:
            yield Problem(where, "has neither text nor summary: nothing to add")


def _fields(entry: Any, outlet: str, language: str) -> Fields:  # noqa: ANN401  # feedparser has no types
    body = "\n\n".join(str(part.get("value", "")) for part in entry.get("content", ()))
    summary = str(entry.get("summary", ""))
    text = plain_html(body if len(body) > len(summary) else summary)
    return Fields(
        text=text,
        id=str(entry.get("id", "")),
        title=plain_html(str(entry.get("title", ""))),
        source=str(entry.get("source", {}).get("title", "")) or outlet,
        url=str(entry.get("link", "")),
        published_at=_moment(entry.get("published_parsed")) or _moment(entry.get("updated_parsed")),
        modified_at=_moment(entry.get("updated_parsed")),
        authors=tuple(str(author["name"]) for author in entry.get("authors", ()) if author.get("name")),
        section=next((str(tag["term"]) for tag in entry.get("tags", ()) if tag.get("term")), ""),
        language=language.split("-")[0].lower(),
        teaser=not body and len(text.split()) < _FULL_WORDS,
    )


def _moment(parsed: Any) -> datetime | None:  # noqa: ANN401  # a struct_time in UTC, or None
    return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None


def is_sitemap(path: Path) -> bool:
    """Tell whether a file is a sitemap or a list of them, by its beginning."""
    try:
        with path.open("rb") as file:
            return bool(_SITEMAP.search(file.read(_HEAD_BYTES)))
    except OSError:
        return False


def sitemap_addresses(data: bytes) -> tuple[list[str], list[str]]:
    """Return the addresses of pages and those of further sitemaps, in order.

    Raises:
        ValueError: `data` is no XML.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"is not XML ({error})") from error
    found = {
        kind: [
            loc.text.strip()
            for entry in root.iter(f"{{*}}{kind}")
            for loc in entry.iterchildren("{*}loc")
            if loc.text and loc.text.strip()
        ]
        for kind in ("url", "sitemap")
    }
    return found["url"], found["sitemap"]
