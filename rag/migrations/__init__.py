"""The archive's tables and how they came to be: Alembic's revisions, for SQLite and PostgreSQL alike.

A revision's id is the number of the schema that it makes. A new one is a module in `versions` that names the one before
it, and the next `SCHEMA_VERSION`; the tables of a version that was released are not changed in place.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from rag.archive_tables import SCHEMA_VERSION

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

_ALEMBIC = threading.Lock()  # it has one context for the whole process


def upgrade(connection: Connection, version: int) -> None:
    """Bring the tables up to date, within the connection's open transaction.

    Args:
        connection: Of either database.
        version: The schema that is there, 0 for none. Files from before Alembic have it in `user_version` alone.
    """
    from alembic import command

    sqlite = connection.dialect.name == "sqlite"
    with _ALEMBIC:
        config = alembic_config(connection)
        if sqlite and version:
            command.stamp(config, f"{version:04}")
        command.upgrade(config, "head")
    if sqlite:
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def alembic_config(connection: Connection) -> Config:
    """Return what Alembic's commands need; `env.py` takes the connection from it."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
