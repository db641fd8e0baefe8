"""What an eval run leaves: a record for each question, all of it in one file, and a partial file while it goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

from pydantic import TypeAdapter, ValidationError

from rag.errors import DatasetError

FORM = 2
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
        cluster: Questions with the same one rest on the same articles (`eval.clusters`).
        confidence: The answer's; of a baseline that of the answer it is built on.
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
    cluster: str = ""
    confidence: float | None = None


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
        judge: What judged whether claims are supported, "" if nothing did.
        peak_mb: Most memory the process had, in MiB; with the models and everything before the run.
    """

    created_at: datetime
    k: int
    settings: dict[str, Any]  # as pydantic dumps them
    versions: dict[str, str]
    data_digest: str
    records: tuple[Record, ...]
    baselines: dict[str, tuple[Record, ...]] = field(default_factory=dict)
    form: int = FORM
    judge: str = ""
    peak_mb: float = 0.0

    def save(self, path: Path) -> None:
        """Write the run as one JSON file.

        Raises:
            DatasetError: It cannot be written there.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_adapter().dump_json(self, indent=1) + b"\n")
        except OSError as error:
            raise DatasetError(
                f"The run cannot be written to {path} ({error.strerror}): choose another place."
            ) from error

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
class Answered:
    """One question's record, and those of the trivial systems by name."""

    record: Record
    baselines: dict[str, Record]


class Partial:
    """The questions done so far, a line each, so that a killed run loses at most the one in flight.

    Attributes:
        done: What an earlier run of the same kind left.
    """

    def __init__(self, path: Path | None, identity: dict[str, Any]) -> None:
        self.done: list[Answered] = []
        self._path = path
        self._identity = identity
        self._file: IO[str] | None = None

    def __enter__(self) -> Partial:
        """Read what is there and open the file for more.

        Raises:
            DatasetError: It is of another run.
        """
        if self._path is None:
            return self
        self._path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._read(self._path) if self._path.exists() else 0
        self._file = self._path.open("r+" if whole else "w", encoding="utf-8", newline="\n")
        if whole:
            self._file.seek(whole)
            self._file.truncate()  # a line that was cut off in the middle
        else:
            self._write(json.dumps(self._identity))
        return self

    def __exit__(self, error: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        """Close the file, and delete it if the run came to its end."""
        if self._file is not None:
            self._file.close()
            if error is None and self._path is not None:
                self._path.unlink()

    def add(self, one: Answered) -> None:
        """Write a finished question."""
        if self._file is not None:
            self._write(_answered().dump_json(one).decode())

    def _write(self, line: str) -> None:
        if self._file is not None:
            self._file.write(line + "\n")
            self._file.flush()

    def _read(self, path: Path) -> int:
        """Take what earlier lines hold; return the bytes of those that are whole."""
        lines = path.read_bytes().split(b"\n")[:-1]
        if not lines:
            return 0
        try:
            identity = json.loads(lines[0])
        except ValueError:
            identity = None
        if identity != json.loads(json.dumps(self._identity)):
            raise DatasetError(
                f"{path} was left by a run with other questions, settings or versions: delete it, or run that one to "
                "its end."
            )
        self.done = [_answered().validate_json(line) for line in lines[1:]]
        return sum(len(line) + 1 for line in lines)


@cache
def _adapter() -> TypeAdapter[Run]:
    return TypeAdapter(Run)


@cache
def _answered() -> TypeAdapter[Answered]:
    return TypeAdapter(Answered)
