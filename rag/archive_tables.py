"""The way between the rows of the archive's tables and our types; times are epoch seconds there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, Literal

from rag.schema import RETRACTED, Article, Passage, TimeWindow

SCHEMA_VERSION = 5  # the last revision in rag/migrations, which make the tables
VERSION_TABLE = "pressmark_schema"  # where Alembic notes the revision
ArticleStatus = Literal["indexed", "pending", "undated", "teaser", "truncated", "corrected", "retracted"]
_RETRACTED = f"correction LIKE '{RETRACTED}%'"
STATUS_CONDITIONS: dict[ArticleStatus, str] = {
    "indexed": "current = 1",
    "pending": "state = 'pending'",
    "undated": "current = 1 AND published_at IS NULL",
    "teaser": "current = 1 AND kind = 'teaser'",
    "truncated": "current = 1 AND truncated = 1",
    "corrected": f"current = 1 AND correction IS NOT NULL AND NOT {_RETRACTED}",
    "retracted": f"current = 1 AND {_RETRACTED}",
}
ARTICLE_COLUMNS = [field.name for field in fields(Article)]


def filters(window: TimeWindow | None, sources: Sequence[str]) -> tuple[str, list[Any]]:
    """Build the SQL condition on table `a`; articles without a date are in no window."""
    condition = ""
    values: list[Any] = []
    if window and window.since:
        condition += " AND a.published_at >= ?"
        values.append(epoch(window.since))
    if window and window.until:
        condition += " AND a.published_at < ?"
        values.append(epoch(window.until))
    if sources:
        condition += f" AND a.source IN ({marks(sources)})"
        values.extend(sources)
    return condition, values


def marks(values: Sequence[object]) -> str:
    """Return what stands in the brackets of `IN (...)`: a mark for each value, or what nothing equals."""
    return ", ".join("?" * len(values)) or "NULL"


def article_row(article: Article) -> dict[str, Any]:
    """Return an article's columns by name, without story and state."""
    row = {name: getattr(article, name) for name in ARTICLE_COLUMNS}
    for name in ("published_at", "modified_at"):
        row[name] = epoch(row[name]) if row[name] else None
    row["authors"] = json.dumps(article.authors, ensure_ascii=False)
    return row


def article(row: Mapping[str, Any]) -> Article:
    """Read a row of `articles`."""
    values = {name: row[name] for name in ARTICLE_COLUMNS}
    return replace(
        Article(**values),
        published_at=moment(row["published_at"]),
        modified_at=moment(row["modified_at"]),
        authors=tuple(json.loads(row["authors"])),
        truncated=bool(row["truncated"]),
        title_inferred=bool(row["title_inferred"]),
    )


def passage(row: Mapping[str, Any]) -> Passage:
    """Read a row of `passages` joined with its article's source, url and published_at."""
    return Passage(
        id=row["id"],
        article_id=row["article_id"],
        version=row["version"],
        index=row["position"],
        start=row["start"],
        end=row["stop"],
        text=row["text"],
        title=row["title"],
        source=row["source"],
        url=row["url"],
        published_at=moment(row["published_at"]),
    )


def epoch(moment: datetime) -> int:
    """Return whole seconds."""
    return int(moment.timestamp())


def moment(epoch: int | None) -> datetime | None:
    """Return aware UTC, None for None."""
    return datetime.fromtimestamp(epoch, UTC) if epoch is not None else None
