"""The archive: articles with versions, and their passages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rag.answers import Answers
from rag.archive_tables import STATUS_CONDITIONS, ArticleStatus, article_row, epoch, filters, marks, moment
from rag.archive_tables import article as article_of
from rag.archive_tables import passage as passage_of
from rag.database import Database
from rag.errors import NotFoundError
from rag.feedback import FeedbackBook
from rag.files import Files
from rag.full_text import FullText
from rag.full_text_postgres import PostgresFullText
from rag.ingests import Ingests
from rag.rates import Rates
from rag.schema import ArchiveStatus, Article, Passage, TimeWindow
from rag.served import ServedAnswers
from rag.stories import Stories


class Archive:
    """The articles of one archive; the other tables are its attributes. Threads may share one object."""

    def __init__(self, db: Database, text_folder: Path | None) -> None:
        self._db = db
        self.files = Files(db)
        self.full_text = FullText(db, text_folder) if text_folder else PostgresFullText(db)
        self.stories = Stories(db)
        self.answers = Answers(db)
        self.feedback = FeedbackBook(db)
        self.ingests = Ingests(db)
        self.served = ServedAnswers(db)
        self.rates = Rates(db)

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Open the archive file, making it if need be.

        Raises:
            StoreError: The file is no archive, or was made by a newer Pressmark.
        """
        return cls(Database.open(path), path.parent / "text")

    @classmethod
    def connect(cls, address: str) -> Archive:
        """Open the archive in a PostgreSQL database, making its tables if need be.

        Raises:
            SettingsError: It is no address of such a database, or the driver is not installed.
            StoreError: The server does not answer, or the archive was made by a newer Pressmark.
        """
        return cls(Database.connect(address), None)

    def close(self) -> None:
        """Close the file, or the connections."""
        self.full_text.close()
        self._db.close()

    @property
    def shared(self) -> bool:
        """Whether other servers may use it at the same time."""
        return self._db.postgres

    @property
    def name(self) -> str:
        """The file, or the database's address without its password."""
        return self._db.name

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that the block writes at once, or nothing of it."""
        with self._db.transaction():
            yield

    # -- writing articles ------------------------------------------------------------------------

    def known_version(self, article_id: str) -> str | None:
        """Return the version of `article_id` that is fully indexed, or None."""
        rows = self._db.rows(
            "SELECT version FROM articles WHERE id = ? AND +current = 1 AND state || '' = 'indexed'", [article_id]
        )
        return str(rows[0]["version"]) if rows else None

    def add_pending(self, articles: Iterable[tuple[Article, str]], *, now: datetime) -> None:
        """Store (article, story id) pairs, to be indexed; an old version stays current until then."""
        with self._db.transaction() as db:
            for article, story_id in articles:
                row = article_row(article) | {
                    "story_id": story_id, "state": "pending", "current": 0, "ingested_at": epoch(now),
                }  # fmt: skip
                anew = ", ".join(f"{name} = excluded.{name}" for name in row)
                db.execute(
                    f"INSERT INTO articles ({', '.join(row)}) VALUES ({marks(list(row))}) "
                    f"ON CONFLICT (id, version) DO UPDATE SET {anew}",
                    list(row.values()),
                )

    def pending(self) -> list[Article]:
        """Return the articles that an interrupted run left unindexed, by id."""
        rows = self._db.rows("SELECT * FROM articles WHERE state = 'pending' ORDER BY id, ingested_at")
        return [article_of(row) for row in rows]

    def mark_indexed(self, article: Article, passages: Sequence[Passage]) -> None:
        """Make `article` current with its passages; the old version's passages leave the full text.

        If another process has deleted it meanwhile, or indexed a version that came later, it stays so.
        """
        ids = {passage.id for passage in passages}
        named = [article.id, article.version]
        with self._db.transaction() as db:
            if not db.rows("SELECT 1 FROM articles WHERE id = ? AND version = ?", named):
                self._add_orphans(db, sorted(ids))
                return
            self._forget_passages(db, article.id, keep=ids)
            db.executemany(
                "INSERT INTO passages (id, article_id, version, position, start, stop, text, title) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(p.id, p.article_id, p.version, p.index, p.start, p.end, p.text, p.title) for p in passages],
            )
            self.full_text.add(passages)
            db.execute("UPDATE articles SET current = 0 WHERE id = ?", [article.id])
            db.execute("UPDATE articles SET current = 1, state = 'indexed' WHERE id = ? AND version = ?", named)
            # A version that was pending when a newer one arrived will never be indexed.
            db.execute(
                "DELETE FROM articles WHERE id = ? AND state || '' = 'pending' "
                "AND ingested_at < (SELECT ingested_at FROM articles WHERE id = ? AND version = ?)",
                [article.id, *named],
            )

    def delete_article(self, article_id: str) -> None:
        """Remove the article in all versions; its vectors become orphans.

        Stored answers keep the quotes they showed.

        Raises:
            NotFoundError: There is no such article.
        """
        with self._db.transaction() as db:
            if not db.rows("SELECT 1 FROM articles WHERE id = ? LIMIT 1", [article_id]):
                raise NotFoundError(f"No article has the id {article_id!r}: `pressmark articles list` shows them.")
            self._forget_passages(db, article_id, keep=set())
            db.execute("DELETE FROM articles WHERE id = ?", [article_id])
            db.execute("DELETE FROM story_bands WHERE article_id = ?", [article_id])
            db.execute("DELETE FROM origins WHERE article_id = ?", [article_id])

    def _forget_passages(self, db: Database, article_id: str, *, keep: set[str]) -> None:
        old = [row["id"] for row in db.rows("SELECT id FROM passages WHERE article_id = ?", [article_id])]
        self._add_orphans(db, [id_ for id_ in old if id_ not in keep])
        db.execute("DELETE FROM passages WHERE article_id = ?", [article_id])

    def _add_orphans(self, db: Database, ids: Sequence[str]) -> None:
        db.executemany("INSERT INTO orphans VALUES (?) ON CONFLICT DO NOTHING", [(id_,) for id_ in ids])

    def orphans(self) -> list[str]:
        """Return passage ids whose vectors are still to be removed from the index."""
        return [row["passage_id"] for row in self._db.rows("SELECT passage_id FROM orphans ORDER BY passage_id")]

    def clear_orphans(self, ids: Sequence[str]) -> None:
        """Record that the vectors of `ids` are gone."""
        with self._db.transaction() as db:
            db.executemany("DELETE FROM orphans WHERE passage_id = ?", [(id_,) for id_ in ids])

    # -- reading ---------------------------------------------------------------------------------

    def article(self, article_id: str, version: str | None = None) -> Article:
        """Return the current version of an article, or the named one.

        Raises:
            NotFoundError: There is no such article or version.
        """
        if version is None:
            rows = self._db.rows("SELECT * FROM articles WHERE id = ? AND +current = 1", [article_id])
        else:
            rows = self._db.rows("SELECT * FROM articles WHERE id = ? AND version = ?", [article_id, version])
        if not rows:
            raise NotFoundError(f"No article has the id {article_id!r}{f' in version {version!r}' if version else ''}.")
        return article_of(rows[0])

    def versions(self, article_id: str) -> list[str]:
        """Return the versions of an article that were indexed, newest first."""
        rows = self._db.rows(
            "SELECT version FROM articles WHERE id = ? AND state || '' = 'indexed' "
            "ORDER BY current DESC, ingested_at DESC",
            [article_id],
        )
        return [row["version"] for row in rows]

    def articles(
        self,
        *,
        search: str = "",
        kind: ArticleStatus = "indexed",
        window: TimeWindow | None = None,
        sources: Sequence[str] = (),
        limit: int = 50,
        offset: int = 0,
    ) -> list[Article]:
        """Return articles of a kind, newest first, unknown dates last; `search` is a part of the title."""
        condition, values = _listed(search, kind, window, sources)
        rows = self._db.rows(
            f"SELECT a.* FROM articles a WHERE {condition} "
            "ORDER BY published_at IS NULL, published_at DESC, id LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )
        return [article_of(row) for row in rows]

    def article_count(
        self,
        *,
        search: str = "",
        kind: ArticleStatus = "indexed",
        window: TimeWindow | None = None,
        sources: Sequence[str] = (),
    ) -> int:
        """Return how many articles `articles` would list without a limit."""
        condition, values = _listed(search, kind, window, sources)
        return self._count(f"articles a WHERE {condition}", values)

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return the passages with these ids; ids that are not in the archive are left out."""
        found: dict[str, Passage] = {}
        for start in range(0, len(ids), 500):
            batch = ids[start : start + 500]
            rows = self._db.rows(
                "SELECT p.*, a.source, a.url, a.published_at FROM passages p JOIN articles a "
                f"ON a.id = p.article_id AND a.version = p.version WHERE p.id IN ({marks(batch)})",
                batch,
            )
            found |= {row["id"]: passage_of(row) for row in rows}
        return found

    def passage_ids(self) -> list[str]:
        """Return the ids of all passages, sorted."""
        return [row["id"] for row in self._db.rows("SELECT id FROM passages ORDER BY id")]

    def passage_count(self) -> int:
        """Return the number of passages."""
        return self._count("passages")

    def _count(self, of: str, values: Sequence[object] = ()) -> int:
        return int(self._db.rows(f"SELECT count(*) AS n FROM {of}", values)[0]["n"])

    def count_in(self, window: TimeWindow | None, sources: Sequence[str] = ()) -> int:
        """Return how many current articles lie in the window and come from the outlets."""
        condition, values = filters(window, sources)
        return int(
            self._db.rows(f"SELECT count(*) AS n FROM articles a WHERE a.current = 1{condition}", values)[0]["n"]
        )

    def status(self) -> ArchiveStatus:
        """Count what is there."""
        row = self._db.rows(
            "SELECT count(*) AS articles, count(DISTINCT story_id) AS stories FROM articles WHERE current = 1"
        )[0]
        newest = self._db.rows(
            "SELECT title, published_at FROM articles WHERE current = 1 AND published_at IS NOT NULL "
            "ORDER BY published_at DESC, id LIMIT 1"
        )
        sources = self._db.rows(
            "SELECT DISTINCT source FROM articles WHERE current = 1 AND source != '' ORDER BY source"
        )
        last = self.fact("last_ingest")
        return ArchiveStatus(
            articles=row["articles"],
            passages=self.passage_count(),
            stories=row["stories"],
            pending=self._count("articles WHERE state = 'pending'"),
            sources=tuple(r["source"] for r in sources),
            newest_at=moment(newest[0]["published_at"]) if newest else None,
            newest_title=newest[0]["title"] if newest else "",
            last_ingest_at=moment(int(last)) if last else None,
        )

    # -- facts -----------------------------------------------------------------------------------

    def fact(self, name: str) -> str:
        """Return a stored fact about the archive, "" if unknown."""
        rows = self._db.rows("SELECT value FROM facts WHERE name = ?", [name])
        return str(rows[0]["value"]) if rows else ""

    def set_fact(self, name: str, value: str) -> None:
        """Store a fact about the archive."""
        with self._db.transaction() as db:
            db.execute(
                "INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", [name, value]
            )

    def record_ingest(self, now: datetime) -> None:
        """Note when the last ingest ended."""
        self.set_fact("last_ingest", str(epoch(now)))


def _listed(
    search: str, kind: ArticleStatus, window: TimeWindow | None, sources: Sequence[str]
) -> tuple[str, list[object]]:
    condition, values = filters(window, sources)
    # "%" and "_" in a headline's part mean themselves.
    part = search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"{STATUS_CONDITIONS[kind]} AND lower(a.title) LIKE lower(?) ESCAPE '\\'{condition}", [f"%{part}%", *values]
