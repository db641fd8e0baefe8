"""One file per kind of source; each yields articles or names the reason why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.loaders.html import load_html
from ingest.loaders.records import load_json, load_jsonl
from ingest.loaders.text import load_markdown, load_txt
from ingest.report import Rejected
from rag.errors import SourceError
from rag.schema import Article

LOADERS: dict[str, Callable[[Path, str], Iterator[Article | Rejected]]] = {
    ".txt": load_txt,
    ".md": load_markdown,
    ".json": load_json,
    ".jsonl": load_jsonl,
    ".html": load_html,
    ".htm": load_html,
}


def load(path: Path, *, shown_as: str) -> Iterator[Article | Rejected]:
    """Yield the articles of a file; what cannot be read is yielded as `Rejected`, never raised.

    Args:
        path: The kind is told by its ending.
        shown_as: The file's name in rejections and in the ids of articles that have neither id nor
            address of their own: the same file must be shown the same in each run.
    """
    loader = LOADERS.get(path.suffix.lower())
    if loader is None:
        yield Rejected(shown_as, f"is of no known kind: give it one of the endings {_known()}")
        return
    yield from loader(path, shown_as)


def discover(source: Path) -> Iterator[Path]:
    """Yield the files of a known kind under a folder, sorted, hidden ones skipped; or the file itself.

    Raises:
        SourceError: There is no such path, or no file of a known kind.
    """
    if not source.exists():
        raise SourceError(f"{source} does not exist: give a file ({_known()}) or a folder of them")
    if source.is_file():
        if source.suffix.lower() not in LOADERS:
            raise SourceError(f"{source} is of no known kind: give it one of the endings {_known()}")
        yield source
        return
    found = sorted(path for path in source.rglob("*") if _is_source(path, source))
    if not found:
        raise SourceError(f"{source} holds no file of a known kind ({_known()})")
    yield from found


def _is_source(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix.lower() in LOADERS and path.is_file()


def _known() -> str:
    return ", ".join(LOADERS)
