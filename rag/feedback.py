"""What readers thought of answers: thumbs with a reason, kept beside the answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from rag.archive_tables import epoch
from rag.database import Database
from rag.errors import NotFoundError

Rating = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """One reader's word on one answer; `reason` may be empty."""

    answer_id: str
    rating: Rating
    reason: str
    at: datetime


class FeedbackBook:
    """The feedback table."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, feedback: Feedback) -> None:
        """Keep it.

        Raises:
            NotFoundError: There is no such answer.
        """
        with self._db.transaction() as db:
            if not db.rows("SELECT 1 FROM answers WHERE id = ?", [feedback.answer_id]):
                raise NotFoundError(f"No answer has the id {feedback.answer_id!r}.")
            db.execute(
                "INSERT INTO feedback (answer_id, rating, reason, at) VALUES (?, ?, ?, ?)",
                [feedback.answer_id, feedback.rating, feedback.reason, epoch(feedback.at)],
            )

    def all(self) -> list[Feedback]:
        """Return all feedback, oldest first."""
        rows = self._db.rows("SELECT answer_id, rating, reason, at FROM feedback ORDER BY rowid")
        return [
            Feedback(row["answer_id"], row["rating"], row["reason"], datetime.fromtimestamp(row["at"], UTC))
            for row in rows
        ]
