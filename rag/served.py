"""How well the answers that a server gave were grounded: a rolling report, without questions or texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from rag.archive_tables import epoch
from rag.database import Database, Row
from rag.schema import Answer

KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class ServedDay:
    """The answers of one day (UTC), or of a span of days; counts are of those sampled.

    Attributes:
        day: The day; the last one of a span.
        claims: Sentences shown.
        supported: Of them with the verdict "supported".
        withheld: Sentences of a chat model that were not shown.
        p50_ms: Median from question to answer; 0 without answers.
        p95_ms: 95th percentile.
    """

    day: date
    answers: int
    abstained: int
    claims: int
    supported: int
    withheld: int
    p50_ms: float
    p95_ms: float


class ServedAnswers:
    """The table of served answers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, answer: Answer, door: str, seconds: float) -> None:
        """Note an answer; those older than `KEPT_DAYS` are forgotten."""
        supported = sum(claim.verdict == "supported" for claim in answer.claims)
        at = epoch(answer.created_at)
        self._db.put(
            "INSERT INTO served VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                at, door, answer.status == "abstained", len(answer.claims), supported, answer.withheld,
                round(1000 * seconds, 1),
            ],
        )  # fmt: skip
        self._db.put("DELETE FROM served WHERE at < ?", [at - KEPT_DAYS * 86_400])

    def since(self, moment: datetime) -> ServedDay:
        """Return all answers since a moment as one."""
        rows = self._db.rows("SELECT * FROM served WHERE at >= ? ORDER BY at", [epoch(moment)])
        return _day(datetime.now(UTC).date(), rows)

    def days(self, now: datetime, *, count: int = 30) -> list[ServedDay]:
        """Return the last days that have answers, newest first."""
        first = (now - timedelta(days=count)).astimezone(UTC)
        by_day: dict[date, list[Row]] = {}
        for row in self._db.rows("SELECT * FROM served WHERE at >= ? ORDER BY at DESC", [epoch(first)]):
            by_day.setdefault(datetime.fromtimestamp(row["at"], UTC).date(), []).append(row)
        return [_day(day, rows) for day, rows in by_day.items()]


def _day(day: date, rows: Sequence[Row]) -> ServedDay:
    taken = [row["ms"] for row in rows] or [0.0]
    return ServedDay(
        day=day,
        answers=len(rows),
        abstained=sum(row["abstained"] for row in rows),
        claims=sum(row["claims"] for row in rows),
        supported=sum(row["supported"] for row in rows),
        withheld=sum(row["withheld"] for row in rows),
        p50_ms=float(np.percentile(taken, 50)),
        p95_ms=float(np.percentile(taken, 95)),
    )
