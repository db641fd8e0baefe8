"""Eval runs kept in a home: `evals/*.json`, each beside a card with its figures, so that a list is read quickly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from eval.records import Run
from eval.runner import Figure, figures
from rag.errors import DatasetError, NotFoundError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FOLDER = "evals"
_NAME = re.compile(r"\d{8}-\d{6}(-\d+)?")
_CARD = ".card.json"


@dataclass(frozen=True, slots=True)
class RunCard:
    """A run in a list.

    Attributes:
        name: Of its file, without ending.
        questions: How many were asked.
        figures: Of the system itself, over all questions and over each split.
    """

    name: str
    created_at: datetime
    dataset: str
    model: str
    questions: int
    figures: tuple[Figure, ...]


class Runs:
    """The runs of one home."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def keep(self, run: Run, dataset: str, found: Sequence[Figure] | None = None) -> str:
        """Write a run and its card; return its name."""
        name = f"{run.created_at:%Y%m%d-%H%M%S}"
        place = 1
        while (self._folder / f"{name}.json").exists():
            place += 1
            name = f"{run.created_at:%Y%m%d-%H%M%S}-{place}"
        known = figures(run) if found is None else found
        ours = tuple(figure for figure in known if figure.system == "pressmark" and not figure.group.startswith("tag:"))
        models = sorted({str(record.answer["model"]) for record in run.records if record.answer})
        card = RunCard(name, run.created_at, dataset, ", ".join(models), len(run.records), ours)
        run.save(self._folder / f"{name}.json")
        (self._folder / f"{name}{_CARD}").write_bytes(_adapter().dump_json(card))
        return name

    def latest(self, limit: int = 50) -> list[RunCard]:
        """Return the cards of the last runs, newest first.

        Raises:
            DatasetError: One of them is damaged.
        """
        names = sorted((path.name.removesuffix(_CARD) for path in self._folder.glob(f"*{_CARD}")), reverse=True)
        return [self._card(self._folder / f"{name}{_CARD}") for name in names[:limit]]

    def _card(self, path: Path) -> RunCard:
        from pydantic import ValidationError

        try:
            return _adapter().validate_json(path.read_bytes())
        except ValidationError as error:
            raise DatasetError(f"{path} is damaged: delete it. Its run, without .card, can still be read.") from error

    def get(self, name: str) -> Run:
        """Return a run.

        Raises:
            NotFoundError: There is none of that name.
            DatasetError: Its file is damaged.
        """
        path = self._folder / f"{name}.json"
        if not _NAME.fullmatch(name) or not path.exists():
            raise NotFoundError(f"No eval run has the name {name!r}.")
        return Run.load(path)


@cache
def _adapter() -> TypeAdapter[RunCard]:
    from pydantic import TypeAdapter

    return TypeAdapter(RunCard)
