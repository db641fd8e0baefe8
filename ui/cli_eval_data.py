"""`pressmark eval`: questions from public datasets, from one's own archive, from readers' thumbs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.cli_eval import eval_app
from ui.cli_tools import Home, open_archive, say, settings_of

if TYPE_CHECKING:
    pass


@eval_app.command("adapt")
def eval_adapt(
    form: Annotated[str, typer.Argument(help="squad, multihop-rag, beir, realtimeqa, rgb or alce.")],
    path: Annotated[Path, typer.Argument(help="The dataset's file or folder.")],
    questions: Annotated[Path, typer.Argument(help="JSONL of questions to write.")],
    articles: Annotated[Path, typer.Argument(help="JSONL of articles to write, for `pressmark ingest`.")],
    split: Annotated[str, typer.Option(help="dev or test, for questions that name none.")] = "dev",
) -> None:
    """Bring a public dataset into our form: questions, and the articles that they are about."""
    from eval.adapters import adapt, write_adapted

    found = adapt(form, path, split=split)
    write_adapted(found, questions, articles)
    for remark in found.remarks:
        say(remark, error=True)
    count = len(found.questions) or len(found.retrieval)
    say(f"{count} questions in {questions}, {len(found.articles)} articles in {articles}.")


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

    path = out or settings_of(home).folder / "evals" / "questions" / "feedback.jsonl"
    with open_archive(home) as archive:
        found = questions_of(archive)
    review = write_questions(found, path)
    say(f"{len(found.complete)} questions in {path}.")
    if found.to_review:
        say(f"{len(found.to_review)} answers had a thumb down; complete them in {review}.")
