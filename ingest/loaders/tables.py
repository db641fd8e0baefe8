"""CSV and TSV: a header line, then one article a row; read as a stream."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from ingest.loaders.records import MAX_CHARS, record_articles
from ingest.loaders.source import Source, decode
from ingest.report import Problem
from rag.schema import Article

_HEAD_BYTES = 256 * 1024  # enough to tell an encoding that is not UTF-8
_CHUNK = 1024 * 1024
_CELL_CHARS = 20 * MAX_CHARS  # an article that is too long is a problem of its row; over this a quote was never closed
_NOT_CLOSED = "opens a quotation mark that is not closed, so it and all after it are left out: close it"
_QUOTED = re.compile(r'"[^"]*"')


def load_csv(source: Source) -> Iterator[Article | Problem]:
    """Read a table whose first row names the columns; a bad row is rejected alone."""
    try:
        with source.path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        encoding = _encoding(source.path, head)
    except OSError as error:
        yield Problem(source.shown_as, f"cannot be read ({error.strerror}): check the file and its permissions")
        return
    if not head.strip():
        yield Problem(source.shown_as, "is empty: nothing to add")
    elif encoding is None:
        yield Problem(source.shown_as, "is not text (binary?): export the table as CSV in UTF-8")
    else:
        with source.path.open(encoding=encoding, errors="replace", newline="") as file:
            yield from _rows(file, source)


def _rows(file: io.TextIOBase, source: Source) -> Iterator[Article | Problem]:
    lines = (line.replace("\0", "") for line in file)
    header = next((line for line in lines if line.strip()), "")
    stated = re.fullmatch(r"sep=(.)\s*", header)  # Excel's own first line
    if stated:
        header = next((line for line in lines if line.strip()), "")
    bare = _QUOTED.sub("", header)
    delimiter = stated.group(1) if stated else max(",;\t|", key=bare.count)
    csv.field_size_limit(_CELL_CHARS)
    counted = _Counted(itertools.chain([header], lines))
    rows = csv.reader(counted, delimiter=delimiter)
    names = [name.strip() for name in next(rows, [])]
    position, found = 0, False
    while True:
        position += 1
        counted.quotes = 0
        where = f"{source.shown_as} row {position}"
        try:
            row = next(rows, None)
        except csv.Error:
            yield Problem(where, _NOT_CLOSED)
            return
        if row is None:
            break
        if not any(cell.strip() for cell in row):
            continue
        found = True
        if counted.ended and counted.quotes % 2:
            yield Problem(where, _NOT_CLOSED)
            return
        record = {name: value for name, value in zip(names, row, strict=False) if name and value}
        yield from record_articles(record, source, where=where, position=position)
    if not found:
        yield Problem(source.shown_as, "holds no row under its header: nothing to add")


class _Counted:
    """Lines whose quotation marks are counted: an odd number at the end of the file is one that was never closed."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.quotes = 0
        self.ended = False
        self._lines = lines

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        try:
            line = next(self._lines)
        except StopIteration:
            self.ended = True
            raise
        self.quotes += line.count('"')
        return line


def _encoding(path: Path, head: bytes) -> str | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        pass  # it is another one
    else:
        return "utf-8-sig"
    if decode(head) is None:
        return None
    from charset_normalizer import from_bytes

    best = from_bytes(head).best()
    plain = best is None or best.encoding in ("ascii", "utf_8") or "cp1252" in best.could_be_from_charset
    return "cp1252" if plain or best is None else best.encoding
