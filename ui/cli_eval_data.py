"""`pressmark eval`: questions from public datasets, from one's own archive, from readers' thumbs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.cli_eval import eval_app
from ui.cli_tools import Home, open_archive, say, settings_of


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


@eval_app.command("draft")
def eval_draft(
    out: Annotated[Path, typer.Argument(help="JSONL of questions to write.")],
    home: Home = None,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Questions wanted; there may be fewer.")] = 50,
    seed: Annotated[int, typer.Option(help="Another one drafts other questions.")] = 0,
) -> None:
    """Draft questions from the archive's own articles, with the chat model if one is set, else by rules.

    They are a start, not a measure: read them with `pressmark eval review`.
    """
    from collections import Counter

    from eval.drafting.draft import draft
    from eval.review import save_lines
    from rag.providers import chat_model

    if out.exists():
        raise typer.BadParameter(f"{out} is there already, perhaps reviewed: name another file, or move it away.")

    dropped: Counter[str] = Counter()
    with open_archive(home) as archive:
        found = draft(archive, count=count, seed=seed, model=chat_model(settings_of(home)), dropped=dropped)
    save_lines(out, [question.line for question in found])
    for reason, times in dropped.most_common():
        say(f"{times} dropped: {reason}", error=True)
    if len(found) < count:
        say(
            f"Fewer than {count}: the rules ask only where a pattern surely fits. A chat model (PRESSMARK_CHAT_MODEL) "
            "finds more.",
            error=True,
        )
    say(f"{len(found)} questions in {out}; read them with `pressmark eval review {out}`.")


@eval_app.command("review")
def eval_review(
    path: Annotated[Path, typer.Argument(help="JSONL of drafted questions, or of thumbs down.")], home: Home = None
) -> None:
    """Go through questions one by one: keep, edit, drop. Every decision is saved at once."""
    from eval.review import read_lines, review, save_lines

    with open_archive(home) as archive:
        left = review(
            read_lines(path),
            lambda prompt: str(typer.prompt(prompt, default="", show_default=False)),
            say,
            article=archive.article,
            save=lambda lines: save_lines(path, lines),
        )
    say(f"{len(left)} questions in {path}.")
