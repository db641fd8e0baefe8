"""The `pressmark` command. Heavy imports stay inside the commands: `--help` must be quick."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ingest.report import IngestReport
    from rag.archive import Archive
    from rag.chain import AnswerChain
    from rag.schema import Article, TimeWindow
    from rag.settings import Settings
    from rag.store import Store

app = typer.Typer(
    help="Ask a news archive: each sentence of the answer stands on a passage you can open.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
articles_app = typer.Typer(help="List, read and delete articles.", no_args_is_help=True)
eval_app = typer.Typer(help="Measure retrieval, answers, citations and abstaining.", no_args_is_help=True)
app.add_typer(articles_app, name="articles")
app.add_typer(eval_app, name="eval")

Home = Annotated[
    Path | None, typer.Option("--home", help="Folder of the archive. Default: PRESSMARK_HOME or ~/.pressmark.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Since = Annotated[str, typer.Option(help="Only articles published from this date on (2025-06-01).")]
Until = Annotated[str, typer.Option(help="Only articles published before this date.")]
Outlet = Annotated[list[str] | None, typer.Option("--outlet", help="Only this outlet; may be repeated.")]

_home: Path | None = None  # of `pressmark --home DIR command`; typer hands no value from callback to command


@app.callback()
def before(home: Home = None) -> None:
    """Keep the home given before the command's name, and silence the libraries before they are imported."""
    global _home  # see above
    _home = home
    for name, value in {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "TOKENIZERS_PARALLELISM": "false",
    }.items():
        os.environ.setdefault(name, value)


def main() -> None:
    """Run the command; an expected failure is one clear line and exit code 1."""
    from rag.errors import PressmarkError

    try:
        app()
    except (PressmarkError, ValueError) as error:
        _say(f"pressmark: {error}", error=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        _say("pressmark: stopped", error=True)
        raise SystemExit(130) from None


@app.command()
def ask(
    question: str,
    home: Home = None,
    as_json: AsJson = False,
    since: Since = "",
    until: Until = "",
    outlet: Outlet = None,
    now: Annotated[str, typer.Option(help='The date that "last week" counts from. Default: today.')] = "",
) -> None:
    """Answer one question with cited passages."""
    from rag.archive import answers_adapter
    from rag.schema import Query
    from ui.wording import plain_text

    with _chain(home) as chain:
        query = Query(question, window=_window(since, until), sources=tuple(outlet or ()), now=_moment(now, "--now"))
        answer = chain.invoke(query)
    _say(answers_adapter().dump_json(answer, indent=2).decode() if as_json else plain_text(answer))


@app.command()
def search(
    question: str,
    home: Home = None,
    as_json: AsJson = False,
    since: Since = "",
    until: Until = "",
    outlet: Outlet = None,
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="Passages to show.")] = 8,
) -> None:
    """List the passages found for a question, without any answer."""
    from rag.schema import RetrievedPassage
    from ui.wording import date_text

    with _chain(home) as chain:
        found = chain.retriever.retrieve(question, k=k, window=_window(since, until), sources=tuple(outlet or ()))
    if as_json:
        _say(_dumped(list[RetrievedPassage], found))
        return
    if not found:
        _say("Nothing found: widen the dates or outlets, or ingest more articles.")
    for item in found:
        passage = item.passage
        _say(
            f"{item.rank}. {passage.title}\n   {passage.source or 'unknown outlet'}, {date_text(passage.published_at)}"
        )
        _say(f"   {' '.join(passage.text.split())[:300]}\n")


@app.command()
def ingest(
    sources: Annotated[list[Path], typer.Argument(help="Files or folders of .txt .md .json .jsonl .html.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Put articles into the archive; unchanged ones are skipped, changed ones replaced."""
    from ingest.report import IngestReport

    settings = _settings(home)
    with _store(settings) as store:
        report = _ingested(sources, store, settings, quiet=as_json)
    _say(_dumped(IngestReport, report) if as_json else report.to_text())


@app.command()
def serve(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address to bind to.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind to.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Serve the shipped sample archive.")] = False,
    ingest_first: Annotated[list[Path] | None, typer.Option("--ingest", help="Ingest this path first.")] = None,
) -> None:
    """Serve chat window and API."""
    from ui.demo import SAMPLE_NOW, SHOWPIECES
    from ui.server import build_server
    from ui.server import serve as run_server

    settings = _settings(home, host=host, port=port, as_of=SAMPLE_NOW if sample else None)
    with _chain_of(settings) as chain:
        paths = [_sample_file()] if sample else []
        paths += ingest_first or []
        if paths:
            report = _ingested(paths, chain.store, settings)
            _say(report.to_text())
        questions = tuple(piece.question for piece in SHOWPIECES if not piece.turns) if sample else ()
        run_server(build_server(chain, settings, questions), settings)


@app.command()
def demo(home: Home = None) -> None:
    """Answer five questions about the sample archive, then measure the answers to all its questions."""
    from ui.demo import SAMPLE_NOW, show

    settings = _settings(home, as_of=SAMPLE_NOW)
    with _chain_of(settings) as chain:
        _ingested([_sample_file()], chain.store, settings, quiet=True)
        ok = show(chain, settings, _say)
    if not ok:
        raise SystemExit(1)


@app.command()
def doctor(home: Home = None, as_json: AsJson = False) -> None:
    """Check model, store, versions, disk and lock; exit code 1 if something is wrong."""
    from ui.doctor import examine

    checks = examine(_settings(home))
    if as_json:
        _say(json.dumps([{"name": c.name, "ok": c.ok, "detail": c.detail} for c in checks], indent=2))
    else:
        for check in checks:
            _say(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.detail}")
    if not all(check.ok for check in checks):
        raise SystemExit(1)


@articles_app.command("list")
def articles_list(
    home: Home = None,
    as_json: AsJson = False,
    search: Annotated[str, typer.Option(help="Part of the headline.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    offset: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """List articles, newest first."""
    from rag.schema import Article
    from ui.wording import date_text

    with _archive(home) as archive:
        found = archive.articles(search=search, limit=limit, offset=offset)
        status = archive.status()
    if as_json:
        _say(_dumped(list[Article], found))
        return
    for article in found:
        marks = " ".join(mark for mark in (_kind_mark(article), "retracted" if article.retracted else "") if mark)
        _say(
            f"{article.id}  {date_text(article.published_at)}  {article.source or 'unknown outlet'}: {article.title} {marks}".rstrip()
        )
    _say(f"{len(found)} of {status.articles} articles, {status.stories} stories, {status.passages} passages.")


@articles_app.command("show")
def articles_show(article_id: str, home: Home = None, as_json: AsJson = False) -> None:
    """Read one article."""
    from rag.schema import Article
    from ui.wording import date_text

    with _archive(home) as archive:
        article = archive.article(article_id)
    if as_json:
        _say(_dumped(Article, article))
        return
    byline = [article.source, ", ".join(article.authors), date_text(article.published_at), article.url]
    _say(f"{article.title}\n{' · '.join(part for part in byline if part)}")
    if article.correction:
        _say(f"Note: {article.correction}")
    _say(f"\n{article.text}")


@articles_app.command("delete")
def articles_delete(article_id: str, home: Home = None) -> None:
    """Take one article out of archive and index."""
    from ingest.indexer import delete_article

    with _store(_settings(home)) as store:
        delete_article(article_id, store)
    _say(f"Deleted {article_id}.")


@eval_app.command("run")
def eval_run(
    dataset: Annotated[Path | None, typer.Argument(help="Questions as JSONL. Default: the sample questions.")] = None,
    home: Home = None,
    as_json: AsJson = False,
    split: Annotated[str | None, typer.Option(help="dev or test; default both.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the run, with every answer, to this JSON file.")] = None,
    worst: Annotated[bool, typer.Option("--worst", help="List the wrong answers too.")] = False,
) -> None:
    """Ask all questions of a dataset and print what came out.

    Without DATASET the sample questions are asked; the sample archive must then be in the home
    (`pressmark --home DIR demo` puts it there).
    """
    from eval import report
    from eval.datasets import load_questions
    from eval.runner import Figure, figures, run
    from eval.sample import QUESTIONS

    path = dataset or QUESTIONS
    questions = load_questions(path, split=split)
    settings = _settings(home)
    with _chain_of(settings) as chain:
        if not chain.store.archive.status().articles:
            raise typer.BadParameter(f"{settings.folder} is empty: ingest articles first, or run `pressmark demo`.")
        done = run(chain, questions, dataset=path, settings=settings, progress=_counter(as_json))
    found = figures(done)
    if out:
        done.save(out)
    _say(_dumped(list[Figure], found) if as_json else report.table(done, found=found))
    if worst and not as_json:
        _say(report.worst(done))


# -- shared by the commands ----------------------------------------------------------------------


def _say(text: str, *, error: bool = False) -> None:
    typer.echo(text, err=error)


def _settings(home: Path | None, **overrides: object) -> Settings:
    from rag.settings import load_settings

    return load_settings(home=home or _home, **overrides)


def _chain(home: Path | None) -> closing[AnswerChain]:
    return _chain_of(_settings(home))


def _chain_of(settings: Settings) -> closing[AnswerChain]:
    from rag.chain import build_chain

    return closing(build_chain(settings))


def _store(settings: Settings) -> closing[Store]:
    from rag.store import Store

    return closing(Store.open(settings))


def _archive(home: Path | None) -> closing[Archive]:
    """Open the archive alone: reading articles needs no model, and may go on beside a server."""
    from rag.archive import Archive
    from rag.store import archive_path

    return closing(Archive.open(archive_path(_settings(home))))


def _sample_file() -> Path:
    from eval.sample import ARTICLES

    return ARTICLES


def _ingested(sources: Sequence[Path], store: Store, settings: Settings, *, quiet: bool = False) -> IngestReport:
    """Ingest with a progress bar on a terminal, plain lines elsewhere, nothing if `quiet`."""
    from ingest.indexer import ingest

    if quiet:
        return ingest(sources, store, passage_tokens=settings.passage_tokens)
    if not sys.stderr.isatty():
        return ingest(
            sources,
            store,
            passage_tokens=settings.passage_tokens,
            progress=lambda done, total, name: _say(f"[{done}/{total}] {name}", error=True),
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


def _counter(quiet: bool) -> Callable[[int, int], None] | None:
    if quiet or not sys.stderr.isatty():
        return None
    return lambda done, total: typer.echo(f"\r{done}/{total} questions", err=True, nl=done == total)


def _window(since: str, until: str) -> TimeWindow | None:
    from rag.schema import TimeWindow

    if not since and not until:
        return None
    return TimeWindow(since=_moment(since, "--since"), until=_moment(until, "--until"))


def _moment(text: str, option: str) -> datetime | None:
    from ingest.clean import to_utc

    moment = to_utc(text)
    if text and moment is None:
        raise typer.BadParameter(f"{text!r} is no date: write it as 2025-06-01.", param_hint=option)
    return moment


def _dumped(kind: Any, value: object) -> str:  # noqa: ANN401  # any type that pydantic knows
    from pydantic import TypeAdapter

    return TypeAdapter(kind).dump_json(value, indent=2).decode()


def _kind_mark(article: Article) -> str:
    return f"({article.kind}{', breaks off' if article.truncated else ''})" if article.kind != "article" else ""


if __name__ == "__main__":
    main()
