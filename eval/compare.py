"""Two runs against each other, question by question: what moved, by how much, and whether that can be chance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from eval.metrics.statistics import mean
from eval.records import Record, Run
from rag.errors import DatasetError

LEVEL = 0.05
LATENCY = "latency_ms"
_LOWER_IS_BETTER = {"over_refusal", "invalid_citations", "miscited", "errors", "answer_words", "risk_coverage_area"}
_EXACT_UP_TO = 14  # differing clusters: 16,384 patterns of signs
_DRAWN = 10_000
_DRAWN_AT_ONCE = 500
_SEED = 20250901
_ZERO = 1e-9
_QUOTED_CHARS = 300
_NAMED = 10
_ROWS = 6  # of the pull request's table, unless more metrics moved for sure

Outcome = Literal["right", "ungrounded", "refused", "wrong", "failed", "rightly refused", "wrongly answered"]
# An honest refusal is worth more than a wrong answer, and a right answer without its source less than one with it.
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

    Pitfall: a metric of answers alone (`citation_precision`) leaves out a question that one run refused, `in_one`
    counts these; a run that refuses what is hard looks better on it. Read it beside `right_outcome`.

    Attributes:
        before: Mean in the first run; latencies in ms, `answer_words` in words, the rest in [0, 1].
        after: Mean in the second.
        low: Lower end of the 95 % bootstrap interval of the difference; None with fewer than two clusters.
        high: Upper end.
        p: Two-sided p-value, see `sign_flip_p`.
        p_holm: The same, corrected for the number of metrics, see `holm`.
        better: Questions that the second run does better; lower counts as better where `lower_is_better`.
        equal: Questions that both do equally well.
        worse: Questions that the second does worse.
        in_one: Questions that the metric applies to in one run only.
        size: The difference's amount; of ms and words, as a share of the larger mean.
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
    def n(self) -> int:
        """Pairs of answers that the metric applies to."""
        return self.better + self.equal + self.worse

    @property
    def moved(self) -> bool:
        """Whether it differs in any question."""
        return self.better + self.worse > 0

    @property
    def sure(self) -> bool:
        """Whether chance alone would rarely do this, all metrics considered: `p_holm` is at most 0.05."""
        return self.p_holm <= LEVEL

    @property
    def difference(self) -> float:
        """The second run's mean minus the first's."""
        return self.after - self.before

    @property
    def size(self) -> float:
        """The difference's amount; where means exceed 1 (ms, words), as a share of the larger."""
        return abs(self.difference) / max(1.0, self.before, self.after)


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
    """What two runs have in common and where they differ.

    Attributes:
        pairs: Questions in both runs.
        changes: Every metric of both runs: the surest change first, then the largest; latency last, since it also
            tells what else the machine did.
        answers: The questions whose outcome differs, those that got worst first.
        notes: What to know before reading: other data, settings, versions or questions.
    """

    pairs: int
    changes: tuple[Change, ...]
    answers: tuple[ChangedAnswer, ...]
    notes: tuple[str, ...]


def compare(a: Run, b: Run) -> Comparison:
    """Compare two runs over the questions that both were asked, paired by id.

    Of forty metrics two would pass a test at 5 % by chance, so the p-values are corrected by Holm's method over all
    metrics that differ in any question: `Change.sure` holds for none of them by chance in 95 of 100 comparisons of
    systems that are equally good. Questions on the same articles (`Record.cluster`) are right or wrong together: they
    are drawn together for the intervals, and change sign together in the test.

    Args:
        a: The first run, such as of the main branch.
        b: The second, such as of a change.

    Raises:
        DatasetError: The runs share no question, or one of them holds an id twice.
    """
    first, second = _by_id(a, "first"), _by_id(b, "second")
    shared = [id_ for id_ in first if id_ in second]
    altered = [id_ for id_ in shared if _asked(first[id_]) != _asked(second[id_])]
    pairs = [(first[id_], second[id_]) for id_ in shared if id_ not in set(altered)]
    if not pairs:
        raise DatasetError(
            f"The runs share no question (such as {next(iter(first), 'none')!r} and {next(iter(second), 'none')!r}): "
            "compare runs over one dataset."
        )
    answers = sorted(
        (_changed(one, other) for one, other in pairs if outcome(one) != outcome(other)),
        key=lambda answer: (answer.gain, answer.id),
    )
    lone = ([id_ for id_ in first if id_ not in second], [id_ for id_ in second if id_ not in first])
    return Comparison(len(pairs), _changes(pairs), tuple(answers), tuple(_notes(a, b, lone, altered)))


def lower_is_better(name: str) -> bool:
    """Tell whether a metric, by its name, is a cost or a rate of faults."""
    return name in _LOWER_IS_BETTER or name.endswith(("_ms", "_mb", "_tokens"))


def values_of(record: Record) -> dict[str, float | None]:
    """Return every figure of one question by name, with `errors` (1.0 for a failed call) and `latency_ms`."""
    return {**record.values, "errors": float(record.status == "error"), LATENCY: record.latency_ms}


def outcome(record: Record) -> Outcome:
    """Return what became of a question, as a reader would say it."""
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

    Fisher's randomisation test (Smucker, Allan & Carterette, CIKM 2007, recommend it for retrieval): if two systems are
    equally good, each pair's difference might as well have the other sign. All patterns of signs are counted where at
    most 14 clusters differ, else 10,000 drawn ones, seeded, and the observed one (Phipson & Smyth 2010). With fewer
    than 6 differing clusters no two-sided p-value is below 0.05.

    Args:
        differences: One for each pair.
        clusters: The cluster of each; those of one change sign together.
        two_sided: False asks how often the sum is as low or lower.
    """
    _, groups = np.unique(np.asarray(clusters), return_inverse=True)
    sums = np.bincount(groups, weights=np.asarray(differences, dtype=np.float64)) if len(differences) else np.zeros(0)
    moved = sums[np.abs(sums) > _ZERO]  # the others are 0 with either sign
    reached, patterns = 0, 0
    for signs in _signs(len(moved)):
        chance = signs @ moved
        seen = moved.sum()
        far = np.abs(chance) >= abs(seen) - _ZERO if two_sided else chance <= seen + _ZERO
        reached, patterns = reached + int(far.sum()), patterns + len(signs)
    if len(moved) > _EXACT_UP_TO:
        return (reached + 1) / (patterns + 1)
    return reached / patterns


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

    The chance that any true null hypothesis has a corrected value of at most x is at most x, however the tests hang
    together. Leave out what cannot be significant whatever the signs (Tarone, Biometrics 1990).
    """
    corrected = [1.0] * len(p_values)
    least = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[index]))
        corrected[index] = least
    return corrected


# -- comparing -----------------------------------------------------------------------------------


def _by_id(run: Run, which: str) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for record in run.records:
        if record.id in found:
            raise DatasetError(f"The {which} run holds the id {record.id!r} twice: give each question its own.")
        found[record.id] = record
    return found


def _asked(record: Record) -> tuple[object, ...]:
    return record.question, record.answerable, record.answers


def _changes(pairs: Sequence[tuple[Record, Record]]) -> tuple[Change, ...]:
    clusters = [one.cluster or one.id for one, _ in pairs]
    values = [(values_of(one), values_of(other)) for one, other in pairs]
    names = dict.fromkeys(name for one, other in values for name in one if name in other)
    found = []
    for name in names:
        columns = [one.get(name) for one, _ in values], [other.get(name) for _, other in values]
        change = _change(name, *columns, clusters)
        if change:
            found.append(change)
    moved = [change.p for change in found if change.moved]
    corrected = iter(holm(moved))
    found = [_corrected(change, next(corrected)) if change.moved else change for change in found]
    return tuple(sorted(found, key=lambda c: (c.name == LATENCY, c.p_holm, c.p, -c.size, c.name)))


def _change(
    name: str, before: Sequence[float | None], after: Sequence[float | None], clusters: Sequence[str]
) -> Change | None:
    """Return the uncorrected change, None if no pair has the metric on both sides."""
    rows = [
        (one, other, cluster)
        for one, other, cluster in zip(before, after, clusters, strict=True)
        if one is not None and other is not None
    ]
    if not rows:
        return None
    differences = [other - one for one, other, _ in rows]
    interval = mean(differences, [cluster for _, _, cluster in rows])
    up, down = sum(d > _ZERO for d in differences), sum(d < -_ZERO for d in differences)
    better, worse = (down, up) if lower_is_better(name) else (up, down)
    return Change(
        name=name,
        before=sum(one for one, _, _ in rows) / len(rows),
        after=sum(other for _, other, _ in rows) / len(rows),
        low=interval.low,
        high=interval.high,
        p=sign_flip_p(differences, [cluster for _, _, cluster in rows]),
        p_holm=1.0,
        better=better,
        equal=len(rows) - up - down,
        worse=worse,
        in_one=sum((one is None) != (other is None) for one, other in zip(before, after, strict=True)),
        lower_is_better=lower_is_better(name),
    )
