"""One file per kind of source; each yields articles or names the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.loaders.documents import load_docx, load_pdf
from ingest.loaders.feeds import load_feed
from ingest.loaders.html import load_html
from ingest.loaders.records import load_json, load_jsonl
from ingest.loaders.source import MAX_BYTES, Source
from ingest.loaders.tables import load_csv
from ingest.loaders.text import load_markdown, load_txt
from ingest.report import Problem
from rag.schema import Article

MAX_STREAMED = 2 * 1024**3  # bytes
_STREAMED = (".jsonl", ".ndjson", ".csv", ".tsv")

LOADERS: dict[str, Callable[[Source], Iterator[Article | Problem]]] = {
    ".txt": load_txt,
    ".md": load_markdown,
    ".markdown": load_markdown,
    ".json": load_json,
    ".jsonl": load_jsonl,
    ".ndjson": load_jsonl,
    ".csv": load_csv,
    ".tsv": load_csv,
    ".html": load_html,
    ".htm": load_html,
    ".xhtml": load_html,
    ".rss": load_feed,
    ".atom": load_feed,
    ".xml": load_feed,
    ".pdf": load_pdf,
    ".docx": load_docx,
}


def load(source: Source) -> Iterator[Article | Problem]:
    """Yield the articles of a file; what cannot be read is yielded as `Problem`, never raised."""
    loader = LOADERS.get(source.path.suffix.lower())
    if loader is None:
        yield Problem(source.shown_as, f"is of no known kind: give it one of the endings {known_endings()}")
        return
    try:
        yield from loader(source)
    except Exception as error:  # the packages behind the loaders fail in ways of their own
        reason = f"cannot be read to its end ({type(error).__name__}: {str(error)[:200]}): open and save it anew"
        yield Problem(source.shown_as, reason)


def limit_of(path: Path) -> int:
    """Return the most bytes that a file of this name may have; 0 if its kind is not known."""
    ending = path.suffix.lower()
    if ending not in LOADERS:
        return 0
    return MAX_STREAMED if ending in _STREAMED else MAX_BYTES


def known_endings() -> str:
    """Return the endings of the kinds of files that can be read, for people."""
    return ", ".join(LOADERS)
