"""How often somebody has asked, for several servers at one archive."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Double

from rag.migrations.columns import text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table("rates", text("name"), Column("at", Double, nullable=False))
    op.create_index("rates_name", "rates", ["name", "at"])
    op.create_index("rates_at", "rates", ["at"])
