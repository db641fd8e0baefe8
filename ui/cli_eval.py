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
    before the run: they count as not found. The run is kept in the home, for the page's Evals tab.
    """
    from eval import report
    from eval.datasets import load_questions
    from eval.runner import Figure, figures, run
    from eval.runs import Runs
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
    Runs(settings.folder).keep(done, path.name, found)
    say(dumped(list[Figure], found) if as_json else report.table(done, found=found))
    if worst and not as_json:
        say(report.worst(done))


@eval_app.command("import-feedback")
def eval_import_feedback(
    out: Annotated[Path | None, typer.Argument(help="JSONL file. Default: evals/questions in the home.")] = None,
    home: Home = None,
) -> None:
    """Make eval questions of readers' thumbs.

    A thumb up on an answer expects it again, one on a refusal a refusal. A thumb down says what is wrong, not what is
    right: such questions go to a second file, ending in .review.jsonl, for a person to complete.
    """
    from eval.feedback import questions_of, write_questions
    from rag.settings import Settings
    from ui.cli_tools import open_archive

    settings: Settings = settings_of(home)
    path = out or settings.folder / "evals" / "questions" / "feedback.jsonl"
    with open_archive(home) as archive:
        found = questions_of(archive)
    review = write_questions(found, path)
    say(f"{len(found.complete)} questions in {path}.")
    if found.to_review:
        say(f"{len(found.to_review)} answers had a thumb down; complete them in {review}.")


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
