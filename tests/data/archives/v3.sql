-- The archive's file as schema 3 had it, with a few rows.
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
CREATE VIRTUAL TABLE passages_text USING fts5(title, text, content='passages', content_rowid='rowid',
    tokenize='porter unicode61 remove_diacritics 2');
CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN
    INSERT INTO passages_text(rowid, title, text) VALUES (new.rowid, new.title, new.text); END;
CREATE TRIGGER passages_removed AFTER DELETE ON passages BEGIN
    INSERT INTO passages_text(passages_text, rowid, title, text)
    VALUES ('delete', old.rowid, old.title, old.text); END;
CREATE TABLE orphans (passage_id TEXT PRIMARY KEY);
CREATE TABLE story_bands (band TEXT NOT NULL, article_id TEXT NOT NULL, PRIMARY KEY (band, article_id));
CREATE INDEX story_bands_article ON story_bands (article_id);
CREATE TABLE answers (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);

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

CREATE TABLE feedback (
    rowid INTEGER PRIMARY KEY, answer_id TEXT NOT NULL, rating TEXT NOT NULL, reason TEXT NOT NULL,
    at INTEGER NOT NULL);
CREATE INDEX feedback_answer ON feedback (answer_id);
CREATE TABLE ingests (id TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE served (
    at INTEGER NOT NULL, door TEXT NOT NULL, abstained INTEGER NOT NULL, claims INTEGER NOT NULL,
    supported INTEGER NOT NULL, withheld INTEGER NOT NULL, ms REAL NOT NULL);
CREATE INDEX served_at ON served (at);
INSERT INTO articles (id, version, title, text, source, url, published_at, authors, section, language, kind, truncated, correction, title_inferred, story_id, state, current, ingested_at) VALUES
    ('a', '1', 'Ferry burns', 'Three people died.', 'Wire', 'https://x.example/1', 1748764800, '["Ana Šimić"]', 'Local', 'en', 'article', 0, NULL, 0, 's', 'indexed', 0, 1756684800),
    ('a', '2', 'Ferry burns', 'Four people died, Kovářík said.', 'Wire', 'https://x.example/1', 1748764800, '["Ana Šimić"]', 'Local', 'en', 'article', 0, 'Corrected.', 0, 's', 'indexed', 1, 1756684801),
    ('b', '1', 'Rain', 'Rain fell.', '', '', NULL, '[]', '', '', 'article', 0, NULL, 1, 'b', 'pending', 0, 1756684802);
INSERT INTO passages (id, article_id, version, position, start, stop, text, title) VALUES
    ('a@2#0', 'a', '2', 0, 0, 31, 'Four people died, Kovářík said.', 'Ferry burns');
INSERT INTO orphans VALUES ('a@1#0');
INSERT INTO story_bands VALUES ('band', 'a');
INSERT INTO facts VALUES ('last_ingest', '1756684803');
INSERT INTO answers VALUES ('x', 1756684804, '{}');
UPDATE articles SET modified_at = 1748764900 WHERE id = 'a' AND version = '2';
INSERT INTO files VALUES ('/news/a.jsonl', 'a.jsonl', '12:34', 7, 7, 7);
INSERT INTO origins VALUES ('/news/a.jsonl', 'a', 7);
INSERT INTO problems VALUES ('/news/a.jsonl', 'line 2', 'no text', 1, 7, 1756684800);
INSERT INTO feedback (answer_id, rating, reason, at) VALUES ('x', 'up', 'good', 1756684805);
INSERT INTO ingests VALUES ('i', 1756684806, '{}');
INSERT INTO served VALUES (1756684807, 'api', 0, 2, 1, 0, 12.5);
PRAGMA user_version = 3;
