"""What a server keeps: readers' feedback, the ingests it was asked for, how well its answers were grounded."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Double

from rag.migrations.columns import serial, text, whole

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table("feedback", serial("rowid"), *map(text, ("answer_id", "rating", "reason")), whole("at"))
    op.create_index("feedback_answer", "feedback", ["answer_id"])
    order = [serial("rowid", key=False)] if op.get_bind().dialect.name == "postgresql" else []  # SQLite has it anyway
    op.create_table("ingests", text("id", key=True), whole("at"), text("body"), *order)
    op.create_table(
        "served",
        whole("at"),
        text("door"),
        *map(whole, ("abstained", "claims", "supported", "withheld")),
        Column("ms", Double, nullable=False),
    )
    op.create_index("served_at", "served", ["at"])
