"""A file that is to be read, how its records are to be understood, and its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest.report import Problem

MAX_BYTES = 50 * 1024 * 1024  # a page, list or line this long is no article; JSON lines and CSV are streamed
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))


@dataclass(frozen=True, slots=True)
class Options:
    """How the records of a run are to be understood.

    Attributes:
        names: Our field -> what the source calls it, before the usual spellings.
        published_at: Of articles that name no date of their own.
        dated_by_mtime: Articles that name none are dated by their file's last change.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    published_at: datetime | None = None
    dated_by_mtime: bool = False


PLAIN = Options()


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be read.

    Attributes:
        path: The kind is told by its ending.
        shown_as: Its name in problems.
        base: What the ids of articles that have neither id nor address of their own are made from: the same in each
            run, and no other file's; `shown_as` if left out.
        options: See there.
        url: Where it was fetched from, "" for a file.
        modified_at: Its last change, None if unknown.
    """

    path: Path
    shown_as: str
    base: str = ""
    options: Options = PLAIN
    url: str = ""
    modified_at: datetime | None = None

    def assumed_date(self) -> datetime | None:
        """Return the date of articles that name none, as the options say."""
        return self.modified_at if self.options.dated_by_mtime else self.options.published_at


def printable(name: str) -> str:
    """Return a file's name as text: what is no character in it is shown by its number."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def moment_of(seconds: float) -> datetime | None:
    """Return the time, None for 0, which stands for none, and for what no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (ValueError, OverflowError, OSError):
        return None


def read_bytes(source: Source) -> bytes | Problem:
    """Return what is in the file, or why it cannot be read."""
    try:
        if source.path.stat().st_size > MAX_BYTES:
            return Problem(
                source.shown_as, "is over 50 MB: split it, or give it as JSON lines (.jsonl), one article a line"
            )
        data = source.path.read_bytes()
    except OSError as error:
        return Problem(source.shown_as, f"cannot be read ({error.strerror}): check the file and its permissions")
    return data if data.strip() else Problem(source.shown_as, "is empty: nothing to add")


def read_text(source: Source, declared: str = "") -> str | Problem:
    """Return the text of a file, or why it has none; see `decode` for `declared`."""
    data = read_bytes(source)
    if isinstance(data, Problem):
        return data
    text = decode(data, declared)
    return Problem(source.shown_as, "is not text (binary?): convert it to UTF-8 text") if text is None else text


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
