"""`pressmark eval` over finished runs: compare two, gate one, report one; and judges measured on human labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.cli_eval import eval_app
from ui.cli_tools import JUDGE, AsJson, Home, counter, dumped, say, settings_of

if TYPE_CHECKING:
    from eval.records import Run
    from rag.settings import Settings

RunName = Annotated[
    str, typer.Argument(help="A run's file, or its name in the home (`pressmark eval runs` lists them).")
]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")]


@eval_app.command("runs")
def eval_runs(home: Home = None, as_json: AsJson = False) -> None:
    """List the runs kept in the home, newest first."""
    from eval.runs import RunCard, Runs

    cards = Runs(settings_of(home).folder).latest()
    if as_json:
        say(dumped(list[RunCard], cards))
        return
    for card in cards:
        correct = next((f.value for f in card.figures if (f.name, f.group) == ("correct", "all")), None)
        shown = f"correct {correct:.3f}" if correct is not None else ""
        say(f"{card.name}  {card.dataset}  {card.questions} questions  {card.model}  {shown}")
    if not cards:
        say("No run is kept here: `pressmark eval run` makes one.")


@eval_app.command("compare")
def eval_compare(a: RunName, b: RunName, home: Home = None, as_markdown: AsMarkdown = False) -> None:
    """Compare two runs over the same questions: what moved, how surely, and which answers changed."""
    from eval.compare import compare
    from eval.comparison_text import comparison_markdown, comparison_text

    found = compare(run_of(a, home), run_of(b, home))
    say(comparison_markdown(found) if as_markdown else comparison_text(found))


@eval_app.command("gate")
def eval_gate(
    run: RunName,
    baseline: Annotated[Path, typer.Option("--baseline", help="What `pressmark eval baseline` wrote.")],
    home: Home = None,
) -> None:
    """Check a run against a baseline; exit code 1 if it falls short."""
    from eval.bounds import load_baseline
    from eval.gate import gate, gate_text

    result = gate(run_of(run, home), load_baseline(baseline))
    say(gate_text(result))
    if not result.passed:
        raise SystemExit(1)


@eval_app.command("baseline")
def eval_baseline(
    run: RunName,
    out: Annotated[Path, typer.Argument(help="JSON file to write.")],
    home: Home = None,
    tolerance: Annotated[
        float, typer.Option(min=0, max=0.99, help="How far below its value a figure may fall.")
    ] = 0.02,
    lower: Annotated[
        bool, typer.Option("--lower", help="Replace a baseline by a worse one over the same data.")
    ] = False,
) -> None:
    """Make a baseline of a run, for `pressmark eval gate`."""
    from eval.bounds import write_baseline

    write_baseline(run_of(run, home), out, tolerance=tolerance, lower=lower)
    say(f"Written to {out}.")


@eval_app.command("report")
def eval_report(
    run: RunName,
    out: Annotated[Path | None, typer.Argument(help="HTML file to write. Default: beside the run.")] = None,
    home: Home = None,
    other: Annotated[str, typer.Option("--against", help="An earlier run to compare with.")] = "",
    as_markdown: AsMarkdown = False,
) -> None:
    """Write a run as one HTML file that opens offline: figures, plots, every answer with its evidence."""
    from eval.html_report import html_report
    from eval.markdown_report import markdown_report

    found, before = run_of(run, home), run_of(other, home) if other else None
    notes = judge_notes(settings_of(home), found.judge)
    if as_markdown:
        say(markdown_report(found, other=before, judge_notes=notes))
        return
    beside = (
        Path(run).with_suffix(".html") if Path(run).exists() else settings_of(home).folder / "evals" / f"{run}.html"
    )
    path = out or beside
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(html_report(found, other=before, judge_notes=notes), encoding="utf-8")
    say(f"Written to {path}.")


@eval_app.command("judge")
def eval_judge(
    data: Annotated[Path, typer.Argument(help="Human labels: claim, document, label, group; JSONL, CSV or RAGTruth.")],
    home: Home = None,
    judge: Annotated[str, typer.Option(help="builtin:balanced, builtin, rules, nli:NAME or llm.")] = JUDGE,
    form: Annotated[str | None, typer.Option(help="claims or ragtruth; guessed if left out.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Measure all cases, not half of the documents.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure a judge of support on human labels, beside trivial judges.

    The reports of later runs that use this judge name what was found here.
    """
    from eval.adapters import judge_cases
    from eval.datasets import file_digest
    from eval.judge_report import JudgeReport, keep_report, report_text
    from eval.judging import dataset_name, validate
    from rag.embeddings import SentenceEmbeddings
    from rag.providers import chat_model
    from rag.verifier import verifier_of

    settings = settings_of(home, verifier=judge)
    cases = judge_cases(data, form)
    chat = chat_model(settings) if judge == "llm" else None
    name = f"llm {settings.chat_model}" if judge == "llm" else judge
    report = validate(
        verifier_of(settings, chat),
        cases,
        name=name,
        dataset=dataset_name(data),
        embed=SentenceEmbeddings.packaged(settings).embed,
        dev=[] if whole else None,
        digest=file_digest(data) if data.is_file() else "",
        progress=counter(as_json),
    )
    keep_report(settings.folder, report)
    say(dumped(JudgeReport, report) if as_json else report_text(report))


def run_of(name: str, home: Path | None) -> Run:
    """Return a run by its file or by its name in the home."""
    from eval.records import Run
    from eval.runs import Runs

    path = Path(name)
    return Run.load(path) if path.suffix == ".json" or path.exists() else Runs(settings_of(home).folder).get(name)


def judge_notes(settings: Settings, judge: str) -> list[str]:
    """Return what is known of how far a judge can be trusted, a line for each dataset it was measured on."""
    from eval.judge_report import known_reports, validated_note

    if not judge:
        return []
    notes = [validated_note(report) for report in known_reports(settings.folder) if report.judge == judge]
    return notes or [f"judge {judge}: not measured on human labels in this home (`pressmark eval judge LABELS` does)."]
