"""From the fields of one record to articles; JSON and JSON lines.

The other loaders find the same `Fields` in their own formats and share `articles`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import BinaryIO

from ingest.clean import article_id, canonical_url, normalise, plausible, to_utc, version_of
from ingest.corrections import take_notes
from ingest.loaders.source import MAX_BYTES, Source, decode, read_text
from ingest.page import Story, split
from ingest.report import Problem
from rag.schema import Article

EXPORTED = "pressmark"  # marks a record as an export of ours: nothing of it is to be cleaned again
MAX_CHARS = 1_000_000  # of one article: 150,000 words, a book

_BLOCK_TAG = re.compile(r"</?(?:p|br|div|h[1-6]|li|ul|ol|tr|blockquote)\b[^<>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_HIDDEN = re.compile(r"<(script|style|noscript|template)\b[^<>]{0,500}>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--[^<>]{0,2000}-->")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z]\w{1,30});")

# Our field -> how archives and feeds spell it, best first; compared in lower case.
SPELLINGS = {
    "id": ("id", "article_id"),
    "title": ("title", "headline"),
    "text": ("text", "content", "body", "maintext", "content_html", "content_text"),
    "source": ("source", "outlet", "source_domain", "publisher"),
    "url": ("url", "link"),
    "published_at": ("published_at", "publish_date", "date_publish", "date_published", "date", "published", "pubdate"),
    "modified_at": ("modified_at", "date_modify", "date_modified", "updated_at", "modified", "updated"),
    "authors": ("authors", "author"),
    "section": ("section", "category"),
    "correction": ("correction", "correction_note"),
    "language": ("language",),
}
_Time = str | float | date | None


@dataclass(frozen=True, slots=True)
class Fields:
    """What a source says of one article, as found; "" and None are unknown. `teaser`: it announces a longer text."""

    text: str
    id: str = ""
    title: str = ""
    source: str = ""
    url: str = ""
    published_at: _Time = None
    modified_at: _Time = None
    authors: tuple[str, ...] = ()
    section: str = ""
    language: str = ""
    correction: str = ""
    teaser: bool = False


# 1. One record


def articles(fields: Fields, source: Source, *, where: str, position: int) -> Iterator[Article | Problem]:
    """Yield the article of a record, then the teasers of other stories that stood on its page.

    A teaser keeps the source and the time of the page; it has no address of its own.

    Args:
        fields: As found in the source; nothing of them is trusted.
        source: The record's file.
        where: Named in problems.
        position: 1-based place of the record in the file.
    """
    if len(fields.text) > MAX_CHARS:
        yield Problem(where, f"is longer than any article ({len(fields.text):,} characters): give each article its own")
        return
    stories = split(fields.text, title=fields.title)
    if not stories:
        yield Problem(where, "has no text that could be an article: give it a body")
        return
    first_id = article_id(normalise(fields.id), fields.url, source.base or source.shown_as, position)
    published_at, doubt = _published(fields.published_at, source)
    if doubt:
        yield Problem(where, doubt, lost=False)
    for number, story in enumerate(stories):
        whose = fields if number == 0 else Fields("", source=fields.source, language=fields.language)
        yield _article(story, whose, f"{first_id}~{number}" if number else first_id, published_at)


def _published(found: _Time, source: Source) -> tuple[datetime | None, str]:
    """Return the publication time, and what is doubtful about it."""
    moment = to_utc(found)
    if moment is None:
        assumed = source.assumed_date()
        if not plausible(assumed, datetime.now(UTC)):
            assumed = None
        taken = f"the assumed {assumed:%Y-%m-%d} was taken" if assumed else "date unknown"
        return assumed, f"its date {str(found)[:40]!r} cannot be read: {taken}" if found else ""
    if not plausible(moment, datetime.now(UTC)):
        kind = "in the future" if moment > datetime.now(UTC) else "before the first newspaper"
        return None, f"its date {moment:%Y-%m-%d} is {kind}: date unknown"
    return moment, ""


def _article(story: Story, fields: Fields, id_: str, published_at: datetime | None) -> Article:
    paragraphs, note = take_notes(story.title, story.text.split("\n\n"), _line(fields.correction))
    text, correction = "\n\n".join(paragraphs), note or None
    modified_at = to_utc(fields.modified_at)
    return Article(
        id=id_,
        version=version_of(story.title, text, published_at, correction),
        title=story.title,
        text=text,
        source=_line(fields.source),
        url=_line(fields.url) if canonical_url(fields.url) else "",
        published_at=published_at,
        modified_at=modified_at if plausible(modified_at, datetime.now(UTC)) else None,
        authors=tuple(name for name in map(_line, fields.authors) if name),
        section=_line(fields.section),
        language=_line(fields.language) or "en",
        kind="teaser" if fields.teaser else story.kind,
        truncated=story.truncated,
        correction=correction,
        title_inferred=story.title_inferred,
    )


def _line(text: str) -> str:
    return " ".join(normalise(text).split())


# 2. JSON


def load_json(source: Source) -> Iterator[Article | Problem]:
    """Read one object, a list of objects, or an object with the list under "articles" or, as in JSON Feed, "items"."""
    text = read_text(source)
    if isinstance(text, Problem):
        yield text
        return
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield Problem(source.shown_as, f"is not JSON ({error}): mend it, or name it .jsonl if each line is an object")
        return
    if isinstance(value, dict):
        value = next((value[name] for name in ("articles", "items") if isinstance(value.get(name), list)), value)
    records = value if isinstance(value, list) else [value]
    if not records:
        yield Problem(source.shown_as, "holds an empty list: nothing to add")
    for position, record in enumerate(records, start=1):
        where = f"{source.shown_as} record {position}" if isinstance(value, list) else source.shown_as
        yield from record_articles(record, source, where=where, position=position)


def load_jsonl(source: Source) -> Iterator[Article | Problem]:
    """Read one object a line; a bad line is rejected alone."""
    try:
        with source.path.open("rb") as lines:
            yield from _lines(lines, source)
    except OSError as error:
        yield Problem(source.shown_as, f"cannot be read ({error.strerror}): check the file and its permissions")


def _lines(lines: BinaryIO, source: Source) -> Iterator[Article | Problem]:
    found = False
    for number, data in enumerate(_bounded(lines), start=1):
        where = f"{source.shown_as} line {number}"
        if data is None:
            yield Problem(where, "is longer than 50 MB: give one article a line")
            found = True
            continue
        if not data.strip():
            continue
        if not found and data.strip() in (b"[", b"{"):
            yield Problem(source.shown_as, "is JSON over several lines, not one object a line: name it .json")
            return
        found = True
        text = decode(data)
        try:
            record = json.loads(text or "")
        except (ValueError, RecursionError) as error:
            reason = f"is not JSON ({error})" if text is not None else "is not text"
            yield Problem(where, f"{reason}: mend or delete the line")
            continue
        yield from record_articles(record, source, where=where, position=number)
    if not found:
        yield Problem(source.shown_as, "is empty: nothing to add")


def _bounded(lines: BinaryIO) -> Iterator[bytes | None]:
    """Yield each line, None for one that is too long to hold."""
    while data := lines.readline(MAX_BYTES):
        if len(data) < MAX_BYTES or data.endswith(b"\n"):
            yield data
            continue
        while (rest := lines.readline(MAX_BYTES)) and not rest.endswith(b"\n"):
            pass
        yield None


def record_articles(record: object, source: Source, *, where: str, position: int) -> Iterator[Article | Problem]:
    """Yield the articles of one object with fields, under any of their usual names; see `articles`."""
    if not isinstance(record, dict):
        yield Problem(where, f"is no object but {type(record).__name__}: give an object with title and text")
        return
    if record.get(EXPORTED):
        yield _exported(record, where)
        return
    fields = fields_of(record, source.options.names)
    if not fields.text.strip():
        names = source.options.names.get("text") or ", ".join(SPELLINGS["text"])
        yield Problem(where, f"has no text: give it one of the fields {names}, or name yours with --map text=...")
        return
    yield from articles(replace(fields, url=fields.url or source.url), source, where=where, position=position)


def _exported(record: Mapping[str, object], where: str) -> Article | Problem:
    """Return the article of a record that `pressmark articles export` wrote, as it was."""
    from pydantic import TypeAdapter, ValidationError

    try:
        article: Article = TypeAdapter(Article).validate_python({k: v for k, v in record.items() if k != EXPORTED})
    except ValidationError as error:
        first = error.errors()[0]
        return Problem(where, f"is no exported article ({first['loc'][0]}: {first['msg']}): leave out {EXPORTED!r}")
    version = version_of(article.title, article.text, article.published_at, article.correction)
    return replace(article, version=version)


def fields_of(record: Mapping[str, object], names: Mapping[str, str]) -> Fields:
    """Return the known fields of a record, as `names` calls them, or whichever usual way they are spelled."""
    lower = {str(key).lower(): value for key, value in record.items()}

    def find(field: str) -> object:
        spellings = (names[field].lower(),) if field in names else SPELLINGS[field]
        return next((lower[name] for name in spellings if lower.get(name)), None)

    def time(field: str) -> _Time:
        value = find(field)
        return value if isinstance(value, str | int | float | date) else None

    return Fields(
        text=plain_html(text_of(find("text"))),
        id=text_of(find("id")),
        title=unescaped(text_of(find("title"))),
        source=unescaped(text_of(find("source"))),
        url=text_of(find("url")),
        published_at=time("published_at"),
        modified_at=time("modified_at"),
        authors=tuple(map(unescaped, names_of(find("authors")))),
        section=unescaped(text_of(find("section"))),
        language=text_of(find("language")),
        correction=unescaped(text_of(find("correction"))),
    )


def plain_html(body: str) -> str:
    """Return a text without tags and entities, if it holds tags of blocks: archives often keep bodies as HTML."""
    return html_text(body) if _BLOCK_TAG.search(body) else unescaped(without_hidden(body))


def html_text(markup: str) -> str:
    """Return the text of HTML, a blank line for each border of a block."""
    return unescaped(_TAG.sub("", _BLOCK_TAG.sub("\n\n", _COMMENT.sub("", without_hidden(markup)))))


def without_hidden(markup: str) -> str:
    """Return HTML without scripts, styles and templates, their contents included."""
    parts, place = [], 0
    while match := _HIDDEN.search(markup, place):
        parts.append(markup[place : match.start()])
        end = re.compile(rf"</{match.group(1)}\s*>", re.IGNORECASE).search(markup, match.end())
        if end is None:
            return "".join([*parts, markup[match.end() :]])
        place = end.end()
    return "".join([*parts, markup[place:]])


def unescaped(text: str) -> str:
    """Resolve entities that are written in full: "&sect" in an address is none."""
    return _ENTITY.sub(lambda match: html.unescape(match.group()), text)


def text_of(value: object) -> str:
    """Return a value as text: paragraphs of a list, the name or text of an object, "" for the rest."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return "\n\n".join(item for item in value if isinstance(item, str))
    if isinstance(value, dict):
        return text_of(value.get("name") or value.get("text"))
    return ""


def names_of(value: object) -> tuple[str, ...]:
    """Return the names in a string, an object with a name, or a list of either."""
    names = [text_of(item) for item in value] if isinstance(value, list) else text_of(value).split(";")
    bare = (name.strip().removeprefix("By ").strip() for name in names)
    return tuple(name for name in bare if name)
