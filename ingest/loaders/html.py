"""Saved web pages: JSON-LD first, then the page's own meta tags, then trafilatura; fetches nothing."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser

from ingest.clean import canonical_url, to_utc
from ingest.loaders.records import Fields, articles, names_of, plain_html, text_of
from ingest.loaders.source import Source, decode, read_bytes
from ingest.report import Problem
from rag.schema import Article

_DECLARED = re.compile(rb"<meta[^>]{0,80}charset=[\"']?([\w-]+)", re.IGNORECASE)
_HEAD_BYTES = 4096
_ARTICLE_TYPES = re.compile(r"(?:\w*Article|BlogPosting|LiveBlogPosting|Report)$")
_KEPT_OF_BODY = 0.8
# Our field -> names of meta tags, best first.
_META = {
    "title": ("og:title", "twitter:title", "headline", "dc.title"),
    "source": ("og:site_name", "application-name", "dc.publisher", "publisher"),
    "url": ("og:url",),
    "published_at": (
        "article:published_time", "og:published_time", "datepublished", "parsely-pub-date", "sailthru.date",
        "publishdate", "publish-date", "pubdate", "dc.date.issued", "dc.date", "dcterms.date", "date",
    ),
    "modified_at": ("article:modified_time", "og:updated_time", "datemodified", "last-modified", "dcterms.modified"),
    "authors": ("author", "article:author", "parsely-author", "sailthru.author", "dc.creator"),
    "section": ("article:section", "parsely-section", "section"),
}  # fmt: skip


def load_html(source: Source) -> Iterator[Article | Problem]:
    """Read the article of a saved web page, and the teasers that stand under it."""
    data = read_bytes(source)
    if isinstance(data, Problem):
        yield data
        return
    declared = _DECLARED.search(data[:_HEAD_BYTES])
    page = decode(data, declared.group(1).decode("ascii") if declared else "")
    if page is None:
        yield Problem(source.shown_as, "is not text (binary?): save the page as HTML")
        return
    fields = page_fields(page)
    if not fields.text.strip():
        yield Problem(source.shown_as, "shows no article text: save the page of one article, or paste its text as .txt")
        return
    own = replace(fields, url=fields.url or source.url)
    yield from articles(own, source, where=source.shown_as, position=1)


def page_fields(page: str) -> Fields:
    """Return what an HTML page tells of its article; `text` is "" if no body was found."""
    head = _Head()
    head.feed(page)
    head.close()
    linked = _linked_fields(head.linked)
    meta = _meta_fields(head)
    extracted = _extracted_fields(page)
    return replace(
        linked,
        text=_better_body(linked.text, extracted.text),
        title=linked.title or meta.title or extracted.title,
        source=linked.source or meta.source or extracted.source,
        url=next((url for url in (linked.url, meta.url) if canonical_url(url)), ""),
        published_at=next((t for t in (linked.published_at, meta.published_at) if to_utc(t)), None),
        modified_at=next((time for time in (linked.modified_at, meta.modified_at) if to_utc(time)), None),
        authors=linked.authors or meta.authors or extracted.authors,
        section=linked.section or meta.section,
        language=(linked.language or head.language).split("-")[0].lower(),
    )


def _better_body(linked: str, extracted: str) -> str:
    """Prefer the publisher's own body, unless it lost its paragraphs and the page still shows them."""
    flat = "\n" not in linked.strip()
    kept = len(extracted.split()) >= _KEPT_OF_BODY * len(linked.split())
    return extracted if not linked or (flat and kept and "\n" in extracted.strip()) else linked


class _Head(HTMLParser):
    """Collects what a page says about itself outside its body text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.linked: list[str] = []
        self.meta: dict[str, str] = {}
        self.canonical = ""
        self.times: list[str] = []
        self.language = ""
        self._in_linked = False
        self._articles_open = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note meta, link, time and JSON-LD tags."""
        values = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = values.get("lang", "")
        elif tag == "meta":
            name = values.get("property") or values.get("name") or values.get("itemprop") or ""
            self.meta.setdefault(name.lower(), values.get("content", ""))
        elif tag == "link" and "canonical" in values.get("rel", "").lower().split():
            self.canonical = self.canonical or values.get("href", "")
        elif tag == "time":
            own = "pubdate" in values or values.get("itemprop", "").lower() == "datepublished"
            if own or self._articles_open:  # others tell of teasers, or of today
                self.times.insert(0 if own else len(self.times), values.get("datetime", ""))
        elif tag in ("article", "main"):
            self._articles_open += 1
        elif tag == "script" and values.get("type", "").lower() == "application/ld+json":
            self._in_linked = True
            self.linked.append("")

    def handle_endtag(self, tag: str) -> None:
        """Close a JSON-LD block or an article."""
        if tag == "script":
            self._in_linked = False
        elif tag in ("article", "main"):
            self._articles_open -= 1

    def handle_data(self, data: str) -> None:
        """Collect the JSON-LD block that is open."""
        if self._in_linked:
            self.linked[-1] += data


def _linked_fields(blocks: list[str]) -> Fields:
    for block in blocks:
        try:
            value: object = json.loads(block, strict=False)
        except (ValueError, RecursionError):
            continue  # a broken block is common and says nothing of the others
        for item in _objects(value):
            if any(_ARTICLE_TYPES.match(kind) for kind in _texts(item.get("@type"))):
                return _item_fields(item)
    return Fields("")


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    """Yield the top objects of a JSON-LD block, those of its lists and its graph included."""
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)
    elif isinstance(value, dict):
        yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _objects(value.get(key))


def _item_fields(item: Mapping[str, object]) -> Fields:
    page = item.get("mainEntityOfPage")
    own_page = page.get("@id") if isinstance(page, dict) else page
    addresses = (item.get("url"), own_page, item.get("@id"))
    authors = names_of(item.get("author"))
    return Fields(
        text=plain_html(text_of(item.get("articleBody"))),
        title=html.unescape(text_of(item.get("headline"))),
        source=html.unescape(_first(item.get("publisher"))),
        url=next((url for url in map(text_of, addresses) if canonical_url(url)), ""),
        published_at=_first(item.get("datePublished")),
        modified_at=_first(item.get("dateModified")),
        authors=tuple(html.unescape(name) for name in authors if not canonical_url(name)),
        section=html.unescape(_first(item.get("articleSection"))),
        language=_first(item.get("inLanguage")),
        correction=html.unescape(_first(item.get("correction"))),
    )


def _first(value: object) -> str:
    return next(iter(_texts(value)), "")


def _texts(value: object) -> list[str]:
    return [text for text in map(text_of, value if isinstance(value, list) else [value]) if text]


def _meta_fields(head: _Head) -> Fields:
    def find(field: str) -> str:
        return next((head.meta[name] for name in _META[field] if head.meta.get(name)), "")

    authors = names_of(find("authors"))
    times = [find("published_at"), *head.times]
    return Fields(
        "",
        title=find("title"),
        source=find("source"),
        url=find("url") if canonical_url(find("url")) else head.canonical,
        published_at=next((time for time in times if to_utc(time)), None),
        modified_at=find("modified_at"),
        authors=tuple(name for name in authors if not canonical_url(name)),  # profile pages
        section=find("section"),
    )


def _extracted_fields(page: str) -> Fields:
    """Let trafilatura find the body and what the page does not say of itself.

    Not the date: it (and htmldate, whichever way it searches) also takes dates from the text or the footer, which are
    no publication times, and a wrong date is worse than none.
    """
    from trafilatura import bare_extraction

    found = bare_extraction(page, include_comments=False, include_tables=False, with_metadata=True)
    if found is None:
        return Fields("")
    return Fields(
        str(found.text or ""),
        title=str(found.title or ""),
        source=str(found.sitename or ""),
        authors=names_of(str(found.author or "")),
    )
