"""One eval run: questions through the chain, each answer scored, all of it in one file."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter, ValidationError

from eval.baselines import BASELINES, EvalChain, EvalStore, System, ask
from eval.datasets import EvalQuestion, file_digest
from eval.metrics.abstention import abstention_f1
from eval.metrics.statistics import Estimate, bootstrap, mean, percentile
from eval.scoring import Scores, score, score_failure
from rag.answers import answers_adapter
from rag.errors import DatasetError
from rag.schema import Answer, Query

if TYPE_CHECKING:
    from rag.settings import Settings

log = logging.getLogger(__name__)

FORM = 1
_PACKAGES = ("pressmark", "chromadb", "langchain-core", "sentence-transformers", "torch")
# Never into a file that is passed around: keys, and the person's folder names.
_PRIVATE = {"api_keys", "chat_api_key", "home", "host", "port"}

Progress = Callable[[int, int], None]
RecordStatus = Literal["answered", "partial", "abstained", "error"]


@dataclass(frozen=True, slots=True)
class Record:
    """One question with what a system made of it.

    Attributes:
        answers: Expected groups of aliases.
        correct: Answered, and every expected group is in the shown text; None if unanswerable.
        grounded_correct: Correct, with at least one citation from a gold article or its copy.
        ranks: For each gold set the 1-based place of its first article, None if not retrieved.
        values: Every metric by name; None where it does not apply.
        latency_ms: Wall time of the call; None for failed calls and for baselines.
        answer: The whole `Answer` as JSON; None for failed calls and for baselines.
        error: What the call raised, "" if nothing.
    """

    id: str
    question: str
    split: str
    tags: tuple[str, ...]
    answerable: bool
    answers: tuple[tuple[str, ...], ...]
    status: RecordStatus
    abstained: bool
    correct: bool | None
    grounded_correct: bool | None
    ranks: tuple[int | None, ...]
    values: dict[str, float | None]
    latency_ms: float | None = None
    answer: dict[str, Any] | None = None  # JSON of rag.schema.Answer, kept as written for later forms of it
    error: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Everything one eval run found; self-contained as a file.

    Attributes:
        k: Places of the search result that were scored.
        settings: The settings, without keys and folders.
        versions: Of Python and the packages that decide the figures.
        data_digest: SHA-256 of the question file, "" if the questions came from none.
        records: One for each question, in the order asked.
        baselines: The records of the trivial systems, by name.
        form: Version of this file's form.
    """

    created_at: datetime
    k: int
    settings: dict[str, Any]  # as pydantic dumps them
    versions: dict[str, str]
    data_digest: str
    records: tuple[Record, ...]
    baselines: dict[str, tuple[Record, ...]] = field(default_factory=dict)
    form: int = FORM

    def save(self, path: Path) -> None:
        """Write the run as one JSON file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_adapter().dump_json(self, indent=1) + b"\n")

    @classmethod
    def load(cls, path: Path) -> Run:
        """Read a run.

        Raises:
            DatasetError: The file cannot be read, or is no run of this form.
        """
        try:
            loaded = _adapter().validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise DatasetError(f"{path} is not a file made by `pressmark eval run`: {error}") from error
        if loaded.form != FORM:
            raise DatasetError(f"{path} has form {loaded.form}, this Pressmark reads {FORM}: run the eval again.")
        return loaded


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric over one group of questions.

    Attributes:
        value: None if it applies to no question. Latencies in ms, `answer_words` in words, the rest
            in [0, 1].
        low: Lower end of the 95 % bootstrap interval; None with fewer than two questions.
        high: Upper end.
        n: Questions it applies to.
        of: Questions in the group.
        group: "all", "dev", "test" or "tag:..."
        system: "pressmark" or the name of a baseline.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    of: int
    group: str = "all"
    system: str = "pressmark"


def run(
    chain: EvalChain,
    questions: Sequence[EvalQuestion],
    *,
    k: int = 8,
    progress: Progress | None = None,
    dataset: Path | None = None,
    settings: Settings | None = None,
    baselines: Mapping[str, System] = BASELINES,
) -> Run:
    """Ask every question and score every answer.

    A question whose call fails is recorded as an error and counts as answered wrong; it neither
    stops the run nor leaves a denominator.

    Args:
        chain: The system under test.
        questions: In the order to ask them.
        k: Places of the result to score, 1 or more; the chain may give fewer passages.
        progress: Called with (questions done, all) after each.
        dataset: The file the questions came from, for its digest.
        settings: What the chain was built with, for the record.
        baselines: Trivial systems to score beside it; they reuse the chain's answers.
    """
    if k < 1:
        raise ValueError(f"k is {k}: give the number of places to score, 1 or more.")
    # Read first: hours later the file may be another one.
    digest = file_digest(dataset) if dataset else ""
    records: list[Record] = []
    others: dict[str, list[Record]] = {name: [] for name in baselines}
    for done, question in enumerate(questions, 1):
        record, answer = _answered(chain, question, ask, k)
        records.append(record)
        for name, system in baselines.items():
            # A failed call leaves them nothing to build on: they fail with it.
            other = _answered(_Replay(chain.store, answer), question, system, k)[0] if answer else record
            # Their time says nothing, and their passages are the chain's.
            others[name].append(replace(other, latency_ms=None, answer=None))
        if progress:
            progress(done, len(questions))
    return Run(
        created_at=datetime.now(UTC),
        k=k,
        settings=settings.model_dump(mode="json", exclude=_PRIVATE) if settings else {},
        versions=_versions(),
        data_digest=digest,
        records=tuple(records),
        baselines={name: tuple(found) for name, found in others.items()},
    )


def figures(run: Run) -> list[Figure]:
    """Return every figure: over all, by split, and for the chain by tag; dev before test."""
    found: list[Figure] = []
    for system, records in [("pressmark", run.records), *run.baselines.items()]:
        for group, chosen in _groups(records, tags=system == "pressmark").items():
            found += [
                Figure(name, e.value, e.low, e.high, e.n, e.of, group, system) for name, e in _estimates(chosen).items()
            ]
    return found


# -- one question --------------------------------------------------------------------------------


class _Replay:
    """A chain that gives the answer it already gave, so that baselines cost no model calls."""

    def __init__(self, store: EvalStore, answer: Answer) -> None:
        self.store = store
        self._answer = answer

    def invoke(self, _query: Query, /) -> Answer:
        return self._answer


def _answered(chain: EvalChain, question: EvalQuestion, system: System, k: int) -> tuple[Record, Answer | None]:
    started = time.perf_counter()
    try:
        answer = system(chain, question)
    except Exception as error:  # whatever a chat model's package raises must not end the run
        log.warning("Question %s failed: %s", question.id, error)
        failed = _record(question, "error", score_failure(question, k=k))
        return replace(failed, error=f"{type(error).__name__}: {error}"), None
    latency_ms = 1000 * (time.perf_counter() - started)
    record = _record(question, answer.status, score(question, answer, chain.store.archive, k=k))
    answer_json = answers_adapter().dump_python(answer, mode="json")
    return replace(record, latency_ms=latency_ms, answer=answer_json), answer


def _record(question: EvalQuestion, status: RecordStatus, scores: Scores) -> Record:
    return Record(
        id=question.id,
        question=question.question,
        split=question.split,
        tags=question.tags,
        answerable=question.answerable,
        answers=question.answers,
        status=status,
        abstained=status == "abstained",
        correct=scores.correct,
        grounded_correct=scores.grounded_correct,
        ranks=scores.ranks,
        values=scores.values,
    )


# -- over questions ------------------------------------------------------------------------------


def _groups(records: Sequence[Record], *, tags: bool) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = {"all": list(records)}
    for split in sorted({record.split for record in records}):
        groups[split] = [record for record in records if record.split == split]
    for tag in sorted({tag for record in records for tag in record.tags}) if tags else []:
        groups[f"tag:{tag}"] = [record for record in records if tag in record.tags]
    return groups


def _estimates(records: Sequence[Record]) -> dict[str, Estimate]:
    outcomes = [(record.answerable, record.abstained) for record in records]
    latencies = [record.latency_ms for record in records]
    names = dict.fromkeys(name for record in records for name in record.values)
    return {
        **{name: mean([record.values.get(name) for record in records]) for name in names},
        "abstention_f1": bootstrap(lambda rows: abstention_f1([outcomes[row] for row in rows]), of=len(records)),
        "errors": mean([float(record.status == "error") for record in records]),
        "latency_p50_ms": percentile(latencies, q=50),
        "latency_p95_ms": percentile(latencies, q=95),
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@cache
def _adapter() -> TypeAdapter[Run]:
    return TypeAdapter(Run)
