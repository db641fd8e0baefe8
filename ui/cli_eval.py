"""`pressmark eval`: measure retrieval, answers, citations and abstaining."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.cli_tools import AsJson, Home, chain_of, counter, dumped, say, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eval.datasets import EvalQuestion
    from rag.archive import Archive

eval_app = typer.Typer(help="Measure retrieval, answers, citations and abstaining.", no_args_is_help=True)


@eval_app.callback()
def about() -> None:
    """Keep `run` a command of its own: typer would drop its name while it is the only one."""


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
    (`pressmark --home DIR demo` puts it there). Gold quotes that this archive does not hold are named
    before the run: they count as not found.
    """
    from eval import report
    from eval.datasets import load_questions
    from eval.runner import Figure, figures, run
    from eval.sample import QUESTIONS

    path = dataset or QUESTIONS
    questions = load_questions(path, split=split)
    settings = settings_of(home)
    with chain_of(settings) as chain:
        if not chain.store.archive.status().articles:
            raise typer.BadParameter(f"{settings.folder} is empty: ingest articles first, or run `pressmark demo`.")
        for misfit in _misfits(questions, chain.store.archive):
            say(f"The questions do not fit this archive: {misfit}", error=True)
        done = run(chain, questions, dataset=path, settings=settings, progress=counter(as_json))
    found = figures(done)
    if out:
        done.save(out)
    say(dumped(list[Figure], found) if as_json else report.table(done, found=found))
    if worst and not as_json:
        say(report.worst(done))


def _misfits(questions: Sequence[EvalQuestion], archive: Archive) -> list[str]:
    from eval.datasets import check_quotes
    from rag.errors import NotFoundError

    texts: dict[str, str] = {}
    for id_ in {evidence.article_id for question in questions for evidence in question.evidence}:
        try:
            texts[id_] = archive.article(id_).text
        except NotFoundError:
            continue  # check_quotes names it
    return check_quotes(questions, texts)
