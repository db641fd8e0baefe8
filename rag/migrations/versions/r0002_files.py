"""The files that articles came from, and when an article was changed; see `rag.files`."""

from __future__ import annotations

from alembic import op

from rag.migrations.columns import text, whole

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.add_column("articles", whole("modified_at", optional=True))
    op.create_table(
        "files", text("name", key=True), *map(text, ("base", "stamp")), *map(whole, ("live_since", "read", "checked"))
    )
    op.create_index("files_base", "files", ["base"])
    op.create_table(
        "origins", text("file", key=True), text("article_id", key=True), whole("run"), sqlite_with_rowid=False
    )
    op.create_index("origins_article", "origins", ["article_id"])
    op.create_table(
        "problems",
        *(text(name, key=True) for name in ("file", "place", "reason")),
        *map(whole, ("lost", "run", "at")),
        sqlite_with_rowid=False,
    )
