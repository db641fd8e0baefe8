"""Evals that the page starts: one at a time, in a thread of its own, kept in the home like those of the command."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eval.datasets import load_questions
from eval.runner import run
from eval.runs import FOLDER, Runs
from eval.sample import QUESTIONS
from rag.errors import BusyError, NotFoundError, PressmarkError
from ui.problems import reason

if TYPE_CHECKING:
    from ui.desk import Desk

SAMPLE = "Sample questions"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EvalState:
    """How far the last eval is that was started here; `error` says why it ended early."""

    dataset: str
    done: int = 0
    of: int = 0
    running: bool = True
    error: str = ""


class EvalDesk:
    """Starts evals and finds those that are kept."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._state: EvalState | None = None
        self.runs = Runs(desk.settings.folder)

    @property
    def state(self) -> EvalState | None:
        """Of the last eval that was started here; None before the first."""
        return self._state

    def datasets(self) -> list[str]:
        """Return the names of the question files: the sample's, and those in `home/evals/questions`."""
        return [SAMPLE, *(path.name for path in sorted(self._folder.glob("*.jsonl")))]

    def start(self, dataset: str) -> None:
        """Begin an eval.

        Raises:
            BusyError: One is running.
            NotFoundError: There is no such question file.
            DatasetError: It is not in the documented form.
        """
        if dataset not in self.datasets():
            raise NotFoundError(f"No question file has the name {dataset!r}.")
        path = QUESTIONS if dataset == SAMPLE else self._folder / dataset
        questions = load_questions(path)
        with self._lock:
            if self._state and self._state.running:
                raise BusyError("An eval is running: wait for its end.")
            self._state = EvalState(dataset, of=len(questions))

        def work() -> None:
            state = EvalState(dataset, of=len(questions))
            try:
                done = run(
                    self._desk.chain,
                    questions,
                    dataset=path,
                    settings=self._desk.settings,
                    progress=lambda now, of: self._set(EvalState(dataset, now, of)),
                )
                self.runs.keep(done, dataset)
                state = EvalState(dataset, len(questions), len(questions), running=False)
            except PressmarkError as error:
                state = EvalState(dataset, running=False, error=reason(error))
            except Exception:
                _log.exception("An eval failed")
                state = EvalState(dataset, running=False, error="Something went wrong on the server; see its log.")
            finally:
                self._set(state)

        threading.Thread(target=work, name="eval", daemon=True).start()

    @property
    def _folder(self) -> Path:
        return self._desk.settings.folder / FOLDER / "questions"

    def _set(self, state: EvalState) -> None:
        self._state = state
