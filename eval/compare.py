"""Two runs against each other, question by question: what moved, by how much, and whether that can be chance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from eval.metrics.statistics import mean
from eval.records import Record, Run
from rag.errors import DatasetError

LEVEL = 0.05
LATENCY = "latency_ms"
_LOWER_IS_BETTER = {"over_refusal", "invalid_citations", "miscited", "errors", "answer_words", "risk_coverage_area"}
_EXACT_UP_TO = 14  # differing clusters: 16,384 patterns of signs
_DRAWN, _DRAWN_AT_ONCE = 10_000, 500
_SEED = 20250901
_ZERO = 1e-9
_QUOTED_CHARS = 300
_NAMED = 5
_ROWS = 6  # of the table for a pull request, unless more metrics moved for sure

Outcome = Literal["right", "ungrounded", "refused", "wrong", "failed", "rightly refused", "wrongly answered"]
# An honest refusal is worth more than a wrong answer, a right answer without its source less than one with it.
_WORTH: Mapping[Outcome, int] = {
    "right": 3,
    "rightly refused": 3,
    "ungrounded": 2,
    "refused": 1,
    "wrong": 0,
    "wrongly answered": 0,
    "failed": 0,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One metric in both runs, over the questions that it applies to in both.

    Pitfall: a metric of answers alone (`citation_precision`) leaves out what one run refused, so refusing hard
    questions looks like an improvement. `in_one` counts these; read it beside `right_outcome`.

    Attributes:
        before: Mean in the first run; latency in ms, `answer_words` in words, the rest in [0, 1].
        after: Mean in the second.
        low: Lower end of the 95 % bootstrap interval of the difference; None with fewer than two clusters.
        high: Upper end.
        p: Two-sided p-value, see `sign_flip_p`.
        p_holm: The same, corrected for the number of metrics, see `holm`.
        better: Questions that the second run does better; where `lower_is_better`, lower counts as better.
        equal: Questions that both do equally well.
        worse: Questions that the second does worse.
        in_one: Questions that the metric applies to in one run only.
    """

    name: str
    before: float
    after: float
    low: float | None
    high: float | None
    p: float
    p_holm: float
    better: int
    equal: int
    worse: int
    in_one: int
    lower_is_better: bool

    @property
    def difference(self) -> float:
        """The second mean minus the first."""
        return self.after - self.before

    @property
    def size(self) -> float:
        """The difference's amount; where means exceed 1 (ms, words), as a share of the larger."""
        return abs(self.difference) / max(1.0, self.before, self.after)

    @property
    def moved(self) -> bool:
        """Whether it differs in any question."""
        return self.better + self.worse > 0

    @property
    def sure(self) -> bool:
        """Whether `p_holm` is at most 0.05."""
        return self.p_holm <= LEVEL


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """A question whose outcome differs.

    Attributes:
        expected: Groups of aliases of the right answer; none if the archive does not say.
        shown_before: What the first run showed, on one line and shortened; of a failed call its error.
        shown_after: What the second showed.
    """

    id: str
    question: str
    split: str
    tags: tuple[str, ...]
    expected: tuple[tuple[str, ...], ...]
    before: Outcome
    after: Outcome
    shown_before: str
    shown_after: str

    @property
    def gain(self) -> int:
        """Above 0 if the second outcome is better, below if it is worse."""
        return _WORTH[self.after] - _WORTH[self.before]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Where two runs differ.

    Attributes:
        pairs: Number of questions in both runs.
        changes: Every metric of both: the surest change first, then the largest. Latency is last: it depends on what
            else the machine did.
        answers: The questions whose outcome differs, those that got worst first.
        notes: What to know before reading: other data, settings, versions or questions.
    """

    pairs: int
    changes: tuple[Change, ...]
    answers: tuple[ChangedAnswer, ...]
    notes: tuple[str, ...]


def compare(a: Run, b: Run) -> Comparison:
    """Compare two runs over the questions that both were asked, paired by id.

    Of forty metrics two would pass a test at 5 % by chance. So the p-values are corrected by Holm's method over all
    metrics that differ in any question: systems that are equally good have no `sure` change in 95 of 100 comparisons.
    Questions on the same articles (`Record.cluster`) are right or wrong together: they are drawn together for the
    intervals, and change sign together in the test.

    Args:
        a: The first run, such as of the main branch.
        b: The second, such as of a change to it.

    Raises:
        DatasetError: The runs share no question, or one of them holds an id twice.
    """
    first, second = records_by_id(a), records_by_id(b)
    shared = [id_ for id_ in first if id_ in second]
    pairs = [(first[id_], second[id_]) for id_ in shared if _asked(first[id_]) == _asked(second[id_])]
    if not pairs:
        raise DatasetError("The runs share no question: compare runs over one dataset and split.")
    answers = [_changed(one, other) for one, other in pairs if outcome(one) != outcome(other)]
    return Comparison(
        pairs=len(pairs),
        changes=_changes(pairs),
        answers=tuple(sorted(answers, key=lambda answer: (answer.gain, answer.id))),
        notes=tuple(_notes(a, b, first, second)),
    )


def lower_is_better(name: str) -> bool:
    """Tell by its name whether a metric is a cost or a rate of faults."""
    return name in _LOWER_IS_BETTER or name.endswith("_ms")


def values_of(record: Record) -> dict[str, float | None]:
    """Return every figure of one question by name, with `errors` (1.0 for a failed call) and `latency_ms`."""
    return {**record.values, "errors": float(record.status == "error"), LATENCY: record.latency_ms}


def records_by_id(run: Run) -> dict[str, Record]:
    """Return the records by id, in the order asked.

    Raises:
        DatasetError: Two have the same id.
    """
    found = {record.id: record for record in run.records}
    if len(found) < len(run.records):
        raise DatasetError("A run holds an id twice, so its questions cannot be paired: give each question its own.")
    return found


def outcome(record: Record) -> Outcome:
    """Return what became of a question; "ungrounded" is right without a citation of the evidence."""
    if record.status == "error":
        return "failed"
    if not record.answerable:
        return "rightly refused" if record.abstained else "wrongly answered"
    if record.abstained:
        return "refused"
    if not record.correct:
        return "wrong"
    return "right" if record.grounded_correct else "ungrounded"


# -- statistics ----------------------------------------------------------------------------------


def sign_flip_p(differences: Sequence[float], clusters: Sequence[str], *, two_sided: bool = True) -> float:
    """Return how often chance alone moves the sum of paired differences as far, in (0, 1].

    Fisher's randomisation test (for retrieval: Smucker, Allan & Carterette, CIKM 2007): if two systems are equally
    good, each difference might as well have the other sign. Exact over all patterns of signs where at most 14 clusters
    differ; else over 10,000 drawn ones, seeded, and the observed one (Phipson & Smyth 2010). Pitfall: with fewer than
    6 differing clusters no two-sided p-value is below 0.05.

    Args:
        differences: One for each pair.
        clusters: The cluster of each pair; those of one change sign together.
        two_sided: False asks how often the sum is as low or lower.
    """
    sums: dict[str, float] = {}
    for difference, cluster in zip(differences, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + difference
    moved = np.asarray([value for value in sums.values() if abs(value) > _ZERO])  # 0 has no sign
    seen = moved.sum()
    chance = np.concatenate([signs @ moved for signs in _signs(len(moved))])
    far = np.abs(chance) >= abs(seen) - _ZERO if two_sided else chance <= seen + _ZERO
    observed = int(len(moved) > _EXACT_UP_TO)  # among all patterns it is one of them already
    return (int(far.sum()) + observed) / (len(far) + observed)


def _signs(n: int) -> Iterator[np.ndarray]:
    """Yield patterns of 1 and -1, shape (patterns, n): each once, or drawn ones in parts that fit into memory."""
    if n <= _EXACT_UP_TO:
        yield 1.0 - 2.0 * ((np.arange(2**n)[:, np.newaxis] >> np.arange(n)) & 1)
        return
    drawn = np.random.default_rng(_SEED)
    for _ in range(_DRAWN // _DRAWN_AT_ONCE):
        yield 1.0 - 2.0 * drawn.integers(0, 2, size=(_DRAWN_AT_ONCE, n))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the order given (Holm, Scand. J. Statist. 1979).

    However the tests hang together, chance alone brings any of them to x or below at most that often. What cannot be
    significant whatever the signs may be left out beforehand (Tarone, Biometrics 1990).
    """
    corrected = [1.0] * len(p_values)
    least = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = least
    return corrected


# -- comparing -----------------------------------------------------------------------------------


def _asked(record: Record) -> tuple[object, ...]:
    return record.question, record.answerable, record.answers


def _changes(pairs: Sequence[tuple[Record, Record]]) -> tuple[Change, ...]:
    values = [(values_of(one), values_of(other), one.cluster or one.id) for one, other in pairs]
    names = dict.fromkeys(name for one, other, _ in values for name in one if name in other)
    raw = [
        _change(name, [(one.get(name), other.get(name), cluster) for one, other, cluster in values]) for name in names
    ]
    found = [change for change in raw if change is not None]
    corrected = iter(holm([change.p for change in found if change.moved]))
    found = [replace(change, p_holm=next(corrected)) if change.moved else change for change in found]
    return tuple(sorted(found, key=lambda c: (c.name == LATENCY, c.p_holm, c.p, -c.size, c.name)))


def _change(name: str, rows: Sequence[tuple[float | None, float | None, str]]) -> Change | None:
    """Return the change before correction; None if the metric applies to no pair in both runs."""
    known = [(one, other, cluster) for one, other, cluster in rows if one is not None and other is not None]
    if not known:
        return None
    clusters = [cluster for _, _, cluster in known]
    differences = [other - one for one, other, _ in known]
    interval = mean(differences, clusters)
    up, down = sum(d > _ZERO for d in differences), sum(d < -_ZERO for d in differences)
    return Change(
        name=name,
        before=sum(one for one, _, _ in known) / len(known),
        after=sum(other for _, other, _ in known) / len(known),
        low=interval.low,
        high=interval.high,
        p=sign_flip_p(differences, clusters),
        p_holm=1.0,
        better=down if lower_is_better(name) else up,
        equal=len(known) - up - down,
        worse=up if lower_is_better(name) else down,
        in_one=sum((one is None) != (other is None) for one, other, _ in rows),
        lower_is_better=lower_is_better(name),
    )


def _changed(one: Record, other: Record) -> ChangedAnswer:
    return ChangedAnswer(
        id=one.id,
        question=one.question,
        split=one.split,
        tags=one.tags,
        expected=one.answers,
        before=outcome(one),
        after=outcome(other),
        shown_before=_shown(one),
        shown_after=_shown(other),
    )


def _shown(record: Record) -> str:
    text = " ".join((record.error or str((record.answer or {}).get("text", ""))).split())
    return text if len(text) <= _QUOTED_CHARS else text[:_QUOTED_CHARS] + "…"


def _notes(a: Run, b: Run, first: Mapping[str, Record], second: Mapping[str, Record]) -> Iterator[str]:
    if a.data_digest != b.data_digest:
        yield (
            f"The question files differ (data {a.data_digest[:12] or 'unknown'}, then "
            f"{b.data_digest[:12] or 'unknown'}): only questions with the same id, words and answers are compared."
        )
    for which, ids in (
        ("in the first run only", [id_ for id_ in first if id_ not in second]),
        ("in the second run only", [id_ for id_ in second if id_ not in first]),
        ("reworded or with other answers", [i for i in first if i in second and _asked(first[i]) != _asked(second[i])]),
    ):
        if ids:
            yield f"Left out, as {which}: {_some(ids)}."
    metrics = [dict.fromkeys(name for record in run.records for name in record.values) for run in (a, b)]
    for which, names in (
        ("first", [name for name in metrics[0] if name not in metrics[1]]),
        ("second", [name for name in metrics[1] if name not in metrics[0]]),
    ):
        if names:
            yield f"Only the {which} run has {_some(names)}."
    before = {"k": a.k, "judge": a.judge, **a.settings, **a.versions}
    after = {"k": b.k, "judge": b.judge, **b.settings, **b.versions}
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield f"{name}: {_plain(before.get(name))}, then {_plain(after.get(name))}."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _plain(value: object) -> str:
    return "not set" if value is None or value == "" else str(value)


# -- text ----------------------------------------------------------------------------------------


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
    whole = change.name.endswith("_ms") or change.name == "answer_words"
    form = ".0f" if whole else ".3f"
    interval = "" if change.low is None or change.high is None else f"{change.low:+{form}} to {change.high:+{form}}"
    name = f"{change.name} (-)" if change.lower_is_better else change.name
    figures = [f"{change.before:{form}}", f"{change.after:{form}}", f"{change.difference:+{form}}", interval]
    counts = [str(count) for count in (change.better, change.equal, change.worse, change.in_one)]
    return [name, *figures, f"{change.p:.4f}", f"{change.p_holm:.4f}", *counts]


def _code(text: str) -> str:
    """Return text as a span of code, so that nothing in it is mark-up."""
    return "`" + " ".join(text.replace("`", "'").split()) + "`"
