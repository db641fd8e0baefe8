"""A run against a committed baseline (`eval.bounds`): does a build answer as well as the one that was measured?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from eval.bounds import ROUNDING, Baseline, Bound, figure_of, short_text
from eval.compare import lower_is_better, records_by_id, values_of
from eval.metrics.significance import holm, sign_flip_p
from eval.metrics.statistics import Estimate
from eval.records import Run
from rag.errors import DatasetError

LEVEL = 0.01


@dataclass(frozen=True, slots=True)
class Check:
    """One thing asked of a run.

    Attributes:
        kind: "bound" compares a figure with its bound, "paired" asks whether what got worse can be chance.
        value: The run's figure, None if it is missing; of a paired check the corrected p-value.
        limit: What `value` is held to.
        problem: Why it failed, as a sentence; "" if it passed.
    """

    metric: str
    group: str
    kind: Literal["bound", "paired"]
    value: float | None
    limit: float
    problem: str


@dataclass(frozen=True, slots=True)
class GateResult:
    """All checks, in the baseline's order, and what else to know."""

    checks: tuple[Check, ...]
    notes: tuple[str, ...]

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.problem)

    @property
    def passed(self) -> bool:
        """Whether none failed."""
        return not self.failures


def gate(run: Run, baseline: Baseline) -> GateResult:
    """Hold a run to a baseline.

    A figure fails beyond its bound, or if it is missing or over other questions. Over all questions it also fails
    inside the bound if what got worse outweighs what got better by more than chance: a one-sided sign-flip test
    (`eval.metrics.significance`) at 1 %, corrected over the metrics, so that a chat model's noise seldom fails a build.
    It takes at least 7 questions on articles of their own: the bounds see what is large, the test what is small but
    steady over many.

    Args:
        run: Made of the build in question, over the baseline's questions.
        baseline: See `load_baseline`.

    Raises:
        DatasetError: The run was asked other questions, or judged by another judge.
    """
    _check_comparable(run, baseline)
    measured = [(bound, figure_of(run, bound.metric, bound.group)) for bound in baseline.bounds]
    bounds = [_bound_check(bound, figure, run, baseline) for bound, figure in measured]
    return GateResult((*bounds, *_paired_checks(run, baseline)), tuple(_notes(run, baseline, measured)))


def gate_text(result: GateResult) -> str:
    """Return what failed and why, or that nothing did."""
    failed = result.failures
    if failed:
        head = f"The gate failed: {len(failed)} of {len(result.checks)} checks."
    else:
        head = f"The gate passed: {len(result.checks)} checks."
    return "\n".join([head, *(f"  {check.problem}" for check in failed), *result.notes]) + "\n"


def _check_comparable(run: Run, baseline: Baseline) -> None:
    if run.data_digest != baseline.data_digest:
        raise DatasetError(
            f"The run asked other questions (data {run.data_digest[:12] or 'unknown'}) than the baseline "
            f"({baseline.data_digest[:12]}): run the eval on the baseline's question file, or write a new baseline of "
            "this run."
        )
    if run.judge != baseline.judge:
        raise DatasetError(
            f"The run was judged by {run.judge or 'nothing'}, the baseline by {baseline.judge or 'nothing'}: run the "
            "eval with the baseline's judge, or write a new baseline of this run."
        )


def _bound_check(bound: Bound, figure: Estimate | None, run: Run, baseline: Baseline) -> Check:
    value = figure.value if figure else None
    place = f"{bound.metric} on {bound.group}"
    problem = ""
    if figure is None and run.k != baseline.k:
        problem = f"{place} is missing: the run scored {run.k} places, the baseline {baseline.k}."
    elif figure is None and not any(record.split == bound.group for record in run.records):
        problem = f"{place} is missing: the run asked no question of it; run the eval without --split and --sample."
    elif figure is None:
        problem = f"{place} is missing: this build does not measure it; write a new baseline if that is meant."
    elif figure.of != bound.of:
        asked = f"{place} is over {figure.of} questions, the baseline over {bound.of}"
        problem = f"{asked}; run the eval without --split and --sample."
    elif value is None:
        problem = f"{place} applies to no answer of the run, in the baseline to {bound.n}."
    elif bound.excess(value) > ROUNDING:
        problem = _beyond(bound, value)
    return Check(bound.metric, bound.group, "bound", value, bound.limit, problem)


def _beyond(bound: Bound, value: float) -> str:
    least, sign = ("at most", "and") if bound.side == "ceiling" else ("at least", "less")
    asked = f"{short_text(bound.limit)} ({short_text(bound.measured)} {sign} {short_text(bound.tolerance)})"
    return f"{bound.metric} on {bound.group} is {short_text(value)}, the baseline asks for {least} {asked}."


def _paired_checks(run: Run, baseline: Baseline) -> list[Check]:
    """Test each metric over all questions; those that differ in none need no test."""
    records = records_by_id(run)
    pairs = [(old, values_of(records[old.id])) for old in baseline.records if old.id in records]
    tested: list[tuple[str, list[float], float]] = []
    for metric in dict.fromkeys(bound.metric for bound in baseline.bounds):
        sign = -1.0 if lower_is_better(metric) else 1.0
        gains, clusters = [], []
        for old, new in pairs:
            before, after = old.values.get(metric), new.get(metric)
            if before is not None and after is not None:
                gains.append(sign * (after - before))
                clusters.append(old.cluster)
        if any(gains):
            tested.append((metric, gains, sign_flip_p(gains, clusters, two_sided=False)))
    corrected = holm([p for _, _, p in tested])
    return [_paired_check(metric, gains, p) for (metric, gains, _), p in zip(tested, corrected, strict=True)]


def _paired_check(metric: str, gains: Sequence[float], p: float) -> Check:
    worse, better = sum(gain < 0 for gain in gains), sum(gain > 0 for gain in gains)
    problem = ""
    if p <= LEVEL:
        problem = (
            f"{metric} got worse in {worse} questions and better in {better}, which is not chance (p = {p:.4f}, "
            f"corrected; the gate asks for more than {LEVEL})."
        )
    return Check(metric, "all", "paired", p, LEVEL, problem)


def _notes(run: Run, baseline: Baseline, measured: Sequence[tuple[Bound, Estimate | None]]) -> Iterator[str]:
    for name in dict.fromkeys([*baseline.versions, *run.versions]):
        before, now = baseline.versions.get(name, "not installed"), run.versions.get(name, "not installed")
        if before != now:
            yield f"{name} is {now}, the baseline was measured with {before}."
    better = [
        f"{bound.metric} on {bound.group} ({short_text(bound.measured)} to {short_text(figure.value)})"
        for bound, figure in measured
        if figure and figure.value is not None and bound.excess(figure.value) < -2 * bound.tolerance - ROUNDING
    ]
    if better:
        yield f"Better than the baseline: {', '.join(better)}. Write a new one to hold that."
