"""Archives (.zip, .tar, .tar.gz, .gz) to single files, one at a time, with limits.

A member is copied to a temporary file of our naming, so a path in an archive ("../../x") leads nowhere.
"""

from __future__ import annotations

import gzip
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Self

from ingest.loaders.source import moment_of, printable
from ingest.report import Problem

MAX_MEMBERS = 200_000
MAX_TOTAL = 20 * 1024**3  # bytes
_BOMB_BYTES, _BOMB_RATIO = 10 * 1024**2, 100  # news text shrinks to a third or a fifth; a member over both is no text
_CHUNK = 64 * 1024
_LINES = (".jsonl", ".ndjson", ".csv", ".tsv")  # of a damaged one the lines before the damage are read
_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".gz")

# A member's name -> the most bytes that a file of its kind may have, 0 for one of no known kind.
Limits = Callable[[Path], int]
# Path of the temporary file, name in the archive, time of its last change if known.
Member = tuple[Path, str, datetime | None]


def is_packed(path: Path) -> bool:
    """Tell by its ending whether a file is an archive."""
    return path.name.lower().endswith(_ENDINGS)


def lone_member(path: Path) -> Path | None:
    """Return the name of the one file in a .gz that is no tar, None for other archives."""
    name = path.name.lower()
    return Path(path.name[: -len(".gz")]) if name.endswith(".gz") and not name.endswith(".tar.gz") else None


def members(path: Path, shown_as: str, limit_of: Limits) -> Iterator[Member | Problem]:
    """Yield the members of an archive that are of a known kind; each file is gone when the next is asked for.

    What is left out, for its size, as a link or as an archive in the archive, is yielded as a problem; members of other
    kinds are passed over in silence, as in a folder.
    """
    name = path.name.lower()
    try:
        if name.endswith(".zip"):
            yield from _from_zip(path, shown_as, limit_of)
        elif inner := lone_member(path):
            yield from _from_gzip(path, inner.name, shown_as, limit_of)
        else:
            yield from _from_tar(path, shown_as, limit_of)
    except Exception as error:  # a damaged archive fails anywhere in the packages
        yield Problem(shown_as, f"cannot be unpacked to its end ({error}): make the archive anew")


def _from_zip(path: Path, shown_as: str, limit_of: Limits) -> Iterator[Member | Problem]:
    with zipfile.ZipFile(path) as archive:
        budget = _Budget(limit_of)
        for info in archive.infolist():
            if info.is_dir() or not budget.is_wanted(info.filename):
                continue
            ratio = info.file_size / max(1, info.compress_size)
            problem = budget.problem(info.filename, info.file_size, ratio)
            if not problem and info.flag_bits & 1:
                problem = "is encrypted: unpack it first"
            if problem:
                yield Problem(f"{shown_as}/{printable(info.filename)}", problem)
            elif not budget.spent:
                with archive.open(info) as stream:
                    yield from _copied(stream, info.filename, shown_as, _zip_time(info), limit_of(Path(info.filename)))
            if budget.spent:
                yield Problem(shown_as, budget.spent)
                return


def _zip_time(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time, tzinfo=UTC) if info.date_time[0] > 1980 else None  # 1980 stands for none
    except ValueError:
        return None


class _StrictHeader(tarfile.TarInfo):
    """A header that fails where the library would take damage for the end of the archive."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile_)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]  # missing from the stub
            raise ValueError(f"a header is damaged: {error}") from error


def _from_tar(path: Path, shown_as: str, limit_of: Limits) -> Iterator[Member | Problem]:
    packed = path.stat().st_size
    # As a stream: no table of all members in memory.
    with tarfile.open(path, mode="r|*", tarinfo=_StrictHeader) as archive:
        budget = _Budget(limit_of)
        for info in archive:
            archive.members = []  # type: ignore[attr-defined]  # it keeps them all, even of a stream
            if not budget.is_wanted(info.name) or info.isdir():
                continue
            problem = budget.problem(info.name, info.size, info.size / packed)
            if not problem and not info.isfile():
                problem = "is a link in an archive: pack the file itself"
            if problem:
                yield Problem(f"{shown_as}/{printable(info.name)}", problem)
            elif not budget.spent and (stream := archive.extractfile(info)):
                yield from _copied(stream, info.name, shown_as, moment_of(info.mtime), limit_of(Path(info.name)))
            if budget.spent:
                yield Problem(shown_as, budget.spent)
                return


def _from_gzip(path: Path, inner: str, shown_as: str, limit_of: Limits) -> Iterator[Member | Problem]:
    limit = limit_of(Path(inner))
    if not limit:
        yield Problem(shown_as, "holds a file of no known kind: give it a name such as articles.jsonl.gz")
        return
    most = min(limit, max(_BOMB_BYTES, _BOMB_RATIO * path.stat().st_size))
    with gzip.open(path) as stream:
        yield from _copied(stream, inner, shown_as, None, most)


class _Budget:
    """What may still be unpacked; `spent` is the reason to stop, "" before that."""

    def __init__(self, limit_of: Limits) -> None:
        self.spent = ""
        self._limit_of = limit_of
        self._members = 0
        self._bytes = 0

    def is_wanted(self, name: str) -> bool:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        hidden = any(part.startswith((".", "__MACOSX")) and part not in (".", "..") for part in parts)
        return not hidden and (is_packed(Path(name)) or self._limit_of(Path(name)) > 0)

    def problem(self, name: str, size: int, ratio: float) -> str:
        """Count a wanted member; return why it cannot be unpacked, "" if it can."""
        self._members += 1
        if self._members > MAX_MEMBERS:
            self.spent = f"holds over {MAX_MEMBERS:,} files; the rest was left out: split the archive"
        elif is_packed(Path(name)):
            return "is an archive in an archive: unpack the outer one first"
        elif size > self._limit_of(Path(name)):
            return _too_large(self._limit_of(Path(name)))
        elif size > _BOMB_BYTES and ratio > _BOMB_RATIO:
            return f"unpacks to {ratio:.0f} times its size, which no text does: left out"
        self._bytes += size
        if self._bytes > MAX_TOTAL:
            self.spent = f"unpacks to over {MAX_TOTAL // 1024**3} GB; the rest was left out: split the archive"
        return ""


def _too_large(limit: int) -> str:
    return f"unpacks to over {limit // 1024**2:,} MB: split it"


def _copied(
    stream: IO[bytes] | gzip.GzipFile, name: str, shown_as: str, changed: datetime | None, limit: int
) -> Iterator[Member | Problem]:
    with tempfile.TemporaryDirectory(prefix="pressmark-") as folder:
        path = Path(folder) / f"member{Path(name).suffix.lower()}"
        read = getattr(stream, "read1", stream.read)  # gives what was unpacked before a damage
        damage: Exception | None = None
        with path.open("wb") as file:
            try:
                while chunk := read(_CHUNK):
                    if file.tell() + len(chunk) > limit:  # the archive's own word on the size may be a lie
                        yield Problem(f"{shown_as}/{printable(name)}", _too_large(limit))
                        return
                    file.write(chunk)
            except Exception as error:  # see `members`
                damage = error
        if damage is None or path.suffix in _LINES:
            yield path, printable(name), changed
        if damage is not None:
            raise damage
