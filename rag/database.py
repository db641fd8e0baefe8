"""The SQLite file of a home: opening and migrating it, transactions, rows."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.archive_tables import MIGRATIONS, SCHEMA, SCHEMA_VERSION
from rag.errors import StoreError


class Database:
    """One open file. Many threads may share one object; writes are serialised."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open the file, making it or bringing it up to date if need be.

        Raises:
            StoreError: The file is no archive, or was made by a newer Pressmark.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
            for step in range(max(version, 1), SCHEMA_VERSION) if version else ():
                connection.executescript(f"BEGIN; {MIGRATIONS[step]} PRAGMA user_version = {step + 1}; COMMIT;")
        except sqlite3.DatabaseError as error:
            connection.close()
            raise StoreError(
                f"{path} is not a Pressmark archive ({error}): move it away or choose another --home."
            ) from error
        if version > SCHEMA_VERSION:
            connection.close()
            raise StoreError(f"{path} was made by a newer Pressmark (schema {version}): upgrade to read it.")
        return cls(connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run the block as one transaction, or as a part of the one that is open; an exception undoes all of it."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Return all rows of a query.

        Where an id is given, other columns are written "+current": the plus keeps SQLite from choosing their index,
        which almost every row is in, over that of the ids.
        """
        with self._lock:
            return self._connection.execute(sql, values).fetchall()
