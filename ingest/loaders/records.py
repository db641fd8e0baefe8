"""From the fields of one record to articles; JSON and JSON lines.

The other loaders find the same `Fields` in their own formats and share `articles` and `read_text`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

from ingest.clean import article_id, canonical_url, normalise, plausible, to_utc, version_of
from ingest.page import Story, split
from ingest.report import Rejected
from rag.schema import Article

MAX_BYTES = 50 * 1024 * 1024  # a page or list this long is no article; JSON lines are streamed
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))

_BLOCK_TAG = re.compile(r"</?(?:p|br|div|h[1-6]|li|blockquote)\b[^>]{0,200}>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^>]{0,500}>")

# Our field -> how archives and feeds spell it, best first; compared in lower case.
SPELLINGS = {
    "id": ("id", "article_id"),
    "title": ("title", "headline"),
    "text": ("text", "content", "body", "maintext"),
    "source": ("source", "outlet", "source_domain", "publisher"),
    "url": ("url", "link"),
    "published_at": ("published_at", "publish_date", "date_publish", "date_published", "date", "published", "pubdate"),
    "authors": ("authors", "author"),
    "section": ("section", "category"),
    "correction": ("correction", "correction_note"),
    "language": ("language",),
}


@dataclass(frozen=True, slots=True)
class Fields:
    """What a source says of one article, as found; "" and None are unknown."""

    text: str
    id: str = ""
    title: str = ""
    source: str = ""
    url: str = ""
    published_at: str | float | date | None = None
    authors: tuple[str, ...] = ()
    section: str = ""
    language: str = ""
    correction: str = ""


# 1. Reading


def read_text(path: Path, shown_as: str, declared: str = "") -> str | Rejected:
    """Return the text of a file, or why it has none; see `decode` for `declared`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return Rejected(shown_as, "is over 50 MB: split it, or give it as JSON lines (.jsonl), one article a line")
        data = path.read_bytes()
    except OSError as error:
        return Rejected(shown_as, f"cannot be read ({error.strerror}): check the file and its permissions")
    if not data.strip():
        return Rejected(shown_as, "is empty: nothing to add")
    text = decode(data, declared)
    return Rejected(shown_as, "is not text (binary?): convert it to UTF-8 text") if text is None else text


def decode(data: bytes, declared: str = "") -> str | None:
    """Return the text of `data`, or None if it is no text.

    UTF-8 comes first, then the encoding that the file itself declares, then a guess.
    """
    # A stray NUL is dirt; many control characters are another kind of file, or UTF-16.
    if len(data) - len(data.translate(None, _CONTROLS)) <= len(data) // 100:
        for encoding in filter(None, ("utf-8-sig", declared)):
            try:
                return data.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
    return _guessed(data)


def _guessed(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    matches = from_bytes(data)
    # Short western text fits several code pages equally well; Windows-1252 is by far the most used.
    best = next((match for match in matches if "cp1252" in match.could_be_from_charset), None) or matches.best()
    if best is None:
        return None
    return data.decode("cp1252") if "cp1252" in best.could_be_from_charset else str(best)


# 2. One record


def articles(fields: Fields, *, where: str, path: str, position: int) -> Iterator[Article | Rejected]:
    """Yield the article of a record, then the teasers of other stories that stood on its page.

    A teaser keeps the source and the time of the page; it has no address of its own.

    Args:
        fields: As found in the source; nothing of them is trusted.
        where: Named if the record is rejected.
        path: Of the file as shown, for the id of a record that has neither id nor address.
        position: 1-based place of the record in the file.
    """
    stories = split(fields.text, title=fields.title)
    if not stories:
        yield Rejected(where, "has no text that could be an article: give it a body")
        return
    first_id = article_id(normalise(fields.id), fields.url, path, position)
    published_at = to_utc(fields.published_at)
    if not plausible(published_at, datetime.now(UTC)):
        published_at = None
    for number, story in enumerate(stories):
        whose = fields if number == 0 else Fields("", source=fields.source, language=fields.language)
        yield _article(story, whose, f"{first_id}~{number}" if number else first_id, published_at)


def _article(story: Story, fields: Fields, id_: str, published_at: datetime | None) -> Article:
    correction = _line(fields.correction) or None
    return Article(
        id=id_,
        version=version_of(story.title, story.text, published_at, correction),
        title=story.title,
        text=story.text,
        source=_line(fields.source),
        url=fields.url.strip() if canonical_url(fields.url) else "",
        published_at=published_at,
        authors=tuple(name for name in map(_line, fields.authors) if name),
        section=_line(fields.section),
        language=_line(fields.language) or "en",
        kind=story.kind,
        truncated=story.truncated,
        correction=correction,
        title_inferred=story.title_inferred,
    )


def _line(text: str) -> str:
    return " ".join(normalise(text).split())


# 3. JSON


def load_json(path: Path, shown_as: str) -> Iterator[Article | Rejected]:
    """Read one object, a list of objects, or an object with the list under "articles"."""
    text = read_text(path, shown_as)
    if isinstance(text, Rejected):
        yield text
        return
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield Rejected(shown_as, f"is not JSON ({error}): mend it, or name it .jsonl if each line is an object")
        return
    if isinstance(value, dict) and isinstance(value.get("articles"), list):
        value = value["articles"]
    records = value if isinstance(value, list) else [value]
    if not records:
        yield Rejected(shown_as, "holds an empty list: nothing to add")
    for position, record in enumerate(records, start=1):
        where = f"{shown_as} record {position}" if isinstance(value, list) else shown_as
        yield from _record(record, where=where, path=shown_as, position=position)


def load_jsonl(path: Path, shown_as: str) -> Iterator[Article | Rejected]:
    """Read one object a line; a bad line is rejected alone."""
    try:
        with path.open("rb") as lines:
            yield from _lines(lines, shown_as)
    except OSError as error:
        yield Rejected(shown_as, f"cannot be read ({error.strerror}): check the file and its permissions")


def _lines(lines: BinaryIO, shown_as: str) -> Iterator[Article | Rejected]:
    found = False
    for number, data in enumerate(lines, start=1):
        where = f"{shown_as} line {number}"
        if not data.strip():
            continue
        if not found and data.strip() in (b"[", b"{"):
            yield Rejected(shown_as, "is JSON over several lines, not one object a line: name it .json")
            return
        found = True
        text = decode(data)
        try:
            record = json.loads(text or "")
        except (ValueError, RecursionError) as error:
            reason = f"is not JSON ({error})" if text is not None else "is not text"
            yield Rejected(where, f"{reason}: mend or delete the line")
            continue
        yield from _record(record, where=where, path=shown_as, position=number)
    if not found:
        yield Rejected(shown_as, "is empty: nothing to add")


def _record(record: object, *, where: str, path: str, position: int) -> Iterator[Article | Rejected]:
    if not isinstance(record, dict):
        yield Rejected(where, f"is no object but {type(record).__name__}: give an object with title and text")
        return
    fields = fields_of(record)
    if not fields.text.strip():
        names = ", ".join(SPELLINGS["text"])
        yield Rejected(where, f"has no text: give it one of the fields {names}")
        return
    yield from articles(fields, where=where, path=path, position=position)


def fields_of(record: Mapping[str, object]) -> Fields:
    """Return the known fields of a record, whichever way they are spelled."""
    lower = {str(key).lower(): value for key, value in record.items()}

    def find(field: str) -> object:
        return next((lower[name] for name in SPELLINGS[field] if lower.get(name)), None)

    when = find("published_at")
    return Fields(
        text=plain_html(text_of(find("text"))),
        id=text_of(find("id")),
        title=html.unescape(text_of(find("title"))),
        source=html.unescape(text_of(find("source"))),
        url=text_of(find("url")),
        published_at=when if isinstance(when, str | int | float | date) else None,
        authors=tuple(map(html.unescape, names_of(find("authors")))),
        section=html.unescape(text_of(find("section"))),
        language=text_of(find("language")),
        correction=html.unescape(text_of(find("correction"))),
    )


def plain_html(body: str) -> str:
    """Return a text without tags and entities: feeds and archives often keep bodies as HTML."""
    if _BLOCK_TAG.search(body):
        body = _TAG.sub("", _BLOCK_TAG.sub("\n\n", body))
    return html.unescape(body)


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
