"""Ingests that a server was asked for: what is being read, how far it is, what came of it. Kept over a restart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Literal

from rag.archive_tables import epoch
from rag.database import Database
from rag.errors import NotFoundError

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class IngestRecord:
    """One ingest.

    Attributes:
        what: What is read, for a person: file names, an address.
        state: "interrupted" if the server stopped before its end; asking again goes on where it was.
        done: Share in [0, 1].
        articles: Added, updated and unchanged so far.
        report: What came of it, for a person; "" before the end.
        problems: What could not become an article or is doubtful, a line each.
        home: Which server's home reads it, of several at one archive.
    """

    id: str
    what: str
    state: Literal["waiting", "running", "done", "failed", "interrupted"]
    asked_at: datetime
    done: float = 0.0
    articles: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    report: str = ""
    problems: tuple[str, ...] = ()
    home: str = ""


class Ingests:
    """The table of ingests."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, record: IngestRecord) -> None:
        """Keep a record, in place of an earlier one with its id."""
        body = _adapter().dump_json(record).decode()
        with self._db.transaction() as db:
            db.execute(
                "INSERT INTO ingests (id, at, body) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET at = excluded.at, body = excluded.body",
                [record.id, epoch(record.asked_at), body],
            )

    def get(self, ingest_id: str) -> IngestRecord:
        """Return a record.

        Raises:
            NotFoundError: There is none with that id.
        """
        rows = self._db.rows("SELECT body FROM ingests WHERE id = ?", [ingest_id])
        if not rows:
            raise NotFoundError(f"No ingest has the id {ingest_id!r}.")
        return _adapter().validate_json(rows[0]["body"])

    def latest(self, limit: int) -> list[IngestRecord]:
        """Return the last ones asked for, newest first."""
        rows = self._db.rows("SELECT body FROM ingests ORDER BY at DESC, rowid DESC LIMIT ?", [limit])
        return [_adapter().validate_json(row["body"]) for row in rows]


@cache
def _adapter() -> TypeAdapter[IngestRecord]:
    from pydantic import TypeAdapter

    return TypeAdapter(IngestRecord)
