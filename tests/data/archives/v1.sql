-- The archive's file as schema 1 had it, with a few rows.
CREATE TABLE articles (
    id TEXT NOT NULL, version TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, source TEXT NOT NULL,
    url TEXT NOT NULL, published_at INTEGER, authors TEXT NOT NULL, section TEXT NOT NULL, language TEXT NOT NULL,
    kind TEXT NOT NULL, truncated INTEGER NOT NULL, correction TEXT, title_inferred INTEGER NOT NULL,
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
PRAGMA user_version = 1;
