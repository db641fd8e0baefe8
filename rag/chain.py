"""The retrieval chain: a LangChain `Runnable` from `Query` to a checked `Answer`.

1 standalone question, 2 time window, 3 retrieve, 4 read or write, 5 resolve citations, 6 verify each
sentence, 7 the answer, stored by id. With a chat model each sentence leaves step 6 before it is shown.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import (
    ensure_config,
    get_callback_manager_for_config,
    patch_config,
    set_config_context,
)

from rag.abstention import nearest_text, refusal_text, what_is_missing
from rag.checking import check_sentence, is_refusal
from rag.citations import CitationBook, parse_markers, with_markers
from rag.composer import Draft, compose
from rag.dialogue import standalone_question
from rag.errors import ChatModelError
from rag.events import event_in, window_from
from rag.prompts import fitting
from rag.providers import chat_model
from rag.reader import Reading, read, reranked, shipped_model
from rag.retriever import HybridRetriever
from rag.rules import check_by_rules
from rag.schema import (
    Answer,
    Claim,
    ClaimShown,
    Conflict,
    Event,
    Query,
    RetrievedPassage,
    ShortAnswer,
    Stage,
    Status,
    TimeWindow,
)
from rag.settings import Settings
from rag.span_model import shipped_network
from rag.store import Store
from rag.timeframe import window_of
from rag.verifier import Verifier, verifier_of
from rag.words import content_stems, stem, tokens
from rag.writer import Limits, write

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

BUILTIN = "builtin"
MOST_WORDS = 0.6  # of the sentence that most likely answers; what holds so many says it


@dataclass(slots=True)
class _Work:
    """What the steps of one question hand on to each other."""

    query: Query
    search_query: str = ""
    window: TimeWindow | None = None
    found: list[RetrievedPassage] = field(default_factory=list)
    reading: Reading = field(default_factory=lambda: Reading((), 0.0))
    book: CitationBook = field(default_factory=CitationBook)
    claims: list[Claim] = field(default_factory=list)
    conflicts: tuple[Conflict, ...] = ()
    short: ShortAnswer | None = None
    notes: list[str] = field(default_factory=list)
    elsewhere: str = ""  # what a window leaves out, should nothing in it answer
    raw: list[str] = field(default_factory=list)
    withheld: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    model: str = BUILTIN
    timings: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)

    def lap(self, name: str, since: float) -> None:
        self.timings[name] = self.timings.get(name, 0.0) + round((time.perf_counter() - since) * 1000, 1)


class AnswerChain(Runnable[Any, Event]):
    """Questions to answers over one open store.

    `invoke` returns the `Answer`; `stream` yields stages, then each claim as it passes the check,
    and the `Answer` last; `batch` answers several. Input is a `Query`, a question as a string, or a
    dict of `Query` fields. Threads may share a chain.
    """

    def __init__(self, store: Store, settings: Settings, model: BaseChatModel | None = None) -> None:
        self.store = store
        self.settings = settings
        self.retriever = HybridRetriever(
            store, k=settings.k, candidates=settings.candidates, bm25_weight=settings.bm25_weight
        )
        self._model = model
        self._verifier = verifier_of(settings, model) if model is not None else Verifier()

    def invoke(
        self, input: Query | str | dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> Answer:
        """Answer one question.

        Raises:
            ValueError: The question is empty or too long.
        """
        *_, answer = self.stream(input, config, **kwargs)
        if not isinstance(answer, Answer):
            raise TypeError(f"the stream ended with {answer!r}, not with an answer")
        return answer

    def stream(
        self, input: Query | str | dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Event]:
        """Yield `Stage`, `ClaimShown` and, last, the stored `Answer`.

        The callbacks of `config` are told of the chain's run, and of the chat model's within it.

        Raises:
            ValueError: The question is empty or too long.
        """
        query = _query(input, self.settings.question_chars)
        config = ensure_config(config)
        run = get_callback_manager_for_config(config).on_chain_start(
            None, {"question": query.question}, name=config.get("run_name") or "pressmark"
        )
        event: Event | None = None
        try:
            # Each step in a context of its own, where a chat model finds the run that it is a part of.
            with set_config_context(patch_config(config, callbacks=run.get_child())) as context:
                events = self._events(_Work(query=query))
                while (found := context.run(next, events, None)) is not None:
                    event = found
                    yield event
        except Exception as error:
            run.on_chain_error(error)
            raise
        run.on_chain_end({"answer": event.text, "id": event.id} if isinstance(event, Answer) else {})

    def _events(self, work: _Work) -> Iterator[Event]:
        yield Stage("understanding")
        self._understand(work)
        yield Stage("searching", f"{self.store.archive.count_in(work.window, work.query.sources):,} articles")
        self._search_and_read(work)
        refused = False
        if self._model is not None and work.found:
            yield Stage("writing", f"from {len(work.found)} passages")
            refused = yield from self._written(work, self._model)
        if not refused and self._answerable(work.reading) and not _tells_the_best(work):
            yield Stage("reading", f"{len(work.found)} passages")
            yield from self._extracted(work)
        answer = self._answer(work)
        self.store.archive.answers.add(answer)
        yield answer

    def close(self) -> None:
        """Give the store back."""
        self.store.close()

    # -- the steps, in order -----------------------------------------------------------------------

    def _understand(self, work: _Work) -> None:
        """Steps 1 and 2: the standalone question and the time window."""
        since = time.perf_counter()
        query = work.query
        try:
            work.search_query = standalone_question(query.question, query.turns, self._model)
        except Exception as error:  # each provider raises its own classes; the rules need none
            work.notes.append(f"The chat model could not complete the question ({type(error).__name__}); rules did.")
            work.search_query = standalone_question(query.question, query.turns)
        work.window = query.window
        if work.window is None and query.infer_window:
            now = query.now or self.settings.as_of or datetime.now(UTC)
            work.window = window_of(query.question, now) or window_of(work.search_query, now)
            event = None if work.window else event_in(work.search_query)
            if event:
                found = self.retriever.retrieve(event.words, sources=query.sources)
                work.window = window_from(event, found)
        work.lap("understand", since)

    def _search_and_read(self, work: _Work) -> None:
        """Step 3 and the reader's half of step 4.

        A window that the reader of the page set is kept to; if nothing in it answers, a note names the nearest
        articles outside. One that was only inferred gives way, with a note, if nothing in it answers and something
        outside does: "in 2017" may be what a question is about and not when it was reported.
        """
        self._search(work, work.window)
        if work.window is None or self._answerable(work.reading):
            return
        inside = (work.found, work.reading)
        self._search(work, None)
        if work.query.window is not None:
            known = {item.passage.article_id for item in inside[0]}
            outside = [item for item in work.found if item.passage.article_id not in known]
            if outside:
                scope = "Nothing published then answers this" if inside[0] else "No article was published then"
                work.elsewhere = f"{scope}. {nearest_text(outside, 'Nearest at other times')}"
            work.found, work.reading = inside
        elif self._answerable(work.reading) or not inside[0]:
            scope = "Nothing published then answers this" if inside[0] else "No article was published then"
            words = work.window.inferred_from if work.window else ""
            work.notes.append(f"{scope} (“{words}”); all dates were searched.")
            work.window = None
        else:
            work.found, work.reading = inside

    def _search(self, work: _Work, window: TimeWindow | None) -> None:
        since = time.perf_counter()
        also = [work.query.question] if work.search_query != work.query.question else []
        work.found = self.retriever.retrieve(work.search_query, window=window, sources=work.query.sources, also=also)
        work.lap("retrieve", since)
        since = time.perf_counter()
        work.reading = read(
            work.search_query,
            work.found,
            network=shipped_network(self.settings.threads),
            counts=self.store.archive.full_text,
        )
        work.found = reranked(work.found, work.reading)
        work.lap("read", since)

    def _written(self, work: _Work, model: BaseChatModel) -> Generator[Event, None, bool]:
        """Steps 4 to 6 with a chat model; return whether the model said that the archive does not say.

        It is not believed if a passage speaks to the program: it may have been told to.
        """
        since = time.perf_counter()
        refused = False
        settings = self.settings
        limits = Limits(settings.chat_context, settings.chat_answer_tokens, settings.chat_timeout_s)
        texts = fitting(work.search_query, work.found, limits.context - limits.answer)
        if len(texts) < len(work.found):
            work.notes.append(
                f"The chat model read {len(texts)} of {len(work.found)} passages: PRESSMARK_CHAT_CONTEXT has no room "
                "for more."
            )
        found, said = work.found[: len(texts)], set[str]()
        try:
            for sentence in write(work.search_query, found, texts, model, limits, work.tokens):
                work.raw.append(sentence)
                if is_refusal(sentence):
                    refused = True
                    continue
                words = " ".join(tokens(parse_markers(sentence, len(found)).text))
                if words in said:  # small models go in circles
                    continue
                said.add(words)
                checked = check_sentence(sentence, found, work.book, self._verifier, lenient=settings.lenient)
                work.withheld += checked.withheld
                if checked.shown is not None:
                    work.claims.append(checked.shown.claim)
                    yield checked.shown
        except ChatModelError as error:
            work.notes.append(f"{error} What is shown was checked before that.")
        work.model = self.settings.chat_model
        work.lap("write", since)
        if work.withheld:
            sentences = "1 sentence" if work.withheld == 1 else f"{work.withheld} sentences"
            work.notes.append(f"{sentences} withheld: the archive does not support what the chat model wrote.")
        return refused and not work.claims and not any(item.instructed for item in found)

    def _extracted(self, work: _Work) -> Iterator[Event]:
        """Steps 4 to 6 without a chat model: exact sentences, checked like any other.

        They follow what a chat model wrote if that does not say what most likely answers.
        """
        if work.model != BUILTIN:
            place = "Added" if work.claims else "Shown instead"
            work.notes.append(f"{place}: the evidence the built-in reader found.")
        draft: Draft = compose(work.search_query, work.reading, work.book)
        quotes = {citation.number: citation for citation in work.book.citations}
        since = time.perf_counter()
        for claim in draft.claims:
            check = check_by_rules(claim.text, [quotes[number].quote for number in claim.citations])
            claim = replace(claim, verdict=check.verdict, score=check.score, reasons=check.reasons)
            work.claims.append(claim)
            yield ClaimShown(claim, tuple(quotes[number] for number in claim.citations))
        work.lap("verify", since)
        work.conflicts = draft.conflicts
        if len(work.claims) == len(draft.claims):  # after what a chat model wrote it would come too late
            work.short = draft.short
        work.notes += draft.notes

    def _answer(self, work: _Work) -> Answer:
        """Step 7."""
        status: Status = "answered"
        if not work.claims:
            status = "abstained"
            if work.elsewhere:
                work.notes.append(work.elsewhere)
            missing = what_is_missing(work.search_query, work.found)
            if missing:
                work.notes.append(missing)
            elif not self.store.archive.count_in(None):
                work.notes.append("The archive is empty: `pressmark ingest PATH` fills it.")
        elif work.withheld or any(claim.verdict != "supported" for claim in work.claims):
            status = "partial"
        work.lap("total", work.began)
        return Answer(
            id=uuid.uuid4().hex[:16],
            question=work.query.question,
            search_query=work.search_query,
            window=work.window,
            status=status,
            claims=tuple(work.claims),
            text=_text(work),
            raw_text=" ".join(work.raw),
            citations=work.book.citations,
            retrieved=tuple(work.found),
            conflicts=work.conflicts,
            notes=tuple(work.notes),
            confidence=round(work.reading.confidence, 4),
            model=work.model,
            timings_ms=work.timings,
            created_at=datetime.now(UTC),
            short=work.short,
            withheld=work.withheld,
            tokens=dict(work.tokens),
        )

    def _answerable(self, reading: Reading) -> bool:
        threshold = self.settings.abstain_below
        return reading.confidence >= (shipped_model().abstain_below if threshold is None else threshold)


def build_chain(settings: Settings, *, store: Store | None = None) -> AnswerChain:
    """Open the store of the settings' home (or take an open one) and the chat model they name.

    Raises:
        StoreError: The home cannot be opened, or another process owns it.
        ModelError: A model cannot be loaded.
    """
    with ThreadPoolExecutor(1) as beside:
        network = beside.submit(shipped_network, settings.threads)  # mostly outside of Python: it costs no time so
        model = chat_model(settings)
        opened = store or Store.open(settings)
        try:
            network.result()
            return AnswerChain(opened, settings, model)
        except BaseException:
            if store is None:
                opened.close()
            raise


def _tells_the_best(work: _Work) -> bool:
    """Tell whether what is shown so far says what the reader found most likely to answer: its words, or most of it."""
    if not work.claims or not work.reading.sentences:
        return False
    best = work.reading.sentences[0]
    said = {stem(word) for claim in work.claims for word in tokens(claim.text)}
    if best.answer is not None and best.answer.score > 0:
        words = best.text[best.answer.start - best.start : best.answer.end - best.start]
        if telling := set(content_stems(words)):
            return telling <= said
    wanted = set(content_stems(best.text))
    return len(wanted & said) >= MOST_WORDS * len(wanted)


def _query(input: Query | str | dict[str, Any], longest: int) -> Query:
    if isinstance(input, str):
        query = Query(input)
    elif isinstance(input, dict):
        from pydantic import TypeAdapter

        query = TypeAdapter(Query).validate_python(input)
    else:
        query = input
    question = " ".join(query.question.split())
    if not any(character.isalnum() for character in question):
        raise ValueError("The question is empty: ask something.")
    if len(question) > longest:
        raise ValueError(f"The question has {len(question)} characters, the most is {longest}: shorten it.")
    return replace(query, question=question)


def _text(work: _Work) -> str:
    if work.claims:
        between = "\n" if work.model == BUILTIN or not work.raw else " "
        lines = [with_markers(claim.text, claim.citations) for claim in work.claims]
        if work.short:
            lines.insert(0, with_markers(work.short.text, (work.short.citation,)))
        return between.join(lines)
    return refusal_text(work.found)
