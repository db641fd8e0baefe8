"""Files of public datasets as entries, each with its place, and all that is wrong with them in one error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError

from ingest.clean import normalise
from rag.errors import DatasetError

_SHOWN = 20
_SHOWN_REASONS = 3  # of one place

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a file.

    Attributes:
        where: As people name it: "line 3" or "record 3", 1-based.
        position: The number in it.
        value: As parsed from JSON; not yet looked at.
    """

    where: str
    position: int
    value: object


class Layout(BaseModel):
    """What an entry must hold; further fields are skipped, as public files have many."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


def _filled(text: str) -> str:
    if not normalise(text):
        raise ValueError("is empty")
    return text


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Filled = Annotated[str, AfterValidator(_filled)]
Id = Annotated[str, BeforeValidator(_as_text), AfterValidator(_filled)]
"""An id; some files write it as a number."""


class Faults:
    """What is wrong with a file, by place: raised together, so that all of it can be mended at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[str] = []
        self._seen: dict[str, str] = {}

    def add(self, where: str, reason: str) -> None:
        """Note one fault."""
        self._found.append(f"  {where}: {reason}")

    def checked(self, layout: type[Model], entry: Entry) -> Model | None:
        """Return the entry in its layout; None, with the fault noted, if it is not in it."""
        if isinstance(entry.value, _NotJson):
            self.add(entry.where, entry.value.reason)
            return None
        try:
            return layout.model_validate(entry.value)
        except ValidationError as error:
            self.add(entry.where, _reason(error))
            return None

    def repeated(self, id_: str, where: str) -> bool:
        """Return True, with the fault noted, if the id was at an earlier place; else remember it."""
        first = self._seen.setdefault(id_, where)
        if first != where:
            self.add(where, f"the id {id_!r} is already on {first}")
        return first != where

    def raise_any(self) -> None:
        """Raise what was noted.

        Raises:
            DatasetError: There is a fault; all are counted, at most 20 shown.
        """
        if not self._found:
            return
        more = [f"  and {len(self._found) - _SHOWN} more"] if len(self._found) > _SHOWN else []
        head = f"{self._path} has {len(self._found)} bad place{'s' if len(self._found) > 1 else ''}; mend them:"
        raise DatasetError("\n".join([head, *self._found[:_SHOWN], *more]))


def read_text(path: Path) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        DatasetError: It cannot be read as UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as UTF-8 text ({error}): give the dataset's own file.") from error


def read_json(path: Path) -> object:
    """Return what a JSON file holds.

    Raises:
        DatasetError: It cannot be read, or is not JSON.
    """
    try:
        value: object = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not JSON ({error}): give the dataset's own file.") from error
    return value


def read_entries(path: Path, *, under: str = "data") -> Iterator[Entry]:
    """Yield the records of JSON lines, of a JSON list, or of the list under a name; a file's ending does not matter.

    A line that is not JSON is yielded too: `Faults.checked` names it.

    Raises:
        DatasetError: The file cannot be read, or is one JSON value without a list of records.
    """
    text = read_text(path)
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("["):
            raise DatasetError(f"{path} is not JSON ({error}): give the dataset's own file.") from error
        yield from _lines(text)
        return
    if isinstance(value, dict):
        value = value[under] if isinstance(value.get(under), list) else [value]
    if not isinstance(value, list):
        raise DatasetError(f"{path} holds no list of records: give the dataset's own file.")
    for position, item in enumerate(value, 1):
        yield Entry(f"record {position}", position, item)


@dataclass(frozen=True, slots=True)
class _NotJson:
    reason: str


def _lines(text: str) -> Iterator[Entry]:
    # Not splitlines(): it also breaks at U+2028 and U+0085, which JSON strings may hold.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            value = _NotJson(f"not JSON ({error})")
        yield Entry(f"line {number}", number, value)


def _reason(error: ValidationError) -> str:
    found = []
    for item in error.errors(include_url=False):
        place = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        found.append(f"{place}: {message}" if place else message)
    more = [f"and {len(found) - _SHOWN_REASONS} more"] if len(found) > _SHOWN_REASONS else []
    return "; ".join([*found[:_SHOWN_REASONS], *more])
