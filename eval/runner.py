"""One eval run: questions through the chain, each answer scored, all of it in one file."""

from __future__ import annotations

import logging
import platform
import resource
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.baselines import BASELINES, EvalChain, EvalStore, System, UnrelatedArchive, ask
from eval.clusters import clusters_of
from eval.datasets import EvalQuestion, file_digest
from eval.metrics.abstention import abstention_f1, risk_coverage_area
from eval.metrics.grounding import Judge
from eval.metrics.statistics import Estimate, bootstrap, mean, percentile
from eval.records import Answered, Partial, Record, RecordStatus, Run
from eval.scoring import Scores, score, score_failure
from rag.answers import answers_adapter
from rag.schema import Answer, Query

if TYPE_CHECKING:
    from rag.settings import Settings

log = logging.getLogger(__name__)

_PACKAGES = ("pressmark", "chromadb", "langchain-core", "sentence-transformers", "torch")
# Never into a file that is passed around: keys, and the person's folder names.
_PRIVATE = {"api_keys", "chat_api_key", "embedding_key", "home", "host", "port"}

UNRELATED = "unrelated"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric over one group of questions.

    Attributes:
        value: None if it applies to no question; in [0, 1] unless `eval.compare.is_amount`.
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


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is made.

    Attributes:
        k: Places of the result to score, 1 or more; the chain may give fewer passages.
        judge: Tells whether texts support a claim; None leaves the figures that need one out.
        judge_name: Of the judge, for the record.
        routes: Returns the articles that each search alone finds, for a finished answer; None leaves them out.
        baselines: Trivial systems to score beside the chain; they reuse the chain's answers.
        partial: File to which each finished question is written at once; a run that finds it goes on after the last
            whole line. It is deleted at the end.
        parallel: Questions that the chain is asked at once, 1 or more. Answers are scored in order, so the figures do
            not depend on it; latencies do. Worth it for a chat model on a server: the built-in reader takes turns.
    """

    k: int = 8
    judge: Judge | None = None
    judge_name: str = ""
    routes: Callable[[Answer], Mapping[str, Sequence[str]]] | None = None
    baselines: Mapping[str, System] = field(default_factory=lambda: dict(BASELINES))
    partial: Path | None = None
    parallel: int = 1


def run(
    chain: EvalChain,
    questions: Sequence[EvalQuestion],
    *,
    progress: Progress | None = None,
    dataset: Path | None = None,
    settings: Settings | None = None,
    options: Options | None = None,
) -> Run:
    """Ask every question and score every answer.

    A question whose call fails is recorded as an error and counts as answered wrong; it neither
    stops the run nor leaves a denominator.

    Args:
        chain: The system under test.
        questions: In the order to ask them.
        progress: Called with (questions done, all) after each.
        dataset: The file the questions came from, for its digest.
        settings: What the chain was built with, for the record.
        options: How the run is made.

    Raises:
        ValueError: k or parallel is below 1.
        DatasetError: The partial file is of another run.
    """
    options = options or Options()
    if options.k < 1:
        raise ValueError(f"k is {options.k}: give the number of places to score, 1 or more.")
    if options.parallel < 1:
        raise ValueError(f"parallel is {options.parallel}: give the number of questions to ask at once, 1 or more.")
    # Read first: hours later the file may be another one.
    digest = file_digest(dataset) if dataset else ""
    clusters = clusters_of(questions)
    shown = settings.model_dump(mode="json", exclude=_PRIVATE) if settings else {}
    done: list[Answered] = []
    with Partial(options.partial, _identity(questions, digest, shown, options)) as partial:
        done += partial.done
        unrelated = UnrelatedArchive(_last_answer(done))
        systems: dict[str, System] = {**options.baselines, UNRELATED: unrelated} if options.baselines else {}
        left = questions[len(done) :]
        for question, call in zip(left, _calls(chain, left, options.parallel), strict=True):
            one = _one(chain, question, call, clusters[question.id], systems, options)
            partial.add(one)
            done.append(one)
            if progress:
                progress(len(done), len(questions))
    names = [*options.baselines, UNRELATED] if options.baselines else []
    return Run(
        created_at=datetime.now(UTC),
        k=options.k,
        settings=shown,
        versions=_versions(),
        data_digest=digest,
        records=tuple(one.record for one in done),
        baselines={name: tuple(one.baselines[name] for one in done) for name in names},
        judge=options.judge_name,
        peak_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def _one(
    chain: EvalChain,
    question: EvalQuestion,
    call: _Call,
    cluster: str,
    systems: Mapping[str, System],
    options: Options,
) -> Answered:
    record = _recorded(chain.store, question, call, options)
    others = {}
    for name, system in systems.items():
        # A failed call leaves them nothing to build on: they fail with it.
        other = record
        if call.answer:
            replayed = _called(_Replay(chain.store, call.answer), question, system)
            other = _recorded(chain.store, question, replayed, replace(options, routes=None))
        # Their time says nothing, and their passages are the chain's.
        others[name] = replace(other, latency_ms=None, answer=None, cluster=cluster)
    return Answered(replace(record, cluster=cluster), others)


def _identity(
    questions: Sequence[EvalQuestion], digest: str, settings: Mapping[str, Any], options: Options
) -> dict[str, Any]:
    """Return what must agree for a partial file to be of this run."""
    return {
        "questions": [question.id for question in questions],
        "data_digest": digest,
        "settings": dict(settings),
        "versions": _versions(),
        "k": options.k,
        "judge": options.judge_name,
        "baselines": list(options.baselines),
    }


def _last_answer(done: Sequence[Answered]) -> Answer | None:
    answer = next((one.record.answer for one in reversed(done) if one.record.answer), None)
    return answers_adapter().validate_python(answer, strict=False) if answer else None


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
    """A chain that gives the answer it already gave, so that baselines cost no model calls, nor count any tokens."""

    def __init__(self, store: EvalStore, answer: Answer) -> None:
        self.store = store
        self._answer = replace(answer, tokens={})

    def invoke(self, _query: Query, /) -> Answer:
        return self._answer


@dataclass(frozen=True, slots=True)
class _Call:
    """What became of one question: an answer, or else the error."""

    answer: Answer | None
    error: str
    latency_ms: float | None


def _called(chain: EvalChain, question: EvalQuestion, system: System) -> _Call:
    started = time.perf_counter()
    try:
        answer = system(chain, question)
    except Exception as error:  # whatever a chat model's package raises must not end the run
        log.warning("Question %s failed: %s", question.id, error)
        return _Call(None, f"{type(error).__name__}: {error}", None)
    return _Call(answer, "", 1000 * (time.perf_counter() - started))


def _calls(chain: EvalChain, questions: Sequence[EvalQuestion], parallel: int) -> Iterator[_Call]:
    """Ask the questions, some at once; yield what became of them in their order."""
    if parallel == 1:
        yield from (_called(chain, question, ask) for question in questions)
        return
    waiting: deque[Future[_Call]] = deque()
    with ThreadPoolExecutor(parallel) as pool:
        try:
            for question in questions:
                waiting.append(pool.submit(_called, chain, question, ask))
                if len(waiting) == 2 * parallel:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # a run that is stopped does not ask those that wait


def _recorded(store: EvalStore, question: EvalQuestion, call: _Call, options: Options) -> Record:
    if call.answer is None:
        return replace(_record(question, "error", score_failure(question, k=options.k)), error=call.error)
    routes = options.routes(call.answer) if options.routes else None
    scores = score(question, call.answer, store.archive, k=options.k, judge=options.judge, routes=routes)
    record = _record(question, call.answer.status, scores)
    answer_json = answers_adapter().dump_python(call.answer, mode="json")
    return replace(record, latency_ms=call.latency_ms, answer=answer_json, confidence=call.answer.confidence)


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
    clusters = [record.cluster or record.id for record in records]
    names = dict.fromkeys(name for record in records for name in record.values)
    sure = [(_confidence(record), bool(record.correct)) for record in records]

    def rate(statistic: Callable[[Sequence[Any]], float | None], rows: Sequence[Any]) -> Estimate:
        return bootstrap(lambda drawn: statistic([rows[row] for row in drawn]), of=len(rows), clusters=clusters)

    return {
        **{name: mean([record.values.get(name) for record in records], clusters) for name in names},
        "abstention_f1": rate(abstention_f1, outcomes),
        "risk_coverage_area": rate(risk_coverage_area, sure),
        "errors": mean([float(record.status == "error") for record in records], clusters),
        **_latencies(records, clusters),
    }


def _confidence(record: Record) -> float:
    if record.confidence is None:  # a failed call, or a run file from before it was kept
        return float(record.answer["confidence"]) if record.answer else 0.0
    return record.confidence


def _latencies(records: Sequence[Record], clusters: Sequence[str]) -> dict[str, Estimate]:
    """Return the percentiles of the whole call, then of each stage that the answers name."""
    whole = [record.latency_ms for record in records]
    found = {f"latency_p{q}_ms": percentile(whole, q=q, clusters=clusters) for q in (50, 95)}
    timings = [record.answer["timings_ms"] if record.answer else {} for record in records]
    for stage in dict.fromkeys(name for stages in timings for name in stages if name != "total"):
        taken = [stages.get(stage) for stages in timings]
        found |= {f"latency_{stage}_p{q}_ms": percentile(taken, q=q, clusters=clusters) for q in (50, 95)}
    return found


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
