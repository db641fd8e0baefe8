"""What a report shows first of a run: which figures, what they mean, and whether a trivial system does as well."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eval.compare import lower_is_better
from eval.records import Run
from eval.runner import Figure

OURS = "pressmark"
ALL = "all"
ABSENT = "–"

# In the order shown: are the answers right, do they stand on what is cited, does it refuse where it should, how fast.
HEADLINES = (
    "correct", "grounded_correct", "citation_precision", "quote_exact", "attribution", "supported_claims",
    "alce_recall", "alce_precision", "miscited", "abstention_precision", "abstention_recall", "over_refusal",
    "latency_p50_ms", "latency_p95_ms",
)  # fmt: skip
TAG_COLUMNS = (
    "right_outcome", "correct", "grounded_correct", "hit@{k}", "citation_precision", "window_right", "over_refusal",
    "abstention_recall",
)  # fmt: skip
_BY_JUDGE = {"alce_recall", "alce_precision", "grounded_retrieved", "miscited"}
_BY_VERIFIER = {"supported_claims"}

MEANINGS: Mapping[str, tuple[str, str]] = {
    "right_outcome": ("Right outcome", "answerable: answered and correct; not answerable: refused; over all questions"),
    "correct": ("Right answers", "answerable questions whose shown text holds every expected part; a refusal is wrong"),
    "grounded_correct": ("Right and grounded", "right, and a citation is from a gold article or a copy of its story"),
    "correct_if_answered": ("Right if answered", "the same as correct, over answered questions only"),
    "exact_match": ("Exact match", "the short answer equals an expected one (SQuAD)"),
    "token_f1": ("Token F1", "words that answer and expected answer share; low for right sentences (SQuAD)"),
    "list_recall": ("Parts of lists", "expected parts of a list that are shown"),
    "number_match": ("Number right", "a shown number has the expected value and unit"),
    "date_match": ("Date right", "a shown date agrees with the expected one"),
    "latest_right": ("Latest state", "questions after the newest report, answered with it"),
    "conflict_coverage": ("Sides of conflicts", "sides of a conflict that are shown"),
    "answer_words": ("Words", "length of the shown answer"),
    "citation_recall": ("Citation recall", "claims with a citation from a gold article or a copy"),
    "citation_precision": ("Citation precision", "citations that are from a gold article or a copy; a lower bound"),
    "invalid_citations": ("Invalid citations", "citations whose number names no source"),
    "quote_exact": ("Quotes exact", "citations whose quote stands in the stored text, character for character"),
    "supported_claims": (
        "Claims supported",
        "claims that the system's own verifier calls supported, which also decided what to show",
    ),
    "attribution": ("Attribution kept", "claims of what somebody said that still say whose words they are"),
    "alce_recall": ("Claims supported (ALCE)", "claims that what they cite supports together"),
    "alce_precision": (
        "Citations needed (ALCE)",
        "citations that support their claim alone, or without which it falls",
    ),
    "grounded_retrieved": ("Grounded in the search", "claims that some retrieved passage supports, whatever they cite"),
    "miscited": ("Cited wrongly", "claims that only a passage supports which is not cited"),
    "window_right": ("Time window", "the time window read from the question is the one meant"),
    "as_of_right": ("As of", "claims whose date is that of the newest article they cite"),
    "abstention_precision": ("Refusals right", "refusals of questions that the archive does not answer"),
    "abstention_recall": ("Refused when due", "unanswerable questions that were refused"),
    "over_refusal": ("Over-refusal", "answerable questions that were refused"),
    "abstention_f1": ("Refusals, F1", "harmonic mean of the precision and recall of refusing"),
    "risk_coverage_area": (
        "Risk over coverage",
        "mean share wrong, the surest questions first; refusals count as wrong",
    ),
    "errors": ("Failed calls", "questions whose call failed; each counts as wrong"),
    "hit": ("Evidence found", "any gold article among the first k passages"),
    "recall": ("Evidence recall", "parts of the evidence among the first k passages"),
    "all_evidence": ("All evidence found", "every part of the evidence among the first k passages"),
    "mrr": ("Reciprocal rank", "one over the place of the first gold article, 0 below place k"),
    "ndcg": ("nDCG", "gain of the gold articles among the first k passages, discounted by place"),
    "prompt_tokens": ("Tokens read", "by the chat model, for one answer"),
    "written_tokens": ("Tokens written", "by the chat model, for one answer"),
    "latency_p50_ms": ("Time, median", "from question to answer; half are faster"),
    "latency_p95_ms": ("Time, 95th percentile", "from question to answer; 95 of 100 are faster"),
}

# What the trivial systems of `eval.baselines` do.
SYSTEMS: Mapping[str, str] = {
    "copy-first": "the first sentence of the passage found first",
    "refuse": "always refuses",
    "always-yes": "says yes to everything",
    "random-cite": "our words, cited to passages drawn at random",
    "shuffled": "our words, their citations exchanged",
    "unrelated": "what we said to the question before",
}

Mark = Literal["worse", "not worse", "absent"]


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of one group of questions, ours beside the trivial systems.

    Attributes:
        others: Of each trivial system, in the order of `Run.baselines`; None where it has no such metric.
        marks: How each of them compares with ours; "absent" if there is nothing to compare.
    """

    ours: Figure
    others: tuple[Figure | None, ...]
    marks: tuple[Mark, ...]

    @property
    def name(self) -> str:
        """The metric's name."""
        return self.ours.name


@dataclass(frozen=True, slots=True)
class ChangedSetting:
    """A setting of a run that is not at its default; `default` is None if this Pressmark has no such setting."""

    name: str
    value: str
    default: str | None


def groups_of(run: Run) -> tuple[str, ...]:
    """Return the groups that figures are shown for, the one to show first in front.

    That is `test` where there is `dev` beside it, for systems are tuned on `dev`.
    """
    splits = sorted({record.split for record in run.records}, reverse=True)
    return (*splits, ALL) if len(splits) > 1 else (ALL,)


def rows_of(found: Sequence[Figure], run: Run, group: str) -> list[Row]:
    """Return the metrics of a group in the order of `found`; one that applies to no question has the value None."""
    chosen = {(figure.name, figure.system): figure for figure in found if figure.group == group}
    rows = []
    for ours in (figure for figure in found if figure.group == group and figure.system == OURS):
        others = tuple(chosen.get((ours.name, system)) for system in run.baselines)
        rows.append(Row(ours, others, tuple(_mark(ours, other) for other in others)))
    return rows


def headline_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of `HEADLINES`, in that order; those of a judge only if one was asked."""
    by_name = {row.name: row for row in rows}
    chosen = [by_name[name] for name in HEADLINES if name in by_name]
    return [row for row in chosen if row.name not in _BY_JUDGE or row.ours.value is not None]


def judge_of(name: str, run: Run) -> str:
    """Return what decides a metric besides words and ids: "verifier", the judge's name, or "" if nothing does."""
    if name in _BY_VERIFIER:
        return "verifier"
    return run.judge if name in _BY_JUDGE else ""


def label_of(name: str) -> str:
    """Return a metric's name for readers, its code name if it has none."""
    return _meaning(name)[0]


def meaning_of(name: str) -> str:
    """Return what a metric is the share or amount of, "" if this module does not know it."""
    return _meaning(name)[1]


def number_text(name: str, value: float | None) -> str:
    """Return a value of the metric with its unit; `ABSENT` for None, which is never 0."""
    if value is None:
        return ABSENT
    if name.endswith("_ms"):
        return f"{value / 1000:.2f} s" if abs(value) >= 1000 else f"{value:.0f} ms"
    if name.endswith("_mb"):
        return f"{value:.0f} MB"
    return f"{value:.0f}" if name.endswith(("_words", "_tokens")) else f"{value:.3f}"


def interval_text(figure: Figure) -> str:
    """Return the 95 % interval as "0.70 to 0.91", "" where there is none."""
    if figure.low is None or figure.high is None:
        return ""
    low, high = (number_text(figure.name, end) for end in (figure.low, figure.high))
    return f"{low} to {high}"


def models_of(run: Run) -> list[str]:
    """Return the names of the models that answered, sorted."""
    return sorted({str(record.answer["model"]) for record in run.records if record.answer})


def changed_settings(run: Run) -> list[ChangedSetting]:
    """Return the recorded settings that are not at the default of this Pressmark, in the order recorded."""
    from rag.settings import Settings

    defaults: dict[str, Any] = Settings.model_construct().model_dump(mode="json")  # reads no environment
    return [
        ChangedSetting(name, _json(value), _json(defaults[name]) if name in defaults else None)
        for name, value in run.settings.items()
        if name not in defaults or value != defaults[name]
    ]


def _mark(ours: Figure, other: Figure | None) -> Mark:
    if ours.value is None or other is None or other.value is None:
        return "absent"
    ahead = ours.value - other.value if lower_is_better(ours.name) else other.value - ours.value
    return "worse" if ahead < 0 else "not worse"


def _meaning(name: str) -> tuple[str, str]:
    if name in MEANINGS:
        return MEANINGS[name]
    stem, _, k = name.partition("@")
    route, _, rest = stem.partition("_")
    if k and stem in MEANINGS:
        return f"{MEANINGS[stem][0]}, k = {k}", MEANINGS[stem][1]
    if k and rest in MEANINGS:
        return f"{MEANINGS[rest][0]}, k = {k}, {route} alone", MEANINGS[rest][1]
    return name, ""


def _json(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
