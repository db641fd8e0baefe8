"""Articles into archive and vectors: incremental, resumable; one bad article never stops the run.

An article is first stored as pending, then its vectors are added, then it becomes current. Whatever
moment a run is killed at, the next one ends in the same index: pending articles are indexed again
under the same passage ids, and vectors of passages that are gone wait in the archive's orphan list.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingest import stories
from ingest.engine import Engine, PlainEngine, Prepared
from ingest.passages import embedded_text
from ingest.report import SHOWN, IngestReport, Problem
from rag.schema import Article
from rag.store import Store

BATCH_ARTICLES = 64  # articles per commit: about 300 passages, some 5 seconds of work on 2 cores
BATCH_PASSAGES = 256
_NAMED = 1000  # ids that a report holds


@dataclass(slots=True)
class Tally:
    """Counts of a run while it goes on."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    teasers: int = 0
    passages: int = 0
    rejected: int = 0
    remarks: int = 0
    problems: list[Problem] = field(default_factory=list)
    articles: list[str] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Count a problem, and show it."""
        if problem.lost:
            self.rejected += 1
        else:
            self.remarks += 1
        self.show(problem)

    def show(self, problem: Problem) -> None:
        """Keep a problem if it is among the first."""
        if len(self.problems) < SHOWN:
            self.problems.append(problem)

    def report(self, seconds: float, *, gone: int = 0, pruned: bool = False) -> IngestReport:
        """Return the counts as a report."""
        return IngestReport(
            added=self.added,
            updated=self.updated,
            unchanged=self.unchanged,
            teasers=self.teasers,
            passages=self.passages,
            problems=tuple(self.problems),
            seconds=seconds,
            rejected=self.rejected,
            remarks=self.remarks,
            gone=gone,
            pruned=pruned,
            articles=tuple(self.articles),
        )


def index_articles(articles: Iterable[Article | Problem], store: Store, *, passage_tokens: int) -> IngestReport:
    """Index articles that come from no file."""
    began = time.monotonic()
    with Indexer(store, PlainEngine(store.embeddings, passage_tokens)) as indexer:
        for item in articles:
            if isinstance(item, Problem):
                indexer.tally.add(item)
            else:
                indexer.add(item)
    return indexer.tally.report(time.monotonic() - began)


def delete_articles(ids: Iterable[str], store: Store) -> None:
    """Take articles out of both stores.

    Raises:
        NotFoundError: There is no article with one of the ids; those before it are deleted.
    """
    try:
        for id_ in ids:
            store.archive.delete_article(id_)
    finally:
        _remove_orphans(store)


class Indexer:
    """Indexes articles one after another, in batches; a context manager that finishes what is begun.

    Entering it first indexes what an interrupted run left pending.

    What costs time is the engine's part; articles are told apart, grouped into stories and written here, in their
    order, so that the index is the same whatever engine there is.
    """

    def __init__(self, store: Store, engine: Engine) -> None:
        self.tally = Tally()
        self._store = store
        self._engine = engine
        self._batch: list[Article] = []
        self._under_way: deque[tuple[list[Article], Callable[[], Prepared]]] = deque()
        self._seen = _Seen()

    def __enter__(self) -> Indexer:
        _remove_orphans(self._store)
        _restore_vectors(self._store)
        pending = self._store.archive.pending()
        for start in range(0, len(pending), BATCH_ARTICLES):
            self._begin(pending[start : start + BATCH_ARTICLES])
        self._end(0)
        self.tally.passages = 0
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        try:
            if error is None:
                self.flush()
                self._end(0)
                self._store.archive.record_ingest(datetime.now(UTC))
        finally:
            self._seen.close()

    def skip(self, articles: Sequence[tuple[str, str]]) -> None:
        """Count articles, given as (id, version), that are known to be unchanged."""
        self._seen.add(articles)
        self.tally.unchanged += len(articles)

    def add(self, article: Article, *, where: str = "") -> Problem | None:
        """Index the article if it is new or changed; return what is wrong with it, if anything is.

        Args:
            article: Of a file or from elsewhere.
            where: Named if something is wrong; else its headline is.
        """
        tally = self.tally
        earlier = self._seen.version(article)
        if earlier is not None:
            if earlier == article.version:
                tally.unchanged += 1
                return None
            problem = Problem(
                where or article.title[:80],
                f"another article of this run has the id {article.id!r}: give {article.title[:60]!r} its own",
            )
            tally.add(problem)
            return problem
        known = self._store.archive.known_version(article.id)
        if known == article.version:
            tally.unchanged += 1
            return None
        if known is None:
            tally.added += 1
        else:
            tally.updated += 1
        tally.teasers += article.kind == "teaser"
        if len(tally.articles) < _NAMED:
            tally.articles.append(article.id)
        self._batch.append(article)
        if len(self._batch) >= BATCH_ARTICLES:
            self.flush()
        return None

    @property
    def waiting(self) -> int:
        """How many articles are not stored yet."""
        return len(self._batch)

    def flush(self) -> None:
        """Store what is waiting, as pending at least: whatever comes, it will be indexed."""
        batch, self._batch = self._batch, []
        if not batch:
            return
        archive = self._store.archive
        with archive.transaction():
            for article in batch:  # one by one: copies of a story may stand in the same batch
                archive.add_pending([(article, stories.assign(article, archive))], now=datetime.now(UTC))
        self._begin(batch)

    def _begin(self, batch: list[Article]) -> None:
        """Have a stored batch split and embedded, and index those before it that need not be waited for longer."""
        self._under_way.append((batch, self._engine.prepare(batch)))
        self._end(self._engine.ahead)

    def _end(self, left: int) -> None:
        """Index the batches under way, first come first served, until no more than so many are left."""
        while len(self._under_way) > left:
            batch, outcome = self._under_way.popleft()
            self._index(batch, outcome())

    def _index(self, batch: Sequence[Article], prepared: Prepared) -> None:
        """Add the vectors, then make the articles current."""
        store = self._store
        passages = [passage for found in prepared.passages for passage in found]
        if passages:
            store.index.add(passages, prepared.vectors)
        with store.archive.transaction():
            for article, found in zip(batch, prepared.passages, strict=True):
                store.archive.mark_indexed(article, found)
        self.tally.passages += len(passages)
        _remove_orphans(store)
        store.archive.full_text.refresh()


class _Seen:
    """The articles of a run with their versions, on disk: a run may be longer than memory."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript("PRAGMA journal_mode = OFF; CREATE TABLE seen (id TEXT PRIMARY KEY, version TEXT)")

    def version(self, article: Article) -> str | None:
        """Return the version met earlier in the run, None for the first."""
        found = self._db.execute("SELECT version FROM seen WHERE id = ?", [article.id]).fetchone()
        if found is None:
            self._db.execute("INSERT INTO seen VALUES (?, ?)", [article.id, article.version])
            return None
        return str(found[0])

    def add(self, articles: Sequence[tuple[str, str]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", articles)
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()


def _restore_vectors(store: Store) -> None:
    """Embed passages that the index lacks, after its folder was moved away or the model changed."""
    if store.index.count() >= store.archive.passage_count():
        return
    held = set(store.index.ids())
    missing = [id_ for id_ in store.archive.passage_ids() if id_ not in held]
    for start in range(0, len(missing), BATCH_PASSAGES):
        passages = list(store.archive.passages(missing[start : start + BATCH_PASSAGES]).values())
        store.index.add(passages, store.embeddings.embed([embedded_text(passage) for passage in passages]))


def _remove_orphans(store: Store) -> None:
    ids = store.archive.orphans()
    if ids:
        store.index.delete(ids)
        store.archive.clear_orphans(ids)
