"""PDF and Word files; the packages that read them are the extra `documents`."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

from ingest.loaders.records import Fields, articles
from ingest.loaders.source import Source, read_bytes
from ingest.report import Problem
from rag.schema import Article

_CURE = "needs one more package: pip install 'pressmark[documents]'"
_MAX_PAGES = 2000


def load_pdf(source: Source) -> Iterator[Article | Problem]:
    """Read the text of a PDF, its title and author; its dates are those of the file, not of the news."""
    data = read_bytes(source)
    if isinstance(data, Problem):
        yield data
        return
    try:
        from pypdf import PdfReader
    except ImportError:
        yield Problem(source.shown_as, _CURE)
        return
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            yield Problem(source.shown_as, "is encrypted: save it without a password")
            return
        pages = [page.extract_text() for page in reader.pages[:_MAX_PAGES]]
        about = reader.metadata
    except Exception as error:  # a damaged file fails anywhere in the package
        yield Problem(source.shown_as, f"is no readable PDF ({error}): open and save it anew, or export its text")
        return
    text = "\n".join(pages)
    if not text.strip():
        yield Problem(source.shown_as, "holds pictures of pages, no text: run text recognition on it first")
        return
    title, author = (str(value) if value else "" for value in (about.title, about.author)) if about else ("", "")
    fields = Fields(text, url=source.url, title=title, authors=(author,) if author else ())
    yield from articles(fields, source, where=source.shown_as, position=1)


def load_docx(source: Source) -> Iterator[Article | Problem]:
    """Read the paragraphs of a Word file, its title and author."""
    data = read_bytes(source)
    if isinstance(data, Problem):
        yield data
        return
    try:
        from docx import Document
    except ImportError:
        yield Problem(source.shown_as, _CURE)
        return
    try:
        document = Document(io.BytesIO(data))
        text = "\n\n".join(paragraph.text for paragraph in document.paragraphs)
        about = document.core_properties
    except Exception as error:  # a damaged file fails anywhere in the package
        yield Problem(source.shown_as, f"is no readable Word file ({error}): open and save it anew as .docx")
        return
    if not text.strip():
        yield Problem(source.shown_as, "holds no text: nothing to add")
        return
    fields = Fields(text, url=source.url, title=about.title or "", authors=(about.author,) if about.author else ())
    yield from articles(fields, source, where=source.shown_as, position=1)
