"""Pasted or scraped pages as plain text, and Markdown with front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from ingest.loaders.records import Fields, articles, fields_of, without_hidden
from ingest.loaders.source import Source, read_text
from ingest.report import Problem
from rag.schema import Article

_HEADING = re.compile(r"^# +(.+?) *#*$", re.MULTILINE)
_STANDS_ALONE = re.compile(r"(?:#{1,6} |>|[-*+] |\d{1,3}[.)] |\||```|~~~)")
# In this order: what a mark encloses stays, the mark goes.
_MARKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE | re.DOTALL), replacement)
    for pattern, replacement in (
        (r"<!--(?:[^-<]|-(?!->)|<(?!!--))*-->", ""),
        (r"^ {0,3}\[[^\[\]\n]{1,300}\]: +\S+[^\n]*$", ""),  # the target of a reference link
        (r"^(?:```|~~~)[^\n]*$", ""),
        (r"^ {0,3}(?:[-*_] ?){3,}$", ""),  # a rule
        (r"!\[[^\[\]\n]{0,500}\](?:\([^()\n]{0,2000}\)|\[[^\[\]\n]{0,300}\])", ""),  # an image
        (r"\[([^\[\]\n]{1,500})\](?:\([^()\n]{0,2000}\)|\[[^\[\]\n]{0,300}\])", r"\1"),
        (r"\[\^[^\[\]\s]{1,100}\]", ""),
        (r"<(https?://[^>\s]+)>", r"\1"),
        (r"</?[a-zA-Z][^<>\n]{0,500}>", ""),
        (r"^ {0,3}#{1,6} +(.*?)[ #]*$", r"\1"),
        (r"^ {0,3}(?:> ?)+", ""),
        (r"^ *[-*+] +(?=\S)", ""),
        (r"(\*\*|__)(?=\S)([^\n]{1,300}?)(?<=\S)\1", r"\2"),
        (r"(?<![\w*])\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*(?![\w*])", r"\1"),
        (r"(?<!\w)_(?=\S)([^_\n]{1,500}?)(?<=\S)_(?!\w)", r"\1"),
        (r"`([^`\n]+)`", r"\1"),
        (r"\\([\\`*_{}\[\]()#+.!>-])", r"\1"),
    )
)


def load_txt(source: Source) -> Iterator[Article | Problem]:
    """Read the stories on a page of plain text; such a page names no outlet and no date."""
    text = read_text(source)
    if isinstance(text, Problem):
        yield text
    else:
        yield from articles(Fields(text, url=source.url), source, where=source.shown_as, position=1)


def load_markdown(source: Source) -> Iterator[Article | Problem]:
    """Read a page of Markdown; its front matter takes the field names of JSON records."""
    import frontmatter
    import yaml  # type: ignore[import-untyped]  # for its error alone

    text = read_text(source)
    if isinstance(text, Problem):
        yield text
        return
    try:
        metadata, body = frontmatter.parse(text)
    except (yaml.YAMLError, ValueError) as error:
        problem = " ".join(str(error).split())
        yield Problem(source.shown_as, f"has front matter that is not YAML ({problem}): mend the lines between the ---")
        return
    body, heading = _take_heading(body, wanted=not metadata.get("title"))
    record = {**metadata, "text": plain_markdown(body)}
    if heading:
        record["title"] = plain_markdown(heading)
    fields = fields_of(record, source.options.names)
    yield from articles(replace(fields, url=fields.url or source.url), source, where=source.shown_as, position=1)


def _take_heading(body: str, *, wanted: bool) -> tuple[str, str]:
    match = _HEADING.search(body) if wanted else None
    return (body[: match.start()] + body[match.end() :], match.group(1)) if match else (body, "")


def plain_markdown(text: str) -> str:
    """Return the words of a Markdown text without its marks, each paragraph on one line."""
    text = "\n".join(_joined(without_hidden(text).splitlines()))
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    return text


def _joined(lines: list[str]) -> Iterator[str]:
    """Join the lines of a paragraph: in Markdown a single line break is a blank."""
    paragraph: list[str] = []
    for line in lines:
        stands_alone = _STANDS_ALONE.match(line.lstrip())
        if paragraph and (stands_alone or not line.strip()):
            yield " ".join(paragraph)
            paragraph = []
        if stands_alone or not line.strip():
            yield line
        else:
            paragraph.append(line.strip())
    if paragraph:
        yield " ".join(paragraph)
