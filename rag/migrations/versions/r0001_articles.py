"""Articles with their versions, passages with their full text, stories, answers and facts.

`articles` keeps every version, so that an old answer replays against the text it cited; passages and full text hold the
current version only. `orphans` are vectors still to be taken from the index.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import UniqueConstraint

from rag.migrations.columns import serial, text, whole

revision = "0001"
down_revision = None

_FTS5 = (
    "CREATE VIRTUAL TABLE passages_text USING fts5(title, text, content='passages', content_rowid='rowid', "
    "tokenize='porter unicode61 remove_diacritics 2')",
    "CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN "
    "INSERT INTO passages_text(rowid, title, text) VALUES (new.rowid, new.title, new.text); END",
    "CREATE TRIGGER passages_removed AFTER DELETE ON passages BEGIN "
    "INSERT INTO passages_text(passages_text, rowid, title, text) "
    "VALUES ('delete', old.rowid, old.title, old.text); END",
)
# English without its stop words: they are left out of a question, not out of a phrase.
_TSVECTOR = (
    "CREATE TEXT SEARCH DICTIONARY pressmark_stem (TEMPLATE = snowball, LANGUAGE = english)",
    "CREATE TEXT SEARCH CONFIGURATION pressmark (COPY = simple)",
    "ALTER TEXT SEARCH CONFIGURATION pressmark ALTER MAPPING FOR asciiword, word WITH pressmark_stem",
    'CREATE TABLE passages_text (passage_id text COLLATE "C" PRIMARY KEY REFERENCES passages (id) ON DELETE CASCADE, '
    "words tsvector NOT NULL)",
    "CREATE INDEX passages_text_words ON passages_text USING gin (words)",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "articles",
        text("id", key=True),
        text("version", key=True),
        *map(text, ("title", "text", "source", "url")),
        whole("published_at", optional=True),
        *map(text, ("authors", "section", "language", "kind")),
        whole("truncated"),
        text("correction", optional=True),
        whole("title_inferred"),
        *map(text, ("story_id", "state")),
        *map(whole, ("current", "ingested_at")),
    )
    op.create_index("articles_current", "articles", ["current", "published_at"])
    op.create_index("articles_story", "articles", ["story_id", "current"])
    op.create_index("articles_state", "articles", ["state"])
    op.create_table(
        "passages",
        serial("rowid"),
        *map(text, ("id", "article_id", "version")),
        *map(whole, ("position", "start", "stop")),
        *map(text, ("text", "title")),
        UniqueConstraint("id"),
    )
    op.create_index("passages_article", "passages", ["article_id"])
    for statement in _TSVECTOR if op.get_bind().dialect.name == "postgresql" else _FTS5:
        op.execute(statement)
    op.create_table("orphans", text("passage_id", key=True))
    op.create_table("story_bands", text("band", key=True), text("article_id", key=True))
    op.create_index("story_bands_article", "story_bands", ["article_id"])
    op.create_table("answers", text("id", key=True), whole("created_at"), text("body"))
    op.create_table("facts", text("name", key=True), text("value"))
