"""Where the archive's rows are: a SQLite file in the home, or a PostgreSQL database. Opening, transactions, rows.

Statements are SQL that both understand, with "?" for values; SQLAlchemy has the connections and hands statements to
the driver as they are, for its own language would cost an ingest several times what SQLite needs for a row. What the
two do not share is in `rag.migrations` (tables) and in `rag.full_text` and `rag.full_text_postgres` (search).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rag.archive_tables import SCHEMA_VERSION, VERSION_TABLE
from rag.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.exc import SQLAlchemyError

Row = Mapping[str, Any]

_DRIVER = "postgresql+psycopg"
_FORM = f"{_DRIVER}://user:password@host/database"
_CONNECT_S = 10
# What a connection is told first. A writer that hangs or whose machine vanished must not stop the others for ever.
_SQLITE = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL")
_POSTGRES = ("SET lock_timeout = '60s'", "SET idle_in_transaction_session_timeout = '5min'")
# What a transaction begins with. In both, one writes at a time: what a transaction reads stays true until its end.
_WRITE_SQLITE = "BEGIN IMMEDIATE"
_WRITE_POSTGRES = "SELECT pg_advisory_xact_lock(hashtext('pressmark ' || current_schema()))"


class Database:
    """An open archive. Many threads may share one object; writes are serialised, also among processes."""

    def __init__(self, engine: Engine, name: str) -> None:
        """Take an engine, and the name that messages give it."""
        self.postgres = engine.dialect.name == "postgresql"
        self.name = name
        self._engine = engine
        # Reading needs no transaction; connections to a file never begin one by themselves.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT") if self.postgres else engine
        self._lock = threading.RLock()  # threads wait here in turn, not by asking the file again and again
        self._thread = threading.local()
        self._closed = False

    @classmethod
    def open(cls, path: Path) -> Database:
        """Open a SQLite file, making it or bringing it up to date if need be.

        Raises:
            StoreError: The file is no archive, or was made by a newer Pressmark.
        """
        from sqlalchemy import URL, create_engine
        from sqlalchemy.exc import DatabaseError

        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            URL.create("sqlite", database=str(path)), isolation_level="AUTOCOMMIT", connect_args={"timeout": 30}
        )
        _tell(engine, _SQLITE)
        db = cls(engine, str(path))
        try:
            db._bring_up_to_date()
        except StoreError as error:
            engine.dispose()
            cause = error.__cause__
            if isinstance(cause, DatabaseError):
                raise StoreError(
                    f"{path} is not a Pressmark archive ({cause.orig}): move it away or choose another --home."
                ) from cause
            raise
        return db

    @classmethod
    def connect(cls, address: str) -> Database:
        """Open a PostgreSQL database, making the tables or bringing them up to date if need be.

        Args:
            address: `postgresql+psycopg://user:password@host/database`; the tables are made in the first schema of the
                search path. The password is in no message.

        Raises:
            SettingsError: It is no such address, or the driver is not installed.
            StoreError: The server does not answer, or the tables were made by a newer Pressmark.
        """
        from sqlalchemy import create_engine

        url = _parsed(address)
        try:
            engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": _CONNECT_S})
        except ModuleNotFoundError as error:
            raise SettingsError(
                "PRESSMARK_ARCHIVE_URL needs the PostgreSQL driver: pip install 'pressmark[postgres]'."
            ) from error
        _tell(engine, _POSTGRES)
        db = cls(engine, url.set(query={}).render_as_string(hide_password=True))
        try:
            db._bring_up_to_date()
        except BaseException:
            engine.dispose()
            raise
        return db

    def close(self) -> None:
        """Close all connections, for good."""
        self._closed = True
        self._engine.dispose()

    # -- statements ------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """Run the block as one transaction, or as a part of the one that is open; an exception undoes all of it.

        Raises:
            StoreError: The database cannot be reached or written.
        """
        from sqlalchemy.exc import SQLAlchemyError

        self._check_open()
        if self._open is not None:
            yield self
            return
        with self._lock:
            try:
                with self._engine.begin() as connection:
                    self._run(connection, _WRITE_POSTGRES if self.postgres else _WRITE_SQLITE)
                    self._thread.connection = connection
                    yield self
            except SQLAlchemyError as error:
                raise self._explained(error) from error
            finally:
                self._thread.connection = None

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Run a statement of the open transaction."""
        self._run(self._writing, sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement of the open transaction for each row of values."""
        values = [self._values(row) for row in rows]
        if values:  # of none the driver would make one without values
            self._writing.exec_driver_sql(self._native(sql), values)

    def put(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run one statement that stands alone, and return how many rows it wrote.

        In PostgreSQL it does not wait for the transactions of others: a question need not wait for an ingest.

        Raises:
            StoreError: The database cannot be reached or written.
        """
        from sqlalchemy.exc import SQLAlchemyError

        self._check_open()
        if not self.postgres or self._open is not None:
            with self.transaction():
                return self._run(self._writing, sql, values).rowcount
        try:
            with self._reading.connect() as connection:
                return self._run(connection, sql, values).rowcount
        except SQLAlchemyError as error:
            raise self._explained(error) from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query; in a transaction, as it left them.

        Where an id is given, other columns are written "+current" or, if they are text, "state || ''": that keeps
        SQLite from choosing their index, which almost every row is in, over that of the ids.

        Raises:
            StoreError: The database cannot be reached or read.
        """
        from sqlalchemy.exc import SQLAlchemyError

        self._check_open()
        if self._open is not None:
            return _all(self._run(self._open, sql, values))
        try:
            with self._reading.connect() as connection:
                return _all(self._run(connection, sql, values))
        except SQLAlchemyError as error:
            raise self._explained(error) from error

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("The archive is closed.")

    @property
    def _open(self) -> Connection | None:
        """The connection of the transaction that this thread is in."""
        return getattr(self._thread, "connection", None)

    @property
    def _writing(self) -> Connection:
        if self._open is None:
            raise RuntimeError("Rows are written in a transaction.")
        return self._open

    def _run(self, connection: Connection, sql: str, values: Sequence[Any] = ()) -> CursorResult[Any]:
        return connection.exec_driver_sql(self._native(sql), self._values(values))

    def _native(self, sql: str) -> str:
        return _for_psycopg(sql) if self.postgres else sql

    def _values(self, values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(map(_for_postgres, values)) if self.postgres else tuple(values)

    def _explained(self, error: SQLAlchemyError) -> StoreError:
        cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        cure = (
            "check PRESSMARK_ARCHIVE_URL, and whether the server runs"
            if self.postgres
            else "check the disk's space and who may write the file"
        )
        return StoreError(f"The archive {self.name} cannot be used ({cause}): {cure}.")

    # -- schema ----------------------------------------------------------------------------------

    def _bring_up_to_date(self) -> None:
        if self._version() < SCHEMA_VERSION:
            from rag.migrations import upgrade

            self._check_encoding()
            with self.transaction():
                upgrade(self._writing, self._version())  # read again: another process may have been here
        if self._version() > SCHEMA_VERSION:
            raise StoreError(
                f"{self.name} was made by a newer Pressmark (schema {self._version()}): upgrade to read it."
            )

    def _check_encoding(self) -> None:
        if self.postgres and (encoding := self.rows("SHOW server_encoding")[0]["server_encoding"]) != "UTF8":
            raise StoreError(f"{self.name} keeps texts in {encoding}: make a database with ENCODING 'UTF8'.")

    def _version(self) -> int:
        """Return the schema's number, 0 before there is one; a SQLite file has it where old versions look for it."""
        if not self.postgres:
            return int(self.rows("PRAGMA user_version")[0]["user_version"])
        if self.rows(f"SELECT to_regclass('{VERSION_TABLE}') AS found")[0]["found"] is None:
            return 0
        return max(
            (int(row["version_num"]) for row in self.rows(f"SELECT version_num FROM {VERSION_TABLE}")), default=0
        )


def _parsed(address: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # The cause is left out here and below: it may hold the password.
        raise SettingsError(f"PRESSMARK_ARCHIVE_URL is no address of a database: it is written {_FORM}.") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername=_DRIVER)
    if url.drivername != _DRIVER:
        raise SettingsError(
            f"PRESSMARK_ARCHIVE_URL begins with {url.drivername!r}: it is written {_FORM}, "
            "or empty for a file in the home."
        )
    return url


def _tell(engine: Engine, statements: Sequence[str]) -> None:
    """Run statements on each new connection."""
    from sqlalchemy import event

    def tell(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    event.listen(engine, "connect", tell)


def _all(found: CursorResult[Any]) -> list[Row]:
    return cast("list[Row]", found.mappings().all())


@lru_cache(maxsize=512)
def _for_psycopg(sql: str) -> str:
    return sql.replace("%", "%%").replace("?", "%s")


def _for_postgres(value: object) -> object:
    """Return the value as PostgreSQL takes it: no truth for a number, no NUL in a text."""
    if isinstance(value, bool):
        return int(value)
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
