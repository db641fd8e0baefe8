"""Articles into archive and vectors: incremental, resumable; one bad article never stops the run.

An article is first stored as pending, then its vectors are added, then it becomes current. Whatever
moment a run is killed at, the next one ends in the same index: pending articles are indexed again
under the same passage ids, and vectors of passages that are gone wait in the archive's orphan list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ingest import stories
from ingest.loaders import discover, load
from ingest.passages import embedded_text, split
from ingest.report import IngestReport, Rejected
from rag.schema import Article, Passage
from rag.store import Store

BATCH_ARTICLES = 32  # articles per commit: about 150 passages, some 5 seconds of work on 2 cores
BATCH_PASSAGES = 256
Progress = Callable[[int, int, str], None]  # files done, files in all, the next file's name


@dataclass(slots=True)
class _Tally:
    """Counts of a run while it goes on."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    teasers: int = 0
    passages: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    articles: list[str] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)


def ingest(
    sources: Sequence[Path], store: Store, *, passage_tokens: int, progress: Progress | None = None
) -> IngestReport:
    """Index the files and folders in `sources`.

    Args:
        sources: Files or folders; each must exist and hold something readable.
        store: Open store of the home to index into.
        passage_tokens: Largest passage, in tokens of the embedding model.
        progress: Called before each file and once at the end.

    Raises:
        SourceError: A source does not exist or holds no file of a known kind.
    """
    files = [(path, _shown(path, source)) for source in sources for path in discover(source)]
    return index_articles(_read(files, progress), store, passage_tokens=passage_tokens)


def index_articles(articles: Iterable[Article | Rejected], store: Store, *, passage_tokens: int) -> IngestReport:
    """Index articles, after those that an interrupted run left pending."""
    began = time.monotonic()
    tally = _Tally()
    _remove_orphans(store)
    _restore_vectors(store)
    _index_batch(store.archive.pending(), store, passage_tokens, _Tally())
    batch: list[Article] = []
    for item in articles:
        if isinstance(item, Rejected):
            tally.rejected.append(item)
        elif _is_news(item, store, tally):
            batch.append(item)
            if len(batch) >= BATCH_ARTICLES:
                _store_batch(batch, store, passage_tokens, tally)
                batch = []
    _store_batch(batch, store, passage_tokens, tally)
    _remove_orphans(store)
    store.archive.record_ingest(datetime.now(UTC))
    return IngestReport(
        added=tally.added,
        updated=tally.updated,
        unchanged=tally.unchanged,
        teasers=tally.teasers,
        passages=tally.passages,
        rejected=tuple(tally.rejected),
        seconds=time.monotonic() - began,
        articles=tuple(tally.articles),
    )


def delete_article(article_id: str, store: Store) -> None:
    """Take an article out of both stores.

    Raises:
        NotFoundError: There is no such article.
    """
    store.archive.delete_article(article_id)
    _remove_orphans(store)


def _read(files: Sequence[tuple[Path, str]], progress: Progress | None) -> Iterator[Article | Rejected]:
    for done, (path, shown_as) in enumerate(files):
        if progress:
            progress(done, len(files), shown_as)
        yield from load(path, shown_as=shown_as)
    if progress:
        progress(len(files), len(files), "done")


def _shown(path: Path, source: Path) -> str:
    """Name a file so that it is the same from whatever folder the command is run."""
    return path.relative_to(source.parent).as_posix() if path != source else source.name


def _is_news(article: Article, store: Store, tally: _Tally) -> bool:
    """Count the article, and tell whether it has to be indexed."""
    earlier = tally.seen.get(article.id)
    if earlier is not None:
        if earlier != article.version:
            tally.rejected.append(
                Rejected(article.title[:80], f"another article of this run has the id {article.id!r}: give it its own")
            )
        else:
            tally.unchanged += 1
        return False
    tally.seen[article.id] = article.version
    known = store.archive.known_version(article.id)
    if known == article.version:
        tally.unchanged += 1
        return False
    if known is None:
        tally.added += 1
    else:
        tally.updated += 1
    tally.teasers += article.kind == "teaser"
    tally.articles.append(article.id)
    return True


def _store_batch(batch: Sequence[Article], store: Store, passage_tokens: int, tally: _Tally) -> None:
    for article in batch:  # one by one: copies of a story may stand in the same batch
        story_id = stories.assign(article, store.archive)
        store.archive.add_pending([(article, story_id)], now=datetime.now(UTC))
    _index_batch(batch, store, passage_tokens, tally)


def _index_batch(batch: Sequence[Article], store: Store, passage_tokens: int, tally: _Tally) -> None:
    """Embed the batch's passages in one go, add the vectors, then make each article current."""
    parts: list[tuple[Article, list[Passage]]] = []
    for article in batch:
        # A withdrawn article stays readable, but is no evidence for anything.
        found = (
            []
            if article.retracted
            else split(article, max_tokens=passage_tokens, count_tokens=store.embeddings.count_tokens)
        )
        parts.append((article, found))
    passages = [passage for _, found in parts for passage in found]
    if passages:
        vectors = store.embeddings.embed([embedded_text(passage) for passage in passages])
        store.index.add(passages, vectors)
    for article, found in parts:
        store.archive.mark_indexed(article, found)
    tally.passages += len(passages)


def _restore_vectors(store: Store) -> None:
    """Embed passages that the index lacks, after its folder was moved away or the model changed."""
    wanted = store.archive.passage_ids()
    if store.index.count() >= len(wanted):
        return
    held = set(store.index.ids())
    missing = [id_ for id_ in wanted if id_ not in held]
    for start in range(0, len(missing), BATCH_PASSAGES):
        passages = list(store.archive.passages(missing[start : start + BATCH_PASSAGES]).values())
        store.index.add(passages, store.embeddings.embed([embedded_text(passage) for passage in passages]))


def _remove_orphans(store: Store) -> None:
    ids = store.archive.orphans()
    if ids:
        store.index.delete(ids)
        store.archive.clear_orphans(ids)
