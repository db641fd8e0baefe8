"""The archive's tables, and the way between their rows and our types; times are epoch seconds there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, Literal

from rag.schema import RETRACTED, Article, Passage, TimeWindow

SCHEMA_VERSION = 4

# `articles` keeps every version, so that an old answer replays against the text it cited; passages
# and full text hold the current version only. `orphans` are vectors still to be taken from Chroma.
# `text_changes` are passages that the full text is still to learn of: see rag/full_text.py.
# `files`, `origins` and `problems`: see rag/files.py. `feedback`, `ingests` and `served` belong to a server.
_FILES = """
CREATE TABLE files (
    name TEXT PRIMARY KEY, base TEXT NOT NULL, stamp TEXT NOT NULL, live_since INTEGER NOT NULL, read INTEGER NOT NULL,
    checked INTEGER NOT NULL);
CREATE INDEX files_base ON files (base);
CREATE TABLE origins (
    file TEXT NOT NULL, article_id TEXT NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (file, article_id)) WITHOUT ROWID;
CREATE INDEX origins_article ON origins (article_id);
CREATE TABLE problems (
    file TEXT NOT NULL, place TEXT NOT NULL, reason TEXT NOT NULL, lost INTEGER NOT NULL, run INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (file, place, reason)) WITHOUT ROWID;
"""
_DESK = """
CREATE TABLE feedback (
    rowid INTEGER PRIMARY KEY, answer_id TEXT NOT NULL, rating TEXT NOT NULL, reason TEXT NOT NULL,
    at INTEGER NOT NULL);
CREATE INDEX feedback_answer ON feedback (answer_id);
CREATE TABLE ingests (id TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE served (
    at INTEGER NOT NULL, door TEXT NOT NULL, abstained INTEGER NOT NULL, claims INTEGER NOT NULL,
    supported INTEGER NOT NULL, withheld INTEGER NOT NULL, ms REAL NOT NULL);
CREATE INDEX served_at ON served (at);
"""
_TEXT = """
CREATE TABLE text_changes (seq INTEGER PRIMARY KEY AUTOINCREMENT, passage_id TEXT NOT NULL);
CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN
    INSERT INTO text_changes (passage_id) VALUES (new.id); END;
CREATE TRIGGER passages_removed AFTER DELETE ON passages BEGIN
    INSERT INTO text_changes (passage_id) VALUES (old.id); END;
"""
SCHEMA = (
    """
CREATE TABLE articles (
    id TEXT NOT NULL, version TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL,
    url TEXT NOT NULL, published_at INTEGER, authors TEXT NOT NULL, section TEXT NOT NULL, language TEXT NOT NULL,
    kind TEXT NOT NULL, truncated INTEGER NOT NULL, correction TEXT, title_inferred INTEGER NOT NULL,
    modified_at INTEGER,
    story_id TEXT NOT NULL, state TEXT NOT NULL, current INTEGER NOT NULL, ingested_at INTEGER NOT NULL,
    PRIMARY KEY (id, version));
CREATE INDEX articles_current ON articles (current, published_at);
CREATE INDEX articles_story ON articles (story_id, current);
CREATE INDEX articles_state ON articles (state);
CREATE TABLE passages (
    rowid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, article_id TEXT NOT NULL, version TEXT NOT NULL,
    position INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL, text TEXT NOT NULL,
    title TEXT NOT NULL);
CREATE INDEX passages_article ON passages (article_id);
CREATE TABLE orphans (passage_id TEXT PRIMARY KEY);
CREATE TABLE story_bands (band TEXT NOT NULL, article_id TEXT NOT NULL, PRIMARY KEY (band, article_id));
CREATE INDEX story_bands_article ON story_bands (article_id);
CREATE TABLE answers (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
    + _FILES
    + _DESK
    + _TEXT
)
# By the version that they start from.
MIGRATIONS = {
    1: "ALTER TABLE articles ADD COLUMN modified_at INTEGER;" + _FILES,
    2: _DESK,
    3: "DROP TRIGGER passages_added; DROP TRIGGER passages_removed; DROP TABLE passages_text;"
    + _TEXT
    + "INSERT INTO text_changes (passage_id) SELECT id FROM passages ORDER BY rowid;",
}
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
        condition += f" AND a.source IN ({', '.join('?' * len(sources))})"
        values.extend(sources)
    return condition, values


def article_row(article: Article) -> dict[str, Any]:
    """Return an article's columns by name, without story and state."""
    row = {name: getattr(article, name) for name in ARTICLE_COLUMNS}
    for name in ("published_at", "modified_at"):
        row[name] = epoch(row[name]) if row[name] else None
    row["authors"] = json.dumps(article.authors, ensure_ascii=False)
    return row


def article(row: sqlite3.Row) -> Article:
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


def passage(row: sqlite3.Row) -> Passage:
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
