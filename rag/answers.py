"""Answers kept for replay, as JSON in the archive."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from rag.archive_tables import epoch
from rag.database import Database
from rag.errors import NotFoundError
from rag.schema import Answer

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Answers:
    """The answers table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, answer: Answer) -> None:
        """Keep an answer for replay."""
        body = answers_adapter().dump_json(answer).decode()
        self._db.put(
            "INSERT INTO answers VALUES (?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, body = excluded.body",
            [answer.id, epoch(answer.created_at), body],
        )

    def get(self, answer_id: str) -> Answer:
        """Return a stored answer.

        Raises:
            NotFoundError: There is none with that id.
        """
        rows = self._db.rows("SELECT body FROM answers WHERE id = ?", [answer_id])
        if not rows:
            raise NotFoundError(f"No answer has the id {answer_id!r}.")
        return answers_adapter().validate_json(rows[0]["body"])


@cache
def answers_adapter() -> TypeAdapter[Answer]:
    """Return the converter between `Answer` and JSON."""
    from pydantic import TypeAdapter

    return TypeAdapter(Answer)
