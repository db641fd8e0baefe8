"""What was found of a judge of groundedness: as a file, as a line beside the figures it gives, and as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from eval.judge_figures import Bin
from eval.metrics.statistics import Estimate
from rag.errors import DatasetError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORM = 1
FOLDER = Path("evals") / "judges"
# What the built-in judge reaches on public labels; `builtin.sha256` tells with which weights and bounds.
SHIPPED = Path(__file__).parent / "data" / "judges"
_LOWER_IS_BETTER = {"ece", "brier", "unanswered", "ms_p50", "ms_p95"}


@dataclass(frozen=True, slots=True)
class TrivialJudge:
    """What a judge that understands nothing reaches on the same cases.

    Attributes:
        bound: Score from which it says "supported"; None if it always says the same.
        figures: `balanced_accuracy`, `caught`, `passed` and `auc`.
    """

    name: str
    bound: float | None
    figures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """How far a judge can be trusted, measured on one dataset.

    Attributes:
        digest: SHA-256 of the dataset's file, "" if the cases came from none.
        cases: Cases measured, of which `supported` are so by their label, about `documents` documents.
        dev_cases: Cases the bounds of the trivial judges were set on, none of them measured; 0 if they were set on the
            measured cases, which favours the trivial judges.
        dev_given: They were given apart; else they are the other half of the documents.
        sentences: Of all claims together; the judge took `seconds` for them.
        figures: By name, in [0, 1] but for the times.
            balanced_accuracy: Mean of the two that follow.
            caught: Share of the unsupported cases that the judge calls unsupported ("partly" is unsupported).
            passed: Share of the supported cases that it calls supported.
            auc: Chance that a supported case scores above an unsupported one.
            ece, brier: Calibration of the score, over the cases with an answer.
            unanswered: Share without a usable answer; they count as wrong in the figures above.
            settled: Share that the rules settled without the model, 1 if there is none; None for a function.
            ms_p50, ms_p95: Milliseconds per claim.
        bins: Reliability of the score over the cases with an answer, lowest first.
        above: Balanced accuracy less that of `best_trivial`, on the same resamples.
        form: Version of this file's form.
    """

    created_at: datetime
    judge: str
    dataset: str
    digest: str
    cases: int
    supported: int
    documents: int
    dev_cases: int
    dev_given: bool
    sentences: int
    seconds: float
    figures: Mapping[str, Estimate]
    bins: tuple[Bin, ...]
    trivial: tuple[TrivialJudge, ...]
    above: Estimate
    form: int = FORM

    @property
    def best_trivial(self) -> TrivialJudge:
        """The trivial judge with the highest balanced accuracy on the measured cases."""
        return best_of(self.trivial)

    def save(self, path: Path) -> None:
        """Write the report as one JSON file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_adapter().dump_json(self, indent=1) + b"\n")

    @classmethod
    def load(cls, path: Path) -> JudgeReport:
        """Read a report.

        Raises:
            DatasetError: The file cannot be read, or is no report of this form.
        """
        from pydantic import ValidationError

        try:
            loaded = _adapter().validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise DatasetError(f"{path} is not a file made by `pressmark eval judge`: {error}") from error
        if loaded.form != FORM:
            raise DatasetError(f"{path} has form {loaded.form}, this Pressmark reads {FORM}: judge the data again.")
        return loaded


def best_of(trivial: Sequence[TrivialJudge]) -> TrivialJudge:
    """Return the one with the highest balanced accuracy, of equals the first."""
    return max(trivial, key=lambda judge: judge.figures["balanced_accuracy"].value or 0.0)


def keep_report(home: Path, report: JudgeReport) -> Path:
    """Write the report into a home, in place of an earlier one of its judge and dataset; return the file's path."""
    path = home / FOLDER / f"{quote(report.judge, safe='')}--{quote(report.dataset, safe='')}.json"
    report.save(path)
    return path


def latest_reports(home: Path) -> list[JudgeReport]:
    """Return the kept reports, one for each judge and dataset, newest first.

    Raises:
        DatasetError: One of the files is damaged.
    """
    found = [JudgeReport.load(path) for path in sorted((home / FOLDER).glob("*.json"))]
    return sorted(found, key=lambda report: report.created_at, reverse=True)


def known_reports(home: Path) -> list[JudgeReport]:
    """Return the reports kept in a home, and of those that are shipped the ones on other datasets.

    Raises:
        DatasetError: One of the home's files is damaged.
    """
    kept = latest_reports(home)
    measured = {(report.judge, report.dataset) for report in kept}
    shipped = [JudgeReport.load(path) for path in sorted(SHIPPED.glob("*.json"))]
    return [*kept, *(report for report in shipped if (report.judge, report.dataset) not in measured)]


def validated_note(report: JudgeReport) -> str:
    """Return the line that stands beside each figure of which the judge decides."""
    accuracy, best = report.figures["balanced_accuracy"], report.best_trivial.figures["balanced_accuracy"]
    lost = report.figures["unanswered"].value
    return (
        f"judge {report.judge}: balanced accuracy {_pair(accuracy, 2)} on {report.dataset} ({report.cases:,} human "
        f"labels); best trivial {_number(best.value, 2)}" + (f"; no usable answer to {lost:.1%}" if lost else "")
    )


def report_text(report: JudgeReport) -> str:
    """Return the figures as a table, the trivial judges beside, then the reliability of the score."""
    rows = [["", report.judge, "", "n", *(judge.name for judge in report.trivial)]]
    for name, found in report.figures.items():
        digits = 0 if name.startswith("ms_") else 3
        others = [_number(j.figures[name].value, digits) if name in j.figures else "" for j in report.trivial]
        label = f"{name} (-)" if name in _LOWER_IS_BETTER else name
        value, interval = _number(found.value, digits), _interval(found, digits)
        rows.append([label, value, interval, f"{found.n}/{found.of}", *others])
    bins = [["score", "n", "mean", "supported"]]
    for item in report.bins:
        bins.append([f"{item.low:.1f} to {item.high:.1f}", str(item.n), _number(item.score), _number(item.supported)])
    return "\n\n".join([_head(report), _aligned(rows), _above(report), _aligned(bins), _FOOT]) + "\n"


_FOOT = (
    "[low, high] is a 95 % bootstrap interval over documents; n: cases the figure applies to; (-) lower is better.\n"
    "caught: unsupported claims called so; passed: supported claims called so. A case without a usable answer is wrong."
)


def _head(report: JudgeReport) -> str:
    data = f", data {report.digest[:12]}" if report.digest else ""
    source = f"{report.dev_cases:,} cases " + (
        "given apart" if report.dev_given else "of the other half of the documents"
    )
    if not report.dev_cases:
        source = "the measured cases themselves"
    bounds = ", ".join(f"{judge.name} {judge.bound:.3f}" for judge in report.trivial if judge.bound is not None)
    return (
        f"{report.dataset}: {report.cases:,} human labels on {report.documents:,} documents, "
        f"{report.supported / report.cases:.2f} supported, {report.created_at:%Y-%m-%d %H:%M} UTC{data}\n"
        f"bounds best on {source}: {bounds}"
    )


def _above(report: JudgeReport) -> str:
    found, name = report.above, report.best_trivial.name
    value = f"{_number(found.value, sign='+')} {_interval(found, 3)}".rstrip()
    chance = found.low is not None and found.low <= 0
    return f"above the best trivial judge ({name}): {value}" + ("; not above it beyond chance" if chance else "")


def _pair(found: Estimate, digits: int) -> str:
    return f"{_number(found.value, digits)} {_interval(found, digits)}".rstrip()


def _number(value: float | None, digits: int = 3, sign: str = "-") -> str:
    return "·" if value is None else f"{value:{sign}.{digits}f}"


def _interval(found: Estimate, digits: int) -> str:
    return "" if found.low is None else f"[{_number(found.low, digits)}, {_number(found.high, digits)}]"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


@cache
def _adapter() -> TypeAdapter[JudgeReport]:
    from pydantic import TypeAdapter

    return TypeAdapter(JudgeReport)
