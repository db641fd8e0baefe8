"""A comparison of two runs as text for the terminal, and as Markdown for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from eval.compare import LATENCY, Change, ChangedAnswer, Comparison, is_amount

_ROWS = 6  # of the table for a pull request, unless more metrics moved for sure


def comparison_text(comparison: Comparison, *, limit: int = 20) -> str:
    """Return a comparison for the terminal: notes, metrics that moved, then up to `limit` changed answers."""
    moved = [change for change in comparison.changes if change.moved]
    still = [change.name for change in comparison.changes if not change.moved]
    lines = [f"Questions in both runs: {comparison.pairs}. {_verdict(comparison)}", *comparison.notes]
    if moved:
        rows = [["", "before", "after", "change", "95 %", "p", "p (Holm)", "better", "equal", "worse", "in one"]]
        rows += [_row(change) for change in moved]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines += [""]
        lines += ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
        lines += ["", "(-) lower is better; in one: the metric applies to the answer of one run only, not compared."]
    if still:
        lines += [f"The same in every question: {', '.join(still)}."]
    if comparison.answers:
        lines += ["", _tally(comparison.answers), *_answer_lines(comparison.answers, limit)]
    return "\n".join(lines) + "\n"


def comparison_markdown(comparison: Comparison, *, limit: int = 20) -> str:
    """Return a comparison for a pull request: what moved, then up to `limit` changed answers, folded.

    Answers are quoted in a block of code whose fence they cannot close: articles' text may hold mark-up.
    """
    moved = [change for change in comparison.changes if change.moved and change.name != LATENCY]
    shown = moved[: max(_ROWS, sum(change.sure for change in moved))]
    lines = [f"**{_verdict(comparison)}** Questions in both runs: {comparison.pairs}.", ""]
    if shown:
        lines += [
            "| metric | before | after | change | 95 % | p (Holm) | better / worse |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        for change in shown:
            name, before, after, difference, interval, _, p, better, _, worse, _ = _row(change)
            strong = "**" if change.sure else ""
            cells = [f"{strong}{name}{strong}", before, after, difference, interval, p, f"{better} / {worse}"]
            lines.append(f"| {' | '.join(cells)} |")
        lines += ["", f"{len(moved) - len(shown)} more metrics moved less surely.", ""] if moved[len(shown) :] else [""]
    lines += [f"- {_code(note)}" for note in comparison.notes] + [""] * bool(comparison.notes)
    if comparison.answers:
        body = "\n".join(_answer_lines(comparison.answers, limit)).strip("\n")
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
        lines += [f"<details><summary>{_tally(comparison.answers)}</summary>", "", f"{fence}text", body, fence, ""]
        lines += ["</details>", ""]
    return "\n".join(lines)


def _verdict(comparison: Comparison) -> str:
    sure = [change.name for change in comparison.changes if change.sure and change.name != LATENCY]
    if sure:
        return f"Moved beyond chance: {', '.join(sure)}."
    if any(change.moved and change.name != LATENCY for change in comparison.changes):
        return "What moved may be chance."
    return "No answer is better or worse."


def _tally(answers: Sequence[ChangedAnswer]) -> str:
    worse, better = sum(answer.gain < 0 for answer in answers), sum(answer.gain > 0 for answer in answers)
    neither = f", {len(answers) - worse - better} neither" if worse + better < len(answers) else ""
    return f"Outcomes that changed: {len(answers)}; {worse} worse, {better} better{neither}"


def _answer_lines(answers: Sequence[ChangedAnswer], limit: int) -> Iterator[str]:
    for answer in answers[:limit]:
        expected = "; ".join(" | ".join(group) for group in answer.expected) or "(the archive does not say)"
        yield ""
        yield f"{answer.id} [{', '.join([answer.split, *answer.tags])}] {answer.before} -> {answer.after}"
        yield f"  question: {' '.join(answer.question.split())}"
        yield f"  expected: {expected}"
        yield f"  before:   {answer.shown_before}"
        yield f"  after:    {answer.shown_after}"
    if len(answers) > limit:
        yield ""
        yield f"and {len(answers) - limit} more"


def _row(change: Change) -> list[str]:
    form = ".0f" if is_amount(change.name) else ".3f"
    interval = "" if change.low is None or change.high is None else f"{change.low:+{form}} to {change.high:+{form}}"
    name = f"{change.name} (-)" if change.lower_is_better else change.name
    figures = [f"{change.before:{form}}", f"{change.after:{form}}", f"{change.difference:+{form}}", interval]
    counts = [str(count) for count in (change.better, change.equal, change.worse, change.in_one)]
    return [name, *figures, f"{change.p:.4f}", f"{change.p_holm:.4f}", *counts]


def _code(text: str) -> str:
    """Return text as a span of code, so that nothing in it is mark-up."""
    return "`" + " ".join(text.replace("`", "'").split()) + "`"
