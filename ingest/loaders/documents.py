"""PDF and Word files; the packages that read them are the extra `documents`."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

from ingest.loaders.records import Fields, articles
from ingest.loaders.source import Source, read_bytes
from ingest.report import Problem
from rag.schema import Article

_CURE = "needs one more package: pip install 'pressmark[documents]'"
_MAX_PAGES = 2000


class _UnreadableError(Exception):
    """The file cannot be read; the message is the reason and the cure."""


def load_pdf(source: Source) -> Iterator[Article | Problem]:
    """Read the text of a PDF, its title and author; its dates are those of the file, not of the news."""
    yield from _loaded(source, _pdf_fields, "is no readable PDF ({}): open and save it anew, or export its text")


def load_docx(source: Source) -> Iterator[Article | Problem]:
    """Read the paragraphs of a Word file, its title and author."""
    yield from _loaded(source, _docx_fields, "is no readable Word file ({}): open and save it anew as .docx")


def _loaded(source: Source, extract: Callable[[bytes], Fields], damaged: str) -> Iterator[Article | Problem]:
    data = read_bytes(source)
    if isinstance(data, Problem):
        yield data
        return
    try:
        fields = extract(data)
    except ImportError:
        yield Problem(source.shown_as, _CURE)
    except _UnreadableError as error:
        yield Problem(source.shown_as, str(error))
    except Exception as error:  # a damaged file fails anywhere in the packages
        yield Problem(source.shown_as, damaged.format(error))
    else:
        yield from articles(replace(fields, url=source.url), source, where=source.shown_as, position=1)


def _pdf_fields(data: bytes) -> Fields:
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        raise _UnreadableError("is encrypted: save it without a password")
    text = "\n".join(page.extract_text() for page in reader.pages[:_MAX_PAGES])
    if not text.strip():
        raise _UnreadableError("holds pictures of pages, no text: run text recognition on it first")
    about = reader.metadata
    return _fields(text, about.title if about else None, about.author if about else None)


def _docx_fields(data: bytes) -> Fields:
    from docx import Document

    document = Document(io.BytesIO(data))
    text = "\n\n".join(paragraph.text for paragraph in document.paragraphs)
    if not text.strip():
        raise _UnreadableError("holds no text: nothing to add")
    return _fields(text, document.core_properties.title, document.core_properties.author)


def _fields(text: str, title: str | None, author: str | None) -> Fields:
    return Fields(text, title=title or "", authors=(author,) if author else ())
