"""`pressmark eval`: measure retrieval, answers, citations and abstaining."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.cli_tools import JUDGE, AsJson, Home, chain_of, counter, dumped, say, settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eval.datasets import EvalQuestion
    from eval.metrics.grounding import Judge
    from eval.runner import Options
    from rag.archive import Archive
    from rag.chain import AnswerChain
    from rag.settings import Settings

eval_app = typer.Typer(help="Measure retrieval, answers, citations and abstaining.", no_args_is_help=True)


Changes = Annotated[list[str] | None, typer.Option("--set", help="A setting for this run, as k=4; may be repeated.")]
Split = Annotated[str | None, typer.Option(help="dev or test; default both.")]


@eval_app.command("run")
def eval_run(
    dataset: Annotated[Path | None, typer.Argument(help="Questions as JSONL. Default: the sample questions.")] = None,
    home: Home = None,
    as_json: AsJson = False,
    split: Split = None,
    changes: Changes = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Ask so many of the questions, the same each time.")] = None,
    judge: Annotated[
        str, typer.Option(help="Of support: builtin:balanced, builtin, rules, nli:NAME, llm, or none.")
    ] = JUDGE,
    parallel: Annotated[
        int, typer.Option(min=1, max=64, help="Questions asked at once; worth it for a chat model on a server.")
    ] = 1,
    out: Annotated[Path | None, typer.Option(help="Write the run, with every answer, to this JSON file.")] = None,
    worst: Annotated[bool, typer.Option("--worst", help="List the wrong answers too.")] = False,
) -> None:
    """Ask all questions of a dataset and print what came out.

    Without DATASET the sample questions are asked; the sample archive must then be in the home
    (`pressmark --home DIR demo` puts it there). Gold quotes that this archive does not hold are named
    before the run: they count as not found. A run that was stopped goes on where it was. The run is kept
    in the home, for the page's Evals tab and for `pressmark eval compare`.
    """
    from eval import report
    from eval.datasets import drawn, load_questions
    from eval.runner import Figure, figures, run
    from eval.runs import Runs
    from eval.sample import QUESTIONS
    from ui.cli_eval_runs import judge_notes

    path = dataset or QUESTIONS
    questions = load_questions(path, split=split)
    questions = drawn(questions, sample) if sample else questions
    settings = settings_of(home, **changed(changes))
    with chain_of(settings) as chain:
        if not chain.store.archive.status().articles:
            raise typer.BadParameter(f"{settings.folder} is empty: ingest articles first, or run `pressmark demo`.")
        for misfit in _misfits(questions, chain.store.archive):
            say(f"The questions do not fit this archive: {misfit}", error=True)
        partial = partial_of(settings, path, f"{split} {judge} {sample} {_archive_digest(chain.store.archive)}")
        if partial.exists():
            say("Going on with a run of these questions that was stopped.", error=True)
        options = _options(chain, settings, judge, partial, parallel)
        done = run(chain, questions, dataset=path, settings=settings, progress=counter(as_json), options=options)
    found = figures(done)
    name = Runs(settings.folder).keep(done, path.name, found)
    if out:  # after it is kept: a path that cannot be written loses nothing
        done.save(out)
    if as_json:
        say(dumped(list[Figure], found))
        return
    say(report.table(done, found=found))
    for note in judge_notes(settings, done.judge):
        say(note)
    say(f"Kept as {name}: `pressmark eval report {name}`, `pressmark eval compare {name} OTHER`.")
    if worst:
        say(report.worst(done))


def _options(chain: AnswerChain, settings: Settings, judge: str, partial: Path, parallel: int) -> Options:
    from eval.runner import Options
    from rag.schema import Answer

    def routes(answer: Answer) -> dict[str, list[str]]:
        return chain.retriever.by_route(answer.search_query, window=answer.window)

    return Options(judge=judge_of(settings, judge), judge_name=judge, routes=routes, partial=partial, parallel=parallel)


def judge_of(settings: Settings, judge: str) -> Judge | None:
    """Return the verifier's tier of that name as a judge of an eval; None for "none"."""
    from rag.providers import chat_model
    from rag.verifier import verifier_of

    if judge == "none":
        return None
    verifier = verifier_of(
        settings.model_copy(update={"verifier": judge}), chat_model(settings) if judge == "llm" else None
    )
    return lambda claim, texts: verifier.verify(claim, texts).verdict == "supported"


def changed(changes: Sequence[str] | None) -> dict[str, str]:
    """Read NAME=VALUE pairs of settings."""
    from rag.settings import Settings

    found = {}
    for change in changes or []:
        name, sign, value = change.partition("=")
        if not sign or name not in Settings.model_fields:
            raise typer.BadParameter(f"{change!r}: write it as k=4; .env.example lists the names.", param_hint="--set")
        found[name] = value
    return found


def partial_of(settings: Settings, dataset: Path, more: str) -> Path:
    """Return where a run notes what is done: another place for other questions, settings, or `more` that differs."""
    from eval.datasets import file_digest

    shown = settings.model_dump_json(exclude={"home", "host", "port"})
    kind = f"{dataset.absolute()} {file_digest(dataset)} {more} {shown}"
    return settings.folder / "evals" / f"{hashlib.sha256(kind.encode()).hexdigest()[:16]}.partial.jsonl"


def _archive_digest(archive: Archive) -> str:
    """Return what changes with the archive: a run that goes on must not mix two of them."""
    return hashlib.sha256("\n".join(sorted(archive.passage_ids())).encode()).hexdigest()


@eval_app.command("search")
def eval_search(
    dataset: Annotated[Path, typer.Argument(help="Questions with relevant articles, from `eval adapt`, or with gold.")],
    home: Home = None,
    split: Split = None,
    changes: Changes = None,
    k: Annotated[int, typer.Option("--k", min=1, max=100, help="Places to look at.")] = 10,
) -> None:
    """Measure the search alone: by vectors, by words, and both fused. No answer is read, so it is quick."""
    from eval.searching import load_relevance, search_figures, search_table

    questions = load_relevance(dataset, split=split)
    with chain_of(settings_of(home, **changed(changes))) as chain:
        say(search_table(search_figures(questions, chain.retriever.by_route, k=k), len(questions)))


@eval_app.command("sweep")
def eval_sweep(
    dataset: Annotated[Path | None, typer.Argument(help="Questions as JSONL. Default: the sample questions.")] = None,
    grid: Annotated[list[str] | None, typer.Option("--grid", help="Values of a setting, as k=4,8,12; repeat.")] = None,
    home: Home = None,
    split: Split = "dev",
) -> None:
    """Ask the questions with each combination of settings and print one table.

    Another passage size or embedding model is tried in a temporary index. Choose on dev questions, report on test.
    """
    from eval.datasets import load_questions
    from eval.sample import QUESTIONS
    from eval.sweep import sweep, sweep_table

    if not grid:
        raise typer.BadParameter("give at least one, such as --grid k=4,8,12", param_hint="--grid")
    values = {name: listed.split(",") for name, _, listed in (item.partition("=") for item in grid)}
    if len(values) < len(grid):
        raise typer.BadParameter("a setting is named twice: write its values once, as k=4,8", param_hint="--grid")
    questions = load_questions(dataset or QUESTIONS, split=split)
    found = sweep(
        questions,
        values,
        lambda changes: settings_of(home, **changes),
        told=lambda changes: say(" ".join(f"{name}={value}" for name, value in changes.items()), error=True),
    )
    say(sweep_table(list(found)))


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
