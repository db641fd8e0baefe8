"""A run as one HTML file that asks nothing of any host: figures, plots, and every question with its sources.

All that comes from articles, questions and models is escaped here or becomes text nodes in `html_report.js`; a content
security policy lets no other script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from html import escape
from pathlib import Path

from eval.compare import ChangedAnswer, Comparison, Outcome, compare, outcome
from eval.highlights import ALL, changed_settings, groups_of, models_of, rows_of
from eval.html_comparison import differences_html, verdict_html
from eval.html_figures import cards_html, tags_html, trivial_html
from eval.html_plots import Plot, plots_of
from eval.html_records import RecordList, record_list, script_json
from eval.records import Record, Run
from eval.runner import Figure, figures

RECORD_BYTES = 6_500_000  # with plotly's 4.8 MB the file stays below 12 MB
_FOLDER = Path(__file__).parent
_OUTCOMES: Mapping[Outcome, tuple[str, str]] = {
    "failed": ("error", "bad"),
    "wrongly answered": ("should refuse", "bad"),
    "wrong": ("wrong", "bad"),
    "refused": ("refused wrongly", "partly"),
    "ungrounded": ("right, not grounded", "partly"),
    "right": ("right", "good"),
    "rightly refused": ("refused rightly", "good"),
}
_PLOTS = {
    "reliability": "Confidence against right answers",
    "risk": "Risk over coverage",
    "latency": "Time to the answer",
    "stages": "Time by stage",
    "differences": "Paired differences",
}


def html_report(
    run: Run,
    *,
    other: Run | None = None,
    judge_notes: Sequence[str] = (),
    found: Sequence[Figure] | None = None,
) -> str:
    """Return a run as one self-contained HTML page.

    Below 12 MB for 1,000 questions: where the records would be larger, passages are left out from the least grave on,
    and the page says so.

    Args:
        run: The run.
        other: The run to compare with, such as that of the main branch; differences are `run` less `other`.
        judge_notes: What is known of the judge's own worth (`judge_report.validated_note`); shown beside its figures.
        found: `figures(run)` if they are at hand; computing them takes seconds.

    Raises:
        DatasetError: The runs share no question, or an answer has a form that this version cannot read.
    """
    known = figures(run) if found is None else list(found)
    groups = groups_of(run)
    compared = {group: _compared(other, run, group) for group in groups} if other else {}
    rows = {group: rows_of(known, run, group) for group in groups}
    records = record_list(run, _changed(other, run), limit=RECORD_BYTES)
    changes = {group: {c.name: c for c in found.changes} if found else {} for group, found in compared.items()}
    parts = (
        _masthead(run, other),
        _facts(run),
        _switch(groups),
        _by_group({group: verdict_html(found) for group, found in compared.items()}),
        _by_group({g: cards_html(rows[g], run, changes.get(g, {}), judge_notes) for g in groups}),
        _anchored("trivial", _by_group({group: trivial_html(rows[group], run) for group in groups})),
        _plots_html(with_differences=other is not None),
        _anchored("differences", _by_group({g: differences_html(found) for g, found in compared.items()})),
        tags_html(run, known),
        _questions_html(run, records, compared=other is not None),
        _footer(run),
    )
    plots = {group: plots_of(_of_group(run, group), known, group, compared.get(group)) for group in groups}
    return _page(run, "".join(parts), groups[0], records, plots)


def _changed(other: Run | None, run: Run) -> dict[str, ChangedAnswer]:
    return {answer.id: answer for answer in compare(other, run).answers} if other else {}


def _compared(other: Run, run: Run, group: str) -> Comparison | None:
    """Compare one group of questions; None if the runs share none of it."""
    one, two = (replace(whole, records=tuple(_of_group(whole, group))) for whole in (other, run))
    if group != ALL and not {record.id for record in one.records} & {record.id for record in two.records}:
        return None
    return compare(one, two)


def _of_group(run: Run, group: str) -> list[Record]:
    return [record for record in run.records if group in {ALL, record.split}]


# -- the page ------------------------------------------------------------------------------------


def _by_group(parts: Mapping[str, str]) -> str:
    """Wrap what is shown for one group of questions at a time; the first is the one shown."""
    return "".join(
        f'<div data-group="{escape(group)}"{" hidden" if place else ""}>{part}</div>'
        for place, (group, part) in enumerate(parts.items())
    )


def _anchored(name: str, part: str) -> str:
    return f'<div id="{name}">{part}</div>' if part else ""


def _page(run: Run, body: str, group: str, records: RecordList, plots: Mapping[str, Mapping[str, Plot]]) -> str:
    from plotly.offline import get_plotlyjs

    # A page's line ends are read as \n: the hashes must be of what the browser sees.
    plotly, script = (_plain_lines(text) for text in (get_plotlyjs(), (_FOLDER / "html_report.js").read_text("utf-8")))
    style = (_FOLDER / "html_report.css").read_text("utf-8")
    policy = (
        f"default-src 'none'; script-src {_hash(plotly)} {_hash(script)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    words = script_json(
        {
            "labels": {name: label for name, (label, _) in _OUTCOMES.items()},
            "tones": {name: tone for name, (_, tone) in _OUTCOMES.items()},
        }
    )
    data = f'{words[:-1]},"records":{records.json}}}'
    drawn = script_json({group: {name: asdict(plot) for name, plot in named.items()} for group, named in plots.items()})
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>Pressmark eval, {run.created_at:%Y-%m-%d %H:%M}</title>\n<style>\n{style}</style>\n</head>\n"
        f'<body data-group="{escape(group)}">\n{body}\n'
        f'<script type="application/json" id="records-data">{data}</script>\n'
        f'<script type="application/json" id="plots-data">{drawn}</script>\n'
        f"<script>{plotly}</script>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _plain_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


# -- what was measured ---------------------------------------------------------------------------


def _masthead(run: Run, other: Run | None) -> str:
    beside = f", against that of {other.created_at:%Y-%m-%d %H:%M}" if other else ""
    links = [("trivial", "Trivial systems"), ("plots", "Plots"), ("tags", "Tags"), ("questions", "Every question")]
    if other:
        links.insert(2, ("differences", "Differences"))
    nav = "".join(f'<a href="#{place}">{words}</a>' for place, words in links)
    return (
        f'<header class="masthead"><h1>Pressmark eval</h1><p>run of {run.created_at:%Y-%m-%d %H:%M} UTC{beside}</p>'
        f'<nav aria-label="Parts of this page">{nav}</nav></header>'
    )


def _facts(run: Run) -> str:
    count, answerable = len(run.records), sum(record.answerable for record in run.records)
    splits = ", ".join(f"{n} {name}" for name, n in sorted(Counter(record.split for record in run.records).items()))
    facts = {
        "Questions": f"{count} ({splits}), {answerable} with an answer in the archive and {count - answerable} without",
        "Dataset": f"SHA-256 {run.data_digest[:12]}" if run.data_digest else "not from a file",
        "Model": ", ".join(models_of(run)) or "no answer was given",
        "Judge": run.judge or "none was asked",
        "Settings not at default": _settings(run),
        "Scored": f"the first {run.k} passages",
        "Versions": ", ".join(f"{name} {number}" for name, number in run.versions.items()) or "not recorded",
    }
    if run.peak_mb:
        facts["Memory"] = f"{run.peak_mb:.0f} MiB at most, with the models"
    items = "".join(f'<div><dt>{name}</dt> <dd dir="auto">{escape(value)}</dd></div>' for name, value in facts.items())
    return f'<dl class="facts">{items}</dl>'


def _settings(run: Run) -> str:
    if not run.settings:
        return "not recorded"
    changed = changed_settings(run)
    told = (f"{c.name} {c.value} ({'unknown here' if c.default is None else f'default {c.default}'})" for c in changed)
    return ", ".join(told) or "none"


def _switch(groups: Sequence[str]) -> str:
    if len(groups) == 1:
        return ""
    buttons = "".join(
        f'<button type="button" data-show="{escape(group)}" aria-pressed="{str(group == groups[0]).lower()}">'
        f"{escape(group)}</button>"
        for group in groups
    )
    tuned = (
        "Systems are tuned on dev: the figures to quote are those of test." if {"dev", "test"} <= set(groups) else ""
    )
    return (
        f'<div class="switch" role="group" aria-label="Questions that figures and plots are of">'
        f'<span class="label">Questions</span>{buttons}<p class="lead">{tuned}</p></div>'
    )


# -- plots and questions -------------------------------------------------------------------------


def _plots_html(*, with_differences: bool) -> str:
    shown = [name for name in _PLOTS if with_differences or name != "differences"]
    figures_ = "".join(
        f'<figure><h3>{_PLOTS[name]}</h3><div class="plot" data-plot="{name}" role="img" aria-label="{_PLOTS[name]}">'
        "</div><figcaption></figcaption></figure>"
        for name in shown
    )
    return f'<section id="plots"><h2>How sure, how fast</h2><div class="plots">{figures_}</div></section>'


def _questions_html(run: Run, records: RecordList, *, compared: bool) -> str:
    counts = Counter(outcome(record) for record in run.records)
    buttons = "".join(
        f'<button type="button" data-outcome="{name}" aria-pressed="false">{label} {counts[name]}</button>'
        for name, (label, _) in _OUTCOMES.items()
        if counts[name]
    )
    moves = {"better": "better", "worse": "worse", "other": "changed, neither", "same": "the same outcome"}
    splits = sorted({record.split for record in run.records})
    tags = sorted({tag for record in run.records for tag in record.tags})
    selects = _select("split", "Split", dict(zip(splits, splits, strict=True)))
    selects += _select("tag", "Tag", dict(zip(tags, tags, strict=True)))
    selects += _select("moved", "Against the other run", moves) if compared else ""
    return (
        f'<section id="questions"><h2>Every question</h2>{_left_out(records)}<div class="filters">'
        f'<div class="outcomes" role="group" aria-label="Outcome">{buttons}</div>{selects}'
        '<label>Words <input type="search" id="words" placeholder="question, answer, outlet, id"></label>'
        '<button type="button" id="reset">Show all</button></div>'
        '<p class="shown" id="shown" role="status"></p><ol id="records"></ol>'
        '<noscript><p class="lead">The list and the plots need JavaScript, which this file holds itself.</p></noscript>'
        "</section>"
    )


def _select(name: str, label: str, options: Mapping[str, str]) -> str:
    shown = "".join(
        f'<option value="{escape(value)}">{escape(words or value)}</option>' for value, words in options.items()
    )
    return f'<label>{label} <select id="{name}"><option value="">all</option>{shown}</select></label>'


def _left_out(records: RecordList) -> str:
    told = [
        "The gravest come first: failed calls, answers to what the archive does not say, wrong answers whose evidence "
        "was found, then those without. Passages that were found and not cited are given for what went wrong only."
    ]
    if records.counts["answer"]:
        told.append(f"To keep this file small, {records.counts['answer']} answers are shown without passages.")
    if records.counts["line"]:
        told.append(
            f"Of {records.counts['line']} answers only the beginning is shown. The run's JSON file has them whole."
        )
    return f'<p class="lead">{" ".join(told)}</p>'


def _footer(run: Run) -> str:
    digest = f" Dataset: SHA-256 {escape(run.data_digest)}." if run.data_digest else ""
    return (
        "<footer><p>Intervals are 95 % bootstrap percentile intervals; questions on the same articles are drawn "
        "together. n: the questions that a figure applies to, of those in the group; a failed call counts as wrong. "
        f"(−): lower is better. – stands for a figure that applies to no question, which is not 0.{digest}</p>"
        "<p>This file holds all that it shows and sends nothing anywhere; links to articles open their outlets' pages. "
        f"Made by Pressmark {escape(run.versions.get('pressmark', ''))}.</p></footer>"
    )
