"""Two runs against each other, question by question: what moved, by how much, and whether that can be chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from eval.metrics.significance import holm, sign_flip_p
from eval.metrics.statistics import mean
from eval.records import Record, Run
from rag.errors import DatasetError

LEVEL = 0.05
LATENCY = "latency_ms"
_LOWER_IS_BETTER = {"over_refusal", "invalid_citations", "miscited", "errors", "answer_words", "risk_coverage_area"}
_ZERO = 1e-9
_QUOTED_CHARS = 300
_NAMED = 5

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
        before: Mean in the first run; in [0, 1] unless `is_amount`.
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
    return name in _LOWER_IS_BETTER or name.endswith(("_ms", "_tokens"))


def is_amount(name: str) -> bool:
    """Tell by its name whether a metric counts ms, MiB, words or tokens; the others lie in [0, 1]."""
    return name.endswith(("_ms", "_mb", "_words", "_tokens"))


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
