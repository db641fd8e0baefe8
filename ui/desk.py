"""Where every door of the server asks: so many questions at once, so long, each counted and logged.

A question that finds all places taken waits for one; if too many wait already it is refused at once, which a caller
can handle better than a connection that hangs.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from rag.errors import AnswerTimeoutError, BusyError
from rag.schema import Answer, Event, Query
from ui.metrics import Metrics

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.chain import AnswerChain
    from rag.settings import Settings

Door = Literal["window", "api", "openai", "mcp", "gradio"]
_log = logging.getLogger("pressmark")


class _Places:
    """So many places, first come first served: of a semaphore, newcomers take the places of those that wait."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    def acquire(self, timeout: float) -> bool:
        """Take a place, waiting for it so many seconds; return whether there was one."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(timeout):
            return True
        with self._lock:
            if mine.is_set():  # given in this moment
                return True
            self._waiting.remove(mine)
            return False

    def release(self) -> None:
        """Give the place to who has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


class Desk:
    """One server's chain with its limits. Threads share it.

    Attributes:
        chain: Answers the questions.
        settings: Hold the limits.
        metrics: Count what happens.
    """

    def __init__(self, chain: AnswerChain, settings: Settings, metrics: Metrics | None = None) -> None:
        self.chain = chain
        self.settings = settings
        self.metrics = metrics or Metrics(chain.store.archive)
        self._places = _Places(settings.answers_at_once)
        self._inside = 0
        self._lock = threading.Lock()

    @property
    def archive(self) -> Archive:
        """The archive that is asked."""
        return self.chain.store.archive

    def stream(self, query: Query, door: Door) -> Iterator[Event]:
        """Yield what the chain yields; closing the iterator gives the place back.

        Raises:
            BusyError: Too many questions wait already.
            AnswerTimeoutError: The answer was not complete in time.
            ValueError: The question is empty or too long.
        """
        began = time.monotonic()
        self._enter()
        try:
            if not self._places.acquire(self.settings.answer_timeout_s):
                raise self._late()
            try:
                for event in self.chain.stream(query):
                    if isinstance(event, Answer):
                        self._tell(event, door, time.monotonic() - began)
                    elif time.monotonic() - began > self.settings.answer_timeout_s:
                        raise self._late()
                    yield event
            finally:
                self._places.release()
        finally:
            with self._lock:
                self._inside -= 1

    def invoke(self, query: Query, door: Door) -> Answer:
        """Return the answer; errors as in `stream`."""
        *_, answer = self.stream(query, door)
        if not isinstance(answer, Answer):
            raise TypeError(f"the stream ended with {answer!r}, not with an answer")
        return answer

    def _enter(self) -> None:
        with self._lock:
            if self._inside >= self.settings.answers_at_once + self.settings.answers_waiting:
                self.metrics.busy.inc()
                raise BusyError(f"{self._inside} questions are being answered or wait: try again in a few seconds.")
            self._inside += 1

    def _late(self) -> AnswerTimeoutError:
        self.metrics.late.inc()
        return AnswerTimeoutError(
            f"The answer was not complete after {self.settings.answer_timeout_s:g} seconds; ask again when fewer "
            "questions wait. PRESSMARK_ANSWER_TIMEOUT_S allows more."
        )

    def _tell(self, answer: Answer, door: Door, seconds: float) -> None:
        self.metrics.answered(answer, door, seconds)
        if random.random() < self.settings.grounding_sample:
            self.archive.served.add(answer, door, seconds)
        told = {
            "answer": answer.id,
            "door": door,
            "status": answer.status,
            "claims": len(answer.claims),
            "model": answer.model,
            "seconds": round(seconds, 3),
        }
        if self.settings.log_questions:
            told["question"] = answer.question
        _log.info("answered", extra={"told": told})
