"""What the user named -> the files to read: folders, globs, archives, web addresses, lists of them, sitemaps."""

from __future__ import annotations

import glob
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ingest.fetch import Fetched, Fetcher
from ingest.loaders import LOADERS, known_endings, limit_of, load
from ingest.loaders.feeds import is_sitemap, sitemap_addresses
from ingest.loaders.source import MAX_BYTES, Options, Source
from ingest.report import Problem
from ingest.unpack import is_packed, members
from rag.errors import FetchError, SourceError
from rag.schema import Article

READ_AS = 4  # raise it when a file that did not change would now be read otherwise: it is then read again
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/xml", "text/xml", "application/rdf+xml")
_ENDING_OF = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md",
    "application/json": ".json", "application/feed+json": ".json", "application/x-ndjson": ".jsonl", "text/csv": ".csv",
    "application/pdf": ".pdf", **dict.fromkeys(_FEED_TYPES, ".xml"),
}  # fmt: skip
_MAX_SITEMAPS = 50
_MAX_PAGES = 50_000  # as the sitemap protocol allows in one file


@dataclass(frozen=True, slots=True)
class Found:
    """A file or address that a source stands for.

    Attributes:
        name: Shown to people, and the same in each run from whatever folder.
        path: Absolute; None for an address.
        size: In bytes, 0 for an address.
        stamp: Changes when the file does; "" for what has to be read each time.
    """

    name: str
    path: Path | None
    size: int = 0
    stamp: str = ""


def is_address(source: str) -> bool:
    """Tell whether a source is a web address."""
    return bool(_ADDRESS.fullmatch(source.strip()))


def find(sources: Sequence[str | Path]) -> list[Found]:
    """Return the files and addresses that the sources stand for, each once, in their order.

    Args:
        sources: Files, folders (searched without following links to folders; hidden files are skipped), globs, and web
            addresses.

    Raises:
        SourceError: A source does not exist or stands for no file of a known kind.
    """
    found: dict[str, Found] = {}
    for source in map(str, sources):
        for item in [Found(source.strip(), None)] if is_address(source) else _files(source):
            found.setdefault(str(item.path or item.name), item)
    return list(found.values())


def _files(source: str) -> Iterator[Found]:
    path = Path(source)
    if path.is_dir():
        inside = list(_walk(path))
        if not inside:
            raise SourceError(f"{source} holds no file of a known kind ({known_endings()})")
        yield from (_found(file, file.relative_to(path.resolve().parent).as_posix()) for file in inside)
    elif path.exists():
        if not _is_known(path):
            raise SourceError(f"{source} is of no known kind: give it one of the endings {known_endings()}")
        yield _found(path.resolve(), path.name)
    elif glob.has_magic(source):
        # Path.glob takes no pattern with an absolute beginning.
        matching = [Path(match) for match in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207
        known = [match for match in matching if match.is_file() and _is_known(match)]
        if not known:
            raise SourceError(f"{source} matches no file of a known kind ({known_endings()})")
        root = _fixed_part(source)
        yield from (_found(file.resolve(), _name_in(file, root)) for file in known)
    else:
        raise SourceError(f"{source} does not exist: give a file ({known_endings()}), a folder of them, or an address")


def _walk(folder: Path) -> Iterator[Path]:
    for at, folders, files in os.walk(folder.resolve()):
        if "archive.sqlite" in files and "owner.lock" in files:  # a home of ours
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(at) / name
            if not name.startswith(".") and _is_known(path) and path.is_file():
                yield path


def _is_known(path: Path) -> bool:
    return path.suffix.lower() in LOADERS or is_packed(path)


def _found(path: Path, name: str) -> Found:
    state = path.stat()
    return Found(name, path, state.st_size, f"{state.st_size}:{state.st_mtime_ns}")


def may_matter(path: str) -> bool:
    """Tell whether a changed file can be a source: of a known kind, not hidden, and not in a home of ours."""
    file = Path(path)
    hidden = any(part.startswith(".") for part in file.parts[1:])
    homes = any((folder / "owner.lock").exists() for folder in file.parents)
    return not hidden and not homes and _is_known(file)


def folder_of(source: str) -> Path:
    """Return the folder in which a source that is no address lies, or which it is."""
    path = Path(source)
    if path.is_dir():
        return path
    return _fixed_part(source) if glob.has_magic(source) and not path.exists() else path.parent


def _fixed_part(pattern: str) -> Path:
    """Return the folder before the first part of a glob that is one."""
    fixed: list[str] = []
    for part in Path(pattern).parts:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed) if fixed else Path()


def _name_in(file: Path, root: Path) -> str:
    return file.resolve().relative_to(root.resolve().parent).as_posix()


def stamp_of(found: Found, options: Options) -> str:
    """Return the stamp of a file as read with these options, "" if it has to be read each time."""
    return f"{found.stamp}:{READ_AS}:{options!r}" if found.stamp else ""


def read(found: Found, options: Options, fetcher: Fetcher) -> Iterator[Article | Problem]:
    """Yield the articles of a file, of all files in an archive, or of what an address or a list of them leads to."""
    if found.path is None:
        yield from _fetched(found.name, options, fetcher)
    elif is_packed(found.path):
        for member in members(found.path, found.name, limit_of):
            if isinstance(member, Problem):
                yield member
            else:
                path, name, changed = member
                yield from load(Source(path, f"{found.name}/{name}", options, modified_at=changed))
    elif addresses := _addresses_in(found.path):
        yield from _pages(addresses, options, fetcher)
    elif is_sitemap(found.path):
        yield from _sitemap(found.path.read_bytes(), found.name, options, fetcher)
    else:
        yield from load(Source(found.path, found.name, options))


# -- addresses -----------------------------------------------------------------------------------------


def _addresses_in(path: Path) -> list[str]:
    """Return the addresses of a text file that holds nothing else (and notes after "#")."""
    if path.suffix.lower() != ".txt" or path.stat().st_size > MAX_BYTES:
        return []
    with path.open("rb") as file:
        if not re.match(rb"\s*(?:#[^\n]*\n\s*)*https?://", file.read(4096).removeprefix(b"\xef\xbb\xbf")):
            return []
    lines = (line.strip() for line in path.read_text("utf-8-sig", errors="replace").splitlines())
    addresses = [line for line in lines if line and not line.startswith("#")]
    return addresses if all(map(is_address, addresses)) else []


def _pages(addresses: Iterable[str], options: Options, fetcher: Fetcher) -> Iterator[Article | Problem]:
    for address in dict.fromkeys(addresses):
        yield from _fetched(address, options, fetcher)


def _fetched(address: str, options: Options, fetcher: Fetcher) -> Iterator[Article | Problem]:
    try:
        answer = fetcher.fetch(address)
    except FetchError as error:
        yield Problem(address, str(error))
        return
    with tempfile.TemporaryDirectory(prefix="pressmark-") as folder:
        path = Path(folder) / f"page{_ending(answer)}"
        path.write_bytes(answer.body)
        if is_sitemap(path):
            yield from _sitemap(answer.body, address, options, fetcher)
        elif path.suffix not in LOADERS:
            kind = answer.media_type or "of unknown type"
            yield Problem(address, f"is {kind}, not a page, feed or list of articles: save it in one of those forms")
        else:
            yield from load(Source(path, address, options, url=answer.url))


def _ending(answer: Fetched) -> str:
    ending = Path(urlsplit(answer.url).path).suffix.lower()
    return _ENDING_OF.get(answer.media_type) or (ending if ending in LOADERS else "")


def _sitemap(data: bytes, name: str, options: Options, fetcher: Fetcher) -> Iterator[Article | Problem]:
    """Read the pages of a sitemap, and of those it names, one level down."""
    pages, further = _listed(data)
    problems = [] if pages or further else [Problem(name, "is no readable sitemap, or lists nothing: check the file")]
    for address in further[:_MAX_SITEMAPS]:
        try:
            below, _ = _listed(fetcher.fetch(address).body)
        except FetchError as error:
            problems.append(Problem(address, str(error)))
        else:
            pages += below
    if len(further) > _MAX_SITEMAPS or len(pages) > _MAX_PAGES:
        limits = f"the first {_MAX_SITEMAPS} sitemaps and {_MAX_PAGES:,} pages were read: give the others by themselves"
        problems.append(Problem(name, limits, lost=False))
    yield from problems
    yield from _pages(pages[:_MAX_PAGES], options, fetcher)


def _listed(data: bytes) -> tuple[list[str], list[str]]:
    try:
        return sitemap_addresses(data)
    except ValueError:
        return [], []
