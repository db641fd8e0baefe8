"""A run against a committed baseline: does a build still answer as well as the one that was measured?

The baseline is a JSON file with a line for each bound and each question, so that a lowered bound is seen in review. It
is made on the machine of your choice and checked on any: the built-in reader says the same each time, and a figure may
lose as much as its tolerance, which is at least what one question is worth.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from eval.compare import lower_is_better, records_by_id, values_of
from eval.metrics.significance import holm, sign_flip_p
from eval.metrics.statistics import Estimate, mean
from eval.records import Record, Run
from rag.errors import DatasetError

FORM = 1
LEVEL = 0.01
# Without "@k". Figures that only say something beside these, such as `answer_words`, and latencies, which depend on the
# machine, are not gated.
GATED = (
    "right_outcome",
    "grounded_correct",
    "all_evidence",
    "mrr",
    "dense_mrr",
    "bm25_mrr",
    "fused_mrr",
    "citation_recall",
    "citation_precision",
    "invalid_citations",
    "quote_exact",
    "alce_recall",
    "alce_precision",
    "miscited",
    "as_of_right",
    "window_right",
    "abstention_recall",
    "over_refusal",
    "errors",
)
# What the program guarantees whatever the model writes: one case is a defect.
_GUARANTEED = {"invalid_citations", "quote_exact", "errors"}
_GROUPS = ("all", "dev", "test")
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Bound:
    """What one figure may come to.

    Attributes:
        metric: Its name, with "@k" where it has one.
        group: "all", "dev" or "test".
        side: "floor" where higher is better, "ceiling" where lower is.
        measured: The figure of the run that the baseline was made of.
        tolerance: How much worse it may get.
        n: Questions it applied to.
        of: Questions in the group.
    """

    metric: str
    group: str
    side: Literal["floor", "ceiling"]
    measured: float
    tolerance: float
    n: int
    of: int

    @property
    def limit(self) -> float:
        """The least that passes, or of a ceiling the most."""
        return self.measured + (self.tolerance if self.side == "ceiling" else -self.tolerance)

    def excess(self, value: float) -> float:
        """Return by how much a figure is worse than the limit; below 0 if it passes with room."""
        return value - self.limit if self.side == "ceiling" else self.limit - value


@dataclass(frozen=True, slots=True)
class Paired:
    """One question's gated figures, for the paired test; None where a metric does not apply."""

    id: str
    cluster: str
    values: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A measured run as what later builds are held to.

    Attributes:
        data_digest: SHA-256 of the question file.
        k: Places of the search result that were scored.
        judge: What judged whether claims are supported, "" if nothing did.
        versions: Of Python and the packages at that time.
        bounds: For each gated metric and group.
        records: Every question's figures; none if the paired test is not wanted.
        form: Version of this file's form.
    """

    created_at: datetime
    data_digest: str
    k: int
    judge: str
    versions: dict[str, str]
    bounds: tuple[Bound, ...]
    records: tuple[Paired, ...] = ()
    form: int = FORM


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
    measured = [(bound, _figure(run, bound.metric, bound.group)) for bound in baseline.bounds]
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


# -- the baseline --------------------------------------------------------------------------------


def load_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        DatasetError: The file cannot be read, or is no baseline of this form.
    """
    try:
        loaded = _adapter().validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DatasetError(f"{path} is no baseline: {error}. Write one of a run that you trust.") from error
    if loaded.form != FORM:
        raise DatasetError(f"{path} has form {loaded.form}, this Pressmark reads {FORM}: write the baseline again.")
    return loaded


def write_baseline(
    run: Run,
    path: Path,
    *,
    tolerance: float = 0.02,
    metrics: Sequence[str] | None = None,
    paired: bool = True,
    lower: bool = False,
) -> Baseline:
    """Write a run as the baseline; bounds may be edited in the file afterwards.

    Args:
        run: Of a build that you trust, over all questions of a file.
        path: The JSON file; one that is there is replaced.
        tolerance: How much worse a figure may get, from 0 to below 1. Where one question is worth more (of 22 it is
            0.046), that much; none for what the program guarantees (`invalid_citations`, `quote_exact`, `errors`).
        metrics: Names without "@k"; None takes what the run has of `GATED`. Those that apply to no question are left
            out.
        paired: Keep every question's figures for the paired test.
        lower: Accept figures that are worse than those in the file.

    Raises:
        DatasetError: The run does not say what data it was asked, lacks a metric, or is worse than the baseline there.
    """
    if not 0 <= tolerance < 1:
        raise ValueError(f"The tolerance is {tolerance}: give one from 0 to below 1.")
    if not run.data_digest:
        raise DatasetError("The run does not say which question file it asked: run `pressmark eval run` on one.")
    measured = dict.fromkeys(name for record in run.records for name in values_of(record))
    if unknown := set(metrics or ()) - {_stem(name) for name in measured}:
        raise DatasetError(f"The run has no {', '.join(sorted(unknown))}: gate metrics that it measures.")
    names = [name for name in measured if _stem(name) in (GATED if metrics is None else metrics)]
    bounds = tuple(
        _bound(name, group, figure, tolerance)
        for group in _GROUPS
        for name in names
        if (figure := _figure(run, name, group)) and figure.n
    )
    baseline = Baseline(
        created_at=run.created_at,
        data_digest=run.data_digest,
        k=run.k,
        judge=run.judge,
        versions=run.versions,
        bounds=bounds,
        records=tuple(_paired(record, names) for record in records_by_id(run).values()) if paired else (),
    )
    if path.exists() and not lower:
        _refuse_lower(load_baseline(path), baseline, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_as_json(baseline), encoding="utf-8", newline="\n")
    return baseline


def _stem(name: str) -> str:
    return name.partition("@")[0]


def _bound(name: str, group: str, figure: Estimate, tolerance: float) -> Bound:
    one_question = math.ceil(1e4 / figure.n) / 1e4
    allowed = 0.0 if name in _GUARANTEED else max(tolerance, one_question)
    side: Literal["floor", "ceiling"] = "ceiling" if lower_is_better(name) else "floor"
    return Bound(name, group, side, round(figure.value or 0.0, 6), allowed, figure.n, figure.of)


def _paired(record: Record, names: Sequence[str]) -> Paired:
    values = values_of(record)
    return Paired(record.id, record.cluster or record.id, {name: values[name] for name in names if name in values})


def _refuse_lower(old: Baseline, new: Baseline, path: Path) -> None:
    """Raise if a figure is lower than in the file; of other data nothing can be said."""
    if old.data_digest != new.data_digest:
        return
    bounds = {(bound.metric, bound.group): bound for bound in new.bounds}
    lowered = []
    for bound in old.bounds:
        now = bounds.get((bound.metric, bound.group))
        if now is None or replace(bound, tolerance=0.0).excess(now.measured) > _ROUNDING:
            asked = _short(now.measured) if now else "none"
            lowered.append(f"{bound.metric} on {bound.group} from {_short(bound.measured)} to {asked}")
    if lowered:
        raise DatasetError(
            f"The run is worse than what {path} holds: {'; '.join(lowered)}. Mend that, or, if it is meant, say that "
            "bounds may be lowered (lower=True)."
        )


def _as_json(baseline: Baseline) -> str:
    """Return the file's text: a line for each bound and question, so that changes can be reviewed."""
    values: dict[str, Any] = _adapter().dump_python(baseline, mode="json")  # as the dataclass has them
    lines = []
    for name, value in values.items():
        if isinstance(value, list) and value:
            inner = ",\n".join(f"  {json.dumps(item, ensure_ascii=False)}" for item in value)
            lines.append(f' "{name}": [\n{inner}\n ]')
        else:
            lines.append(f' "{name}": {json.dumps(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


@cache
def _adapter() -> TypeAdapter[Baseline]:
    return TypeAdapter(Baseline)


# -- checking ------------------------------------------------------------------------------------


def _figure(run: Run, metric: str, group: str) -> Estimate | None:
    """Return the mean that the report prints too; None if the run has no question of the group, or not the metric."""
    values = [values_of(record) for record in run.records if group in ("all", record.split)]
    if not any(metric in value for value in values):
        return None
    return mean([value.get(metric) for value in values])


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
        problem = f"{place} is missing: the run asked no question of it; run the eval without --split."
    elif figure is None:
        problem = f"{place} is missing: this build does not measure it; write a new baseline if that is meant."
    elif figure.of != bound.of:
        problem = f"{place} is over {figure.of} questions, the baseline over {bound.of}; run the eval without --split."
    elif value is None:
        problem = f"{place} applies to no answer of the run, in the baseline to {bound.n}."
    elif bound.excess(value) > _ROUNDING:
        problem = _beyond(bound, value)
    return Check(bound.metric, bound.group, "bound", value, bound.limit, problem)


def _beyond(bound: Bound, value: float) -> str:
    least, sign = ("at most", "and") if bound.side == "ceiling" else ("at least", "less")
    asked = f"{_short(bound.limit)} ({_short(bound.measured)} {sign} {_short(bound.tolerance)})"
    return f"{bound.metric} on {bound.group} is {_short(value)}, the baseline asks for {least} {asked}."


def _short(value: float) -> str:
    """Return up to four decimals: with fewer a figure could look like the limit that it misses."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


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
        f"{bound.metric} on {bound.group} ({_short(bound.measured)} to {_short(figure.value)})"
        for bound, figure in measured
        if figure and figure.value is not None and bound.excess(figure.value) < -2 * bound.tolerance - _ROUNDING
    ]
    if better:
        yield f"Better than the baseline: {', '.join(better)}. Write a new one to hold that."
