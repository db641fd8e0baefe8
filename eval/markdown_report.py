"""A run as Markdown for a pull request: a short table, and the worst questions.

Whatever comes from articles, questions and models stands in code, so that it is neither mark-up nor a mention.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from eval.compare import compare, lower_is_better
from eval.comparison_text import comparison_markdown
from eval.highlights import (
    OURS,
    Row,
    changed_settings,
    groups_of,
    headline_rows,
    interval_text,
    judge_of,
    models_of,
    number_text,
    rows_of,
)
from eval.records import Run
from eval.report import worst
from eval.runner import Figure, figures

WORST = 5


def markdown_report(
    run: Run,
    *,
    other: Run | None = None,
    judge_notes: Sequence[str] = (),
    found: Sequence[Figure] | None = None,
) -> str:
    """Return a run as Markdown: what moved against another run, the main figures, the worst five questions.

    Args:
        run: The run.
        other: The run to compare with, such as that of the main branch.
        judge_notes: What is known of the judge's own worth; shown below the table.
        found: `figures(run)` if they are at hand; computing them takes seconds.

    Raises:
        DatasetError: The runs share no question.
    """
    known = figures(run) if found is None else found
    group = groups_of(run)[0]
    rows = headline_rows(rows_of(known, run, group))
    parts = [_head(run)]
    if other:
        parts.append(comparison_markdown(compare(other, run), limit=WORST).strip("\n"))
    parts.append(_table(rows, run, group))
    notes = [f"- {_code(note)}" for note in judge_notes if any(judge_of(row.name, run) for row in rows)]
    parts += ["\n".join(notes)] if notes else []
    parts.append(_worst(run))
    return "\n\n".join(parts) + "\n"


def _head(run: Run) -> str:
    facts = [f"{len(run.records)} questions", f"model {_code(', '.join(models_of(run)) or 'none')}"]
    facts += [f"judge {_code(run.judge)}"] if run.judge else []
    facts += [f"data {_code(run.data_digest[:12])}"] if run.data_digest else []
    facts += [_code(f"{setting.name}={setting.value}") for setting in changed_settings(run)]
    return f"### Pressmark eval of {run.created_at:%Y-%m-%d %H:%M} UTC\n\n{', '.join(facts)}"


def _table(rows: Sequence[Row], run: Run, group: str) -> str:
    lines = [f"| {group} | {OURS} | 95 % | n | not below a trivial system |", "|---|--:|--:|--:|---|"]
    for row in rows:
        ours, judge = row.ours, judge_of(row.name, run)
        name = f"`{row.name}`{' (−)' if lower_is_better(row.name) else ''}{f', judge {_code(judge)}' if judge else ''}"
        alike = [system for system, mark in zip(run.baselines, row.marks, strict=True) if mark == "not worse"]
        cells = (name, number_text(row.name, ours.value), interval_text(ours), f"{ours.n} of {ours.of}")
        lines.append(f"| {' | '.join([*cells, ', '.join(map(_code, alike))])} |")
    told = "(−): lower is better. The last column names trivial systems that do as well: the figure alone says little."
    return "\n".join([*lines, "", told])


def _worst(run: Run) -> str:
    first, _, rest = worst(run, limit=WORST).partition("\n")
    body = rest.strip("\n")
    if not body:
        return first
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
    return f"<details><summary>{first}</summary>\n\n{fence}text\n{body}\n{fence}\n\n</details>"


def _code(text: str) -> str:
    """Return text as a span of code that no cell of a table is broken by."""
    return "`" + " ".join(text.replace("`", "'").replace("|", "¦").split()) + "`"
