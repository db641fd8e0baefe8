"""What the commands share: options, settings of a home, opening it, ingest with progress, printing."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ingest.report import IngestReport
    from rag.archive import Archive
    from rag.chain import AnswerChain
    from rag.schema import TimeWindow
    from rag.settings import Settings
    from rag.store import Store

Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of the archive. Default: PRESSMARK_HOME or ~/.pressmark.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Since = Annotated[str, typer.Option(help="Only articles published from this date on (2025-06-01).")]
Until = Annotated[str, typer.Option(help="Only articles published before this date.")]
Outlet = Annotated[list[str] | None, typer.Option("--outlet", help="Only this outlet; may be repeated.")]


@dataclass(slots=True)
class Common:
    """The home given before the command's name; typer hands no value from callback to command."""

    home: Path | None = None


COMMON = Common()


def say(text: str, *, error: bool = False) -> None:
    """Print a line; errors go to standard error."""
    typer.echo(text, err=error)


def settings_of(home: Path | None, **overrides: object) -> Settings:
    """Read the settings; the home given after the command's name wins over the one before it."""
    from rag.settings import load_settings

    return load_settings(home=home or COMMON.home, **overrides)


def open_chain(home: Path | None) -> closing[AnswerChain]:
    """Open the chain of a home for a `with` block."""
    return chain_of(settings_of(home))


def chain_of(settings: Settings) -> closing[AnswerChain]:
    """Open the chain for a `with` block."""
    from rag.chain import build_chain

    return closing(build_chain(settings))


def open_store(settings: Settings) -> closing[Store]:
    """Open the store for a `with` block."""
    from rag.store import Store

    return closing(Store.open(settings))


def open_archive(home: Path | None) -> closing[Archive]:
    """Open the archive alone: reading articles needs no model, and may go on beside a server."""
    from rag.archive import Archive
    from rag.store import archive_path

    return closing(Archive.open(archive_path(settings_of(home))))


def sample_file() -> Path:
    """Return the file of the sample archive."""
    from eval.sample import ARTICLES

    return ARTICLES


def ingested(sources: Sequence[Path], store: Store, settings: Settings, *, quiet: bool = False) -> IngestReport:
    """Ingest with a progress bar on a terminal, plain lines elsewhere, nothing if `quiet`."""
    from ingest.indexer import ingest

    if quiet:
        return ingest(sources, store, passage_tokens=settings.passage_tokens)
    if not sys.stderr.isatty():
        return ingest(
            sources,
            store,
            passage_tokens=settings.passage_tokens,
            progress=lambda done, total, name: say(f"[{done}/{total}] {name}", error=True),
        )
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Ingesting", total=None)
        return ingest(
            sources,
            store,
            passage_tokens=settings.passage_tokens,
            progress=lambda done, total, name: bar.update(task, total=total, completed=done, description=name[-40:]),
        )


def counter(quiet: bool) -> Callable[[int, int], None] | None:
    """Return a function that counts questions on a terminal, None elsewhere."""
    if quiet or not sys.stderr.isatty():
        return None
    return lambda done, total: typer.echo(f"\r{done}/{total} questions", err=True, nl=done == total)


def window_of(since: str, until: str) -> TimeWindow | None:
    """Read --since and --until."""
    from rag.schema import TimeWindow

    if not since and not until:
        return None
    return TimeWindow(since=moment_of(since, "--since"), until=moment_of(until, "--until"))


def moment_of(text: str, option: str) -> datetime | None:
    """Read a date; typer shows what is wrong with it."""
    from ingest.clean import to_utc

    moment = to_utc(text)
    if text and moment is None:
        raise typer.BadParameter(f"{text!r} is no date: write it as 2025-06-01.", param_hint=option)
    return moment


def dumped(kind: Any, value: object) -> str:  # noqa: ANN401  # any type that pydantic knows
    """Return `value`, which is of `kind`, as JSON."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind).dump_json(value, indent=2).decode()
