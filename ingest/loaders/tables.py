"""CSV and TSV: a header line, then one article a row; read as a stream."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ingest.loaders.records import MAX_CHARS, record_articles
from ingest.loaders.source import Source, decode
from ingest.report import Problem
from rag.schema import Article

_HEAD_BYTES = 256 * 1024  # enough to tell encoding and delimiter


def load_csv(source: Source) -> Iterator[Article | Problem]:
    """Read a table whose first row names the columns; a bad row is rejected alone."""
    try:
        with source.path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        yield Problem(source.shown_as, f"cannot be read ({error.strerror}): check the file and its permissions")
        return
    if not head.strip():
        yield Problem(source.shown_as, "is empty: nothing to add")
        return
    encoding = _encoding(head)
    if encoding is None:
        yield Problem(source.shown_as, "is not text (binary?): export the table as CSV in UTF-8")
        return
    csv.field_size_limit(MAX_CHARS)
    with source.path.open(encoding=encoding, errors="replace", newline="") as file:
        yield from _rows(file, source, _delimiter(head.decode(encoding, errors="replace")))


def _rows(file: io.TextIOBase, source: Source, delimiter: str) -> Iterator[Article | Problem]:
    rows = csv.DictReader((line.replace("\0", "") for line in file), delimiter=delimiter, restkey="")
    position = 0
    while True:
        position += 1
        where = f"{source.shown_as} row {position}"
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Problem(where, f"cannot be read ({error}): mend or delete the row")
            continue
        if row is None:
            break
        record = {name: value for name, value in row.items() if name and value}
        if record:
            yield from record_articles(record, source, where=where, position=position)
    if position == 1:
        yield Problem(source.shown_as, "holds no row under its header: nothing to add")


def _encoding(head: bytes) -> str | None:
    try:
        head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start > len(head) - 4:  # the head ends inside a character
            return "utf-8-sig"
    else:
        return "utf-8-sig"
    if decode(head) is None:
        return None
    from charset_normalizer import from_bytes

    best = from_bytes(head).best()
    return "cp1252" if best is None or "cp1252" in best.could_be_from_charset else best.encoding


def _delimiter(head: str) -> str:
    header = head.partition("\n")[0]
    return max(",;\t|", key=header.count)
