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
from ingest.loaders.source import Options, Source, moment_of, printable, read_bytes
from ingest.report import Problem
from ingest.unpack import is_packed, lone_member, members
from rag.errors import FetchError, SourceError
from rag.schema import Article

READ_AS = 6  # raise it when a file that did not change would now be read otherwise: it is then read again
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/xml", "text/xml", "application/rdf+xml")
_ENDING_OF = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md",
    "application/json": ".json", "application/feed+json": ".json", "application/x-ndjson": ".jsonl", "text/csv": ".csv",
    "application/pdf": ".pdf", **dict.fromkeys(_FEED_TYPES, ".xml"),
}  # fmt: skip
_LONGEST_ADDRESS = 8192
_MAX_SITEMAPS = 50
_MAX_PAGES = 50_000  # as the sitemap protocol allows in one file

_Items = Iterator[Article | Problem]


@dataclass(frozen=True, slots=True)
class Found:
    """A file or address that a source stands for.

    Attributes:
        key: Absolute path, or the address: no two files share one.
        name: Shown to people; from the source's folder on.
        base: What ids are made from, see `rag.files`; `name` if left out.
        path: Absolute; None for an address.
        size: In bytes, 0 for an address.
        changed_at: The file's last change, in nanoseconds.
    """

    key: str
    name: str
    path: Path | None
    size: int = 0
    changed_at: int = 0
    base: str = ""


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
        address = source.strip()
        for item in [Found(address, address, None)] if is_address(source) else _files(source):
            found.setdefault(item.key, item)
    return list(found.values())


def _files(source: str) -> list[Found]:
    if not source.strip():
        raise SourceError(
            f"an empty source was given: give a file ({known_endings()}), a folder of them, or an address"
        )
    path = Path(source)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError):  # too long, or with a NUL
        is_folder = exists = False
    if is_folder:
        root = path.resolve()
        found = [_found(file, file.relative_to(root.parent)) for file in _walk(root)]
        problem = "holds no file of a known kind"
    elif exists:
        found = [_found(path, Path(path.name))] if is_known(path) else []
        problem = "is of no known kind: give it one of the endings"
    elif glob.has_magic(source):
        root = _fixed_part(source)
        matching = sorted(root.glob(str(path.relative_to(root))))
        shown = [file for file in matching if not _is_hidden(file.relative_to(root))]
        files = [file for file in shown if is_known(file) and file.is_file()]
        found = [_found(file, Path(root.resolve().name) / file.relative_to(root)) for file in files]
        problem = "matches no file of a known kind"
    else:
        raise SourceError(f"{source} does not exist: give a file ({known_endings()}), a folder of them, or an address")
    known = [item for item in found if item is not None]
    if not known:
        raise SourceError(f"{source} {problem} ({known_endings()})")
    return known


def _walk(folder: Path) -> Iterator[Path]:
    for at, folders, files in os.walk(folder.resolve()):
        if "owner.json" in files and "owner.lock" in files:  # a home of ours, wherever its archive is
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(at) / name
            if not name.startswith(".") and is_known(path) and path.is_file():
                yield path


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def is_known(path: Path) -> bool:
    """Tell by its name whether a file is of a kind that can be read."""
    inner = lone_member(path)
    return path.suffix.lower() in LOADERS or (is_packed(path) and (inner is None or limit_of(inner) > 0))


def _found(path: Path, name: Path) -> Found | None:
    try:
        state = path.stat()
    except OSError:
        return None  # gone since it was listed
    whole = path.resolve()
    return Found(printable(str(whole)), printable(name.as_posix()), whole, state.st_size, state.st_mtime_ns)


def folder_of(source: str) -> Path:
    """Return the folder in which a source that is no address lies, or which it is."""
    path = Path(source)
    if path.is_dir():
        return path
    return _fixed_part(source) if glob.has_magic(source) and not path.exists() else path.parent


def may_matter(path: str) -> bool:
    """Tell whether a changed file can be a source: of a known kind, not hidden, and not in a home of ours."""
    file = Path(path)
    hidden = any(part.startswith(".") for part in file.parts[1:])
    homes = any((folder / "owner.lock").exists() for folder in file.parents)
    return not hidden and not homes and is_known(file)


def _fixed_part(pattern: str) -> Path:
    """Return the folder before the first part of a glob that is one."""
    fixed: list[str] = []
    for part in Path(pattern).parts:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed) if fixed else Path()


def stamp_of(found: Found, options: Options) -> str:
    """Return the stamp of a file as read with these options, "" if it has to be read each time."""
    return f"{found.size}:{found.changed_at}:{READ_AS}:{options!r}" if found.path else ""


def read(found: Found, options: Options, fetcher: Fetcher) -> Iterator[Article | Problem]:
    """Yield the articles of a file, of all files in an archive, or of what an address or a list of them leads to."""
    if found.path is None:
        yield from _fetched(found.name, options, fetcher, listed=False)
        return
    changed_at = moment_of(found.changed_at / 1e9)
    base = found.base or found.name
    source = Source(found.path, found.name, base, options, modified_at=changed_at)
    if is_packed(found.path):
        for member in members(found.path, found.name, limit_of):
            if isinstance(member, Problem):
                yield member
            else:
                path, name, changed = member
                place, changed = f"{base}/{name}", changed or changed_at
                yield from load(Source(path, f"{found.name}/{name}", place, options, modified_at=changed))
    elif leads_elsewhere(found):
        addresses = _addresses_in(found.path)
        if addresses:
            yield from _pages(addresses, options, fetcher)
        else:
            data = read_bytes(source)
            yield from [data] if isinstance(data, Problem) else _sitemap(data, found.name, options, fetcher)
    else:
        yield from load(source)


def leads_elsewhere(found: Found) -> bool:
    """Tell whether the file is a list of addresses or a sitemap: what it leads to changes without it."""
    return found.path is not None and (bool(_addresses_in(found.path)) or is_sitemap(found.path))


# -- addresses -----------------------------------------------------------------------------------------


def _addresses_in(path: Path) -> list[str]:
    """Return the addresses of a text file that holds nothing else (and notes after "#")."""
    if path.suffix.lower() != ".txt":
        return []
    addresses = []
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            while line := lines.readline(_LONGEST_ADDRESS):
                bare = line.strip()
                if bare and not bare.startswith("#"):
                    if not is_address(bare):
                        return []
                    addresses.append(bare)
    except OSError:
        return []  # reading it tells why
    return addresses


def _pages(addresses: Iterable[str], options: Options, fetcher: Fetcher, *, listed: bool = False) -> _Items:
    for address in dict.fromkeys(addresses):
        yield from _fetched(address, options, fetcher, listed=listed)


def _fetched(address: str, options: Options, fetcher: Fetcher, *, listed: bool) -> _Items:
    """Read what is at an address; a sitemap only if no sitemap `listed` it."""
    try:
        answer = fetcher.fetch(address)
    except FetchError as error:
        yield Problem(address, str(error))
        return
    with tempfile.TemporaryDirectory(prefix="pressmark-") as folder:
        path = Path(folder) / f"page{_ending(answer)}"
        path.write_bytes(answer.body)
        if is_sitemap(path) and listed:
            yield Problem(address, "is a sitemap, listed as a page of another: give it by itself")
        elif is_sitemap(path):
            yield from _sitemap(answer.body, address, options, fetcher)
        elif path.suffix not in LOADERS:
            kind = answer.media_type or "of unknown type"
            yield Problem(address, f"is {kind}, not a page, feed or list of articles: save it in one of those forms")
        else:
            # No time of change: that of a page is the moment it was fetched, which dates nothing.
            yield from load(Source(path, address, address, options, url=answer.url))


def _ending(answer: Fetched) -> str:
    ending = Path(urlsplit(answer.url).path).suffix.lower()
    known = ending if ending in LOADERS else ""
    if answer.media_type in ("", "text/plain", "application/octet-stream") and known:
        return known
    return _ENDING_OF.get(answer.media_type) or known


def _sitemap(data: bytes, name: str, options: Options, fetcher: Fetcher) -> _Items:
    """Read the pages of a sitemap, and of those it names, one level down."""
    pages, further = _listed(data)
    problems = [] if pages or further else [Problem(name, "is no readable sitemap, or lists nothing: check the file")]
    for address in further[:_MAX_SITEMAPS]:
        try:
            below, deeper = _listed(fetcher.fetch(address).body)
        except FetchError as error:
            problems.append(Problem(address, str(error)))
            continue
        pages += below
        if deeper:
            problems.append(Problem(address, "lists further sitemaps, two levels down: give it by itself"))
        elif not below:
            problems.append(Problem(address, "is no readable sitemap, or lists nothing: check it"))
    if len(further) > _MAX_SITEMAPS or len(pages) > _MAX_PAGES:
        limits = f"the first {_MAX_SITEMAPS} sitemaps and {_MAX_PAGES:,} pages were read: give the others by themselves"
        problems.append(Problem(name, limits, lost=False))
    yield from problems
    yield from _pages(pages[:_MAX_PAGES], options, fetcher, listed=True)


def _listed(data: bytes) -> tuple[list[str], list[str]]:
    try:
        return sitemap_addresses(data)
    except ValueError:
        return [], []
