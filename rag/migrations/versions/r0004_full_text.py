"""In SQLite the full text is no longer a table (FTS5): what it has to learn of is (`rag.full_text`)."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

_STATEMENTS = (
    "DROP TRIGGER passages_added",
    "DROP TRIGGER passages_removed",
    "DROP TABLE passages_text",
    "CREATE TABLE text_changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, passage_id TEXT NOT NULL)",
    "CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN "
    "INSERT INTO text_changes (passage_id) VALUES (new.id); END",
    "CREATE TRIGGER passages_removed AFTER DELETE ON passages BEGIN "
    "INSERT INTO text_changes (passage_id) VALUES (old.id); END",
    "INSERT INTO text_changes (passage_id) SELECT id FROM passages ORDER BY rowid",
)


def upgrade() -> None:
    """Exchange the table."""
    if op.get_bind().dialect.name == "sqlite":
        for statement in _STATEMENTS:
            op.execute(statement)
