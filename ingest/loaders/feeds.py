"""RSS and Atom feeds, and the addresses in sitemaps."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest.loaders.records import Fields, articles, html_text
from ingest.loaders.source import Source, read_bytes
from ingest.report import Problem
from rag.schema import Article

# A sitemap's first element: what stands before it is declarations and comments.
_SITEMAP = re.compile(
    rb"\s*(?:<\?[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<(?:\w+:)?(?:urlset|sitemapindex)\b", re.DOTALL
)
_HEAD_BYTES = 4096
_FULL_WORDS = 120  # a "summary" this long is the whole text


def load_feed(source: Source) -> Iterator[Article | Problem]:
    """Read the entries of a feed; one that holds only a summary becomes a teaser."""
    import feedparser

    data = read_bytes(source)
    if isinstance(data, Problem):
        yield data
        return
    # As a stream: bytes that name a file would be opened as that file.
    feed = feedparser.parse(io.BytesIO(data), sanitize_html=False, resolve_relative_uris=False)
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
    text = html_text(body if len(body) > len(summary) else summary)
    # Not feedparser's times: it makes a date of anything.
    modified = str(entry["updated"]) if "updated" in entry else ""
    id_ = str(entry.get("id", ""))
    return Fields(
        text=text,
        id=id_ if ":" in id_ else "",  # a bare number is unique only in its feed
        title=html_text(str(entry.get("title", ""))),
        source=html_text(str(entry.get("source", {}).get("title", "")) or outlet),
        url=str(entry.get("link", "")),
        published_at=(str(entry["published"]) if "published" in entry else "") or modified,
        modified_at=modified,
        authors=tuple(str(author["name"]) for author in entry.get("authors", ()) if author.get("name")),
        section=next((str(tag["term"]) for tag in entry.get("tags", ()) if tag.get("term")), ""),
        language=re.split(r"[-_]", language)[0].lower(),
        teaser=not body and len(text.split()) < _FULL_WORDS,
    )


def is_sitemap(path: Path) -> bool:
    """Tell whether a file is a sitemap or a list of them, by its beginning."""
    try:
        with path.open("rb") as file:
            return _SITEMAP.match(file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf")) is not None
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
