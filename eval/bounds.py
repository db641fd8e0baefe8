"""What builds are held to (`eval.gate`): the figures of a run that was trusted, in a file that is committed.

A JSON file with a line for each bound and each question, so that a lowered bound is seen in review. It is made on the
machine of your choice and checked on any: the built-in reader says the same each time, and a figure may lose as much as
its tolerance, which is at least what one question is worth.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from eval.compare import lower_is_better, records_by_id, values_of
from eval.metrics.statistics import Estimate, mean
from eval.records import Record, Run
from rag.errors import DatasetError

FORM = 1
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
    "attribution",
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
ROUNDING = 1e-6


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
        if (figure := figure_of(run, name, group)) and figure.n
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
        if now is None or replace(bound, tolerance=0.0).excess(now.measured) > ROUNDING:
            asked = short_text(now.measured) if now else "none"
            lowered.append(f"{bound.metric} on {bound.group} from {short_text(bound.measured)} to {asked}")
    if lowered:
        raise DatasetError(
            f"The run is worse than what {path} holds: {'; '.join(lowered)}. Mend that, or, if it is meant, say so "
            "with --lower."
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


def figure_of(run: Run, metric: str, group: str) -> Estimate | None:
    """Return the mean that the report prints too; None if the run has no question of the group, or not the metric."""
    values = [values_of(record) for record in run.records if group in ("all", record.split)]
    if not any(metric in value for value in values):
        return None
    return mean([value.get(metric) for value in values])


def short_text(value: float) -> str:
    """Return up to four decimals: with fewer a figure could look like the limit that it misses."""
    return f"{value:.4f}".rstrip("0").rstrip(".")
