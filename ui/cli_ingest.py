"""`pressmark ingest`: put articles into the archive, look at what would come of files, keep watching folders."""

from __future__ import annotations

from contextlib import nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ui.cli_tools import AsJson, Home, dumped, ingested, moment_of, open_store, say, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ingest.engine import Engine
    from ingest.loaders.source import Options
    from ingest.report import IngestReport
    from rag.schema import Article
    from rag.settings import Settings


class EngineName(StrEnum):
    """Where a run's files are read and embedded."""

    plain = "plain"
    ray = "ray"


_SOURCES = "Files, folders, globs, archives (.zip, .tar.gz, .gz), web addresses, or lists of them."


def ingest(
    sources: Annotated[list[str], typer.Argument(help=_SOURCES)],
    home: Home = None,
    as_json: AsJson = False,
    names: Annotated[
        str, typer.Option("--map", help="What your records call our fields: title=headline,text=content,...")
    ] = "",
    published: Annotated[str, typer.Option(help="The date of articles that name none (2025-06-01).")] = "",
    assume_dated_by: Annotated[
        str, typer.Option(help='"mtime" dates articles that name no date by their file\'s last change.')
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what each file would become; store nothing.")
    ] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete articles that the files no longer hold.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on with new and changed files until stopped.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch from private and loopback addresses too.")
    ] = False,
    engine: Annotated[
        EngineName, typer.Option(help="Where files are read and embedded: here, or on a Ray cluster.")
    ] = EngineName.plain,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Ray's workers that embed. Default: one for each core.")
    ] = None,
) -> None:
    """Put articles into the archive; unchanged ones are skipped, changed ones replaced."""
    from ingest.report import IngestReport

    options = options_of(names, published, assume_dated_by)
    if dry_run:
        _show(sources, options, allow_private=allow_private, as_json=as_json)
        return
    settings = settings_of(home)
    with _engine(engine, settings, workers) as chosen, open_store(settings) as store:

        def run(*, quiet: bool = as_json) -> IngestReport:
            return ingested(
                sources,
                store,
                settings,
                quiet=quiet,
                options=options,
                prune=prune,
                allow_private=allow_private,
                engine=chosen,
            )

        report = run()
        say(dumped(IngestReport, report) if as_json else report.to_text())
        if watch:
            _watch(sources, report, lambda: run(quiet=True), as_json=as_json)


def _engine(name: EngineName, settings: Settings, workers: int | None) -> AbstractContextManager[Engine | None]:
    """Return the engine of that name, None for the plain one."""
    if name is EngineName.plain:
        return nullcontext()
    from ingest.ray_engine import RayEngine

    return RayEngine(settings, workers=workers)


def options_of(names: str, published: str, assume_dated_by: str) -> Options:
    """Read the options that say how records are to be understood."""
    from ingest.loaders.records import SPELLINGS
    from ingest.loaders.source import Options

    pairs = dict(part.strip().partition("=")[::2] for part in names.split(",") if part.strip())
    wrong = [name for name, value in pairs.items() if name not in SPELLINGS or not value]
    if wrong:
        known = ", ".join(SPELLINGS)
        raise typer.BadParameter(
            f"{wrong[0]!r}: write title=headline,text=content; ours are {known}.", param_hint="--map"
        )
    if assume_dated_by not in ("", "mtime"):
        raise typer.BadParameter(f"{assume_dated_by!r}: the one way known is mtime.", param_hint="--assume-dated-by")
    return Options(pairs, moment_of(published, "--published"), dated_by_mtime=assume_dated_by == "mtime")


def _show(sources: list[str], options: Options, *, allow_private: bool, as_json: bool) -> None:
    """Print what each file would become."""
    from ingest.report import Problem
    from ingest.run import preview
    from rag.schema import Article

    before = ""
    for file, item in preview(sources, options=options, allow_private=allow_private):
        if as_json:
            say(dumped(dict[str, str | Article | Problem], {"file": file, "found": item}, indent=None))
            continue
        if file != before:
            say(file)
            before = file
        say(f"  {item.to_text()}" if isinstance(item, Problem) else f"  {_article_text(item)}")


def _article_text(article: Article) -> str:
    from ui.wording import article_marks, date_text

    about = [article.source or "unknown outlet", date_text(article.published_at), f"{len(article.text.split())} words"]
    return f"{article.title}\n    {', '.join([*about, *article_marks(article)])}"


def _watch(sources: list[str], before: IngestReport, run: Callable[[], IngestReport], *, as_json: bool) -> None:
    """Run again whenever something may have changed, and print what came of it, if anything did."""
    from ingest.report import IngestReport
    from ingest.watch import changes
    from rag.errors import SourceError

    say("Watching for new and changed files; Ctrl-C stops.", error=True)
    for _ in changes(sources):
        try:
            report = run()
        except SourceError as error:  # a folder that is empty for the moment must not end the watch
            say(f"pressmark: {error}", error=True)
            continue
        if report.added or report.updated or (report.problems, report.gone) != (before.problems, before.gone):
            say(dumped(IngestReport, report) if as_json else report.to_text())
        before = report
