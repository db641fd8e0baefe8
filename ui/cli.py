"""The `pressmark` command. Heavy imports stay inside the commands: `--help` must be quick."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from ui import cli_eval_data, cli_eval_runs  # noqa: F401  # they add their commands to eval_app
from ui.cli_articles import articles_app
from ui.cli_eval import eval_app
from ui.cli_ingest import ingest
from ui.cli_keys import keys_app
from ui.cli_tools import (
    COMMON,
    AsJson,
    Home,
    Outlet,
    Since,
    Until,
    chain_of,
    dumped,
    ingested,
    loading,
    moment_of,
    open_chain,
    sample_file,
    say,
    settings_of,
    window_of,
)

app = typer.Typer(
    help="Ask a news archive: each sentence of the answer stands on a passage you can open.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(ingest)
app.add_typer(articles_app, name="articles")
app.add_typer(eval_app, name="eval")
app.add_typer(keys_app, name="keys")


@app.callback()
def before(home: Home = None) -> None:
    """Keep the home given before the command's name, and silence the libraries before they are imported."""
    global _home  # see above
    COMMON.home = home
    for name, value in {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "TOKENIZERS_PARALLELISM": "false",
    }.items():
        os.environ.setdefault(name, value)


def main() -> None:
    """Run the command; an expected failure is one clear line and exit code 1."""
    gc.disable()  # until what a command needs is loaded, see `ui.cli_tools.loading`
    from rag.errors import PressmarkError

    try:
        app()
    except (PressmarkError, ValueError) as error:
        say(f"pressmark: {error}", error=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        say("pressmark: stopped", error=True)
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
    from rag.answers import answers_adapter
    from rag.schema import Query
    from ui.wording import plain_text

    with open_chain(home) as chain:
        query = Query(
            question, window=window_of(since, until), sources=tuple(outlet or ()), now=moment_of(now, "--now")
        )
        answer = chain.invoke(query)
    say(answers_adapter().dump_json(answer, indent=2).decode() if as_json else plain_text(answer))


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

    with open_chain(home) as chain:
        found = chain.retriever.retrieve(question, k=k, window=window_of(since, until), sources=tuple(outlet or ()))
    if as_json:
        say(dumped(list[RetrievedPassage], found))
        return
    if not found:
        say("Nothing found: widen the dates or outlets, or ingest more articles.")
    for item in found:
        passage = item.passage
        say(f"{item.rank}. {passage.title}\n   {passage.source or 'unknown outlet'}, {date_text(passage.published_at)}")
        say(f"   {' '.join(passage.text.split())[:300]}\n")


@app.command()
def serve(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address to bind to.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to bind to.")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Serve the shipped sample archive.")] = False,
    ingest_first: Annotated[list[Path] | None, typer.Option("--ingest", help="Ingest this path first.")] = None,
) -> None:
    """Serve chat window and API."""
    from ui.access import Keys
    from ui.demo import SAMPLE_NOW, SHOWPIECES
    from ui.server import build_server
    from ui.server import serve as run_server

    settings = settings_of(home, host=host, port=port, as_of=SAMPLE_NOW if sample else None)
    Keys.of(settings)  # before anything is loaded: a server nobody may start need not open the archive
    with chain_of(settings) as chain:
        paths = [sample_file()] if sample else []
        paths += ingest_first or []
        if paths:
            report = ingested(paths, chain.store, settings)
            say(report.to_text())
        questions = tuple(piece.question for piece in SHOWPIECES if not piece.turns) if sample else ()
        with loading():
            server = build_server(chain, settings, questions)
        run_server(server, settings)


@app.command()
def mcp(home: Home = None) -> None:
    """Serve the archive to an assistant that speaks MCP, over standard input and output."""
    from ui.desk import Desk
    from ui.mcp import build_mcp

    with open_chain(home) as chain:
        build_mcp(Desk(chain, chain.settings)).run("stdio")


@app.command()
def demo(home: Home = None) -> None:
    """Answer five questions about the sample archive, then measure the answers to all its questions."""
    from ui.demo import SAMPLE_NOW, show

    settings = settings_of(home, as_of=SAMPLE_NOW)
    with chain_of(settings) as chain:
        ingested([sample_file()], chain.store, settings, quiet=True)
        ok = show(chain, settings, say)
    if not ok:
        raise SystemExit(1)


@app.command()
def doctor(
    home: Home = None,
    chat: Annotated[bool, typer.Option("--chat", help="Try the chat model too: it is asked one question.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check model, store, versions, disk and lock; exit code 1 if something is wrong."""
    from ui.doctor import examine, try_chat

    settings = settings_of(home)
    checks = [*examine(settings), *([try_chat(settings)] if chat else [])]
    if as_json:
        say(json.dumps([{"name": c.name, "ok": c.ok, "detail": c.detail} for c in checks], indent=2))
    else:
        for check in checks:
            say(f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.detail}")
    if not all(check.ok for check in checks):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
