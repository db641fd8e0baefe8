"""What the commands share: options, settings of a home, opening it, ingest with progress, printing."""

from __future__ import annotations

import gc
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from ingest.engine import Engine
    from ingest.loaders.source import Options
    from ingest.report import IngestReport, Progress
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


JUDGE = "builtin:balanced"  # of evals: as strict as the check of what is shown it would call much wrong that is right


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


@contextmanager
def loading() -> Iterator[None]:
    """Import and open things without the garbage collector, which would look through all of them again and again.

    A fifth of a start is saved. `main` turns it off from the first import on; here it is turned on again.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def open_chain(home: Path | None) -> closing[AnswerChain]:
    """Open the chain of a home for a `with` block."""
    return chain_of(settings_of(home))


def chain_of(settings: Settings) -> closing[AnswerChain]:
    """Open the chain for a `with` block."""
    with loading():
        from rag.chain import build_chain

        return closing(build_chain(settings))


def open_store(settings: Settings) -> closing[Store]:
    """Open the store for a `with` block."""
    with loading():
        from rag.store import Store

        return closing(Store.open(settings))


def open_archive(home: Path | None) -> closing[Archive]:
    """Open the archive alone: reading articles needs no model, and may go on beside a server."""
    with loading():
        from rag import store

        return closing(store.open_archive(settings_of(home)))


def sample_file() -> Path:
    """Return the file of the sample archive."""
    from eval.sample import ARTICLES

    return ARTICLES


def ingested(
    sources: Sequence[str | Path],
    store: Store,
    settings: Settings,
    *,
    quiet: bool = False,
    options: Options | None = None,
    prune: bool = False,
    allow_private: bool = False,
    engine: Engine | None = None,
) -> IngestReport:
    """Ingest with a progress bar on a terminal, a line now and then elsewhere, nothing if `quiet`."""
    from ingest.loaders.source import Options
    from ingest.run import ingest

    with progress_shown(quiet) as progress:
        return ingest(
            sources,
            store,
            passage_tokens=settings.passage_tokens,
            options=options or Options(),
            prune=prune,
            allow_private=allow_private,
            progress=progress,
            engine=engine,
        )


@contextmanager
def progress_shown(quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Yield a function that shows how far an ingest is; None if `quiet`."""
    if quiet:
        yield None
    elif not sys.stderr.isatty():
        yield _Lines().show
    else:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Ingesting", total=1.0, state="")
            yield lambda p: bar.update(task, completed=p.done, description=p.name[-40:], state=progress_text(p))


class _Lines:
    """Progress for a log: a line for the first file, then one every few seconds, and one at the end."""

    EVERY = 10.0  # seconds

    def __init__(self) -> None:
        self._next = 0.0

    def show(self, progress: Progress) -> None:
        if progress.seconds >= self._next or progress.files_done == progress.files:
            self._next = progress.seconds + self.EVERY
            say(f"{progress.name}: {progress_text(progress)}", error=True)


def progress_text(progress: Progress) -> str:
    """Return how far an ingest is, with its rate and the time left, for a person."""
    text = (
        f"file {min(progress.files_done + 1, progress.files)} of {progress.files}, {progress.articles} articles, "
        f"{progress.passages} passages, {progress.rate:.1f} articles/s"
    )
    left = progress.seconds_left
    return text if not left else f"{text}, about {_duration(left)} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


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


def dumped(kind: Any, value: object, *, indent: int | None = 2) -> str:  # noqa: ANN401  # any type that pydantic knows
    """Return `value`, which is of `kind`, as JSON."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind).dump_json(value, indent=indent).decode()
