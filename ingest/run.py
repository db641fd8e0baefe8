"""A run of ingest over files, archives and addresses: what did not change is not read, what is gone is told."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from ingest.engine import Engine, PlainEngine
from ingest.fetch import Fetcher
from ingest.indexer import Indexer, delete_articles
from ingest.loaders.source import PLAIN, Options
from ingest.report import SHOWN, IngestReport, Problem, Progress
from ingest.sources import Found, find, leads_elsewhere, read, stamp_of
from rag.files import FileProblem
from rag.schema import Article
from rag.store import Store

_NOTED = 2000  # articles and problems met before they are noted, at the latest
_Items = Iterator[Article | Problem]
_T = TypeVar("_T")


@dataclass(slots=True)
class _Notes:
    """What is to be written of files once the articles before it are stored."""

    origins: list[tuple[str, str]] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)
    ended: list[tuple[Found, str, bool]] = field(default_factory=list)  # with its stamp, and if all of it was read


def ingest(
    sources: Sequence[str | Path],
    store: Store,
    *,
    passage_tokens: int,
    options: Options = PLAIN,
    prune: bool = False,
    allow_private: bool = False,
    progress: Callable[[Progress], None] | None = None,
    engine: Engine | None = None,
) -> IngestReport:
    """Index what the sources hold.

    A run that was stopped goes on where it was: files read to their end are not read again, articles that are stored
    are not embedded again.

    Args:
        sources: Files, folders, globs, archives, web addresses.
        store: Open store of the home to index into.
        passage_tokens: Largest passage, in tokens of the embedding model.
        options: How records are to be understood.
        prune: Delete articles that stood in these files before and stand in none now.
        allow_private: Fetch from private and loopback addresses too.
        progress: Called before each file, after each batch, and at the end.
        engine: Reads and embeds, with the same `passage_tokens`; this process does it if left out.

    Raises:
        SourceError: A source does not exist or stands for no file of a known kind.
    """
    found = find(sources)
    run = _Run(store, found, engine or PlainEngine(store.embeddings, passage_tokens), options, progress)
    with Fetcher(allow_private=allow_private) as fetcher:
        run.read(fetcher)
    for source in map(Path, map(str, sources)):
        if source.is_dir():
            run.vanished += store.archive.files.vanish(source.resolve(), run=run.number)
    gone = store.archive.files.gone(run=run.number)
    if prune:
        delete_articles(gone, store)
        store.archive.files.forget_vanished(run.vanished)
    return run.indexer.tally.report(time.monotonic() - run.began, gone=len(gone), pruned=prune)


def preview(
    sources: Sequence[str | Path], *, options: Options = PLAIN, allow_private: bool = False
) -> Iterator[tuple[str, Article | Problem]]:
    """Yield (file, article or problem) for what the sources hold, without storing anything; errors as in `ingest`."""
    with Fetcher(allow_private=allow_private) as fetcher:
        for item in find(sources):
            for content in read(item, options, fetcher):
                yield item.name, content


class _Run:
    def __init__(
        self,
        store: Store,
        found: Sequence[Found],
        engine: Engine,
        options: Options,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self.began = time.monotonic()
        self.number = time.time_ns()
        self.vanished: list[str] = []
        self.indexer = Indexer(store, engine)
        self._engine = engine
        self._files = store.archive.files
        self._found = found
        self._options = options
        self._progress = progress
        self._notes = _Notes()
        self._bytes = max(1, sum(map(_weight, found)))
        self._bytes_done = 0

    def read(self, fetcher: Fetcher) -> None:
        """Read every file that changed."""
        with self.indexer:
            for place, (item, stamp, content) in enumerate(self._begun(self._contents(fetcher))):
                self._tell(item.name, place, 0)
                if content is None:
                    self._skip(item)
                else:
                    whole = self._read_file(item, place, content)
                    # What a list of addresses leads to changes without it: such a file is read in each run.
                    self._notes.ended.append((item, "" if leads_elsewhere(item) else stamp, whole))
                    if not self.indexer.waiting:
                        self._write()
                self._bytes_done += _weight(item)
            self.indexer.flush()
            self._write()
        self._tell("done", len(self._found), 0)

    def _contents(self, fetcher: Fetcher) -> Iterator[tuple[Found, str, _Items | None]]:
        """Yield each file with its stamp and what it holds, None if it did not change."""
        for item in self._found:
            stamp = stamp_of(item, self._options)
            if stamp and stamp == self._files.stamp(item.key):
                yield item, stamp, None
            else:
                begun = replace(item, base=self._files.begin(item.key, item.name))
                yield begun, stamp, self._engine.read(begun, self._options, fetcher)

    def _begun(self, contents: Iterable[_T]) -> Iterator[_T]:
        """Yield the same, taken before their turn while the engine has workers for more."""
        taken: deque[_T] = deque()
        for item in contents:
            taken.append(item)
            while len(taken) > self._engine.ahead:
                yield taken.popleft()
        yield from taken

    def _skip(self, item: Found) -> None:
        self.indexer.skip(self._files.unchanged(item.key, run=self.number))
        tally = self.indexer.tally
        for problem in self._files.problems(file=item.key, limit=SHOWN):
            tally.show(Problem(problem.place, problem.reason, problem.lost))
        tally.rejected += self._files.problem_count(file=item.key, lost=True)
        tally.remarks += self._files.problem_count(file=item.key, lost=False)

    def _read_file(self, item: Found, place: int, found: _Items) -> bool:
        """Index what a file holds; return False if something in it may have been missed.

        What was missed may be an article that was read before. An address shows what is new, not all there is.
        """
        chars, articles, whole = 0, 0, item.path is not None
        for content in found:
            waiting = self.indexer.waiting
            if isinstance(content, Problem):
                whole = whole and not content.lost
                self.indexer.tally.add(content)
                self._note(item, content)
            else:
                chars += len(content.text)
                articles += 1
                problem = self.indexer.add(content, where=f"{item.name} article {articles}")
                self._notes.origins.append((item.key, content.id))
                if problem:
                    whole = False
                    self._note(item, problem)
            flushed = waiting > self.indexer.waiting
            if flushed or len(self._notes.origins) + len(self._notes.problems) >= _NOTED:
                self.indexer.flush()
                self._write()
                self._tell(item.name, place, min(chars, item.size))
        return whole

    def _note(self, item: Found, problem: Problem) -> None:
        self._notes.problems.append(
            FileProblem(item.key, problem.where, problem.reason, problem.lost, datetime.now(UTC))
        )

    def _write(self) -> None:
        """Note what is now stored: a file has ended only when all of its articles are in the archive, if as pending."""
        notes, self._notes = self._notes, _Notes()
        self._files.found(notes.origins, run=self.number)
        self._files.add_problems(notes.problems, run=self.number)
        for item, stamp, whole in notes.ended:
            self._files.finish(item.key, stamp, run=self.number, whole=whole)

    def _tell(self, name: str, files_done: int, bytes_in_file: int) -> None:
        if self._progress:
            tally = self.indexer.tally
            done = (self._bytes_done + bytes_in_file) / self._bytes
            self._progress(
                Progress(
                    name=name,
                    files_done=files_done,
                    files=len(self._found),
                    done=min(1.0, done),
                    articles=tally.added + tally.updated + tally.unchanged,
                    passages=tally.passages,
                    seconds=time.monotonic() - self.began,
                )
            )


def _weight(item: Found) -> int:
    """Return a file's share of the work: its bytes, 1 for an empty one or an address."""
    return max(1, item.size)
