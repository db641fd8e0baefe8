"""Reading and embedding on a Ray cluster, or on all cores of this machine; writing stays with the home's owner.

Plain tasks and actors, not Ray Data: a run decides between reading and embedding which articles are new and to which
story they belong, so each batch would be a dataset's execution of its own, and each execution starts its own actors,
which load the model. On 2 cores 128 articles took 10 to 17 s so, and 2.2 s with actors that stay.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ingest.engine import Prepared, prepare
from ingest.fetch import Fetcher
from ingest.loaders.source import Options
from ingest.report import Problem
from ingest.sources import Found, leads_elsewhere, read
from rag.errors import ModelError, SettingsError
from rag.schema import Article
from rag.settings import Settings
from rag.store import Embedder, embedder

# Shares of a core, so that on each core there is room for a worker that embeds and for one that reads: reading is a
# small part of the work, and must go on while all who embed are busy.
_EMBEDS, _READS = 0.8, 0.2
_AHEAD = 2  # batches that each worker has before it: one in work, one to go on with
_TRIES = 3  # of a batch or file, each with a new process, if a worker dies; an article that kills all is no bad luck
_CHUNK = 64  # articles and problems that a reader hands over at once
_CHUNK_CHARS = 1_000_000
_SECONDS = 10.0  # for a cluster's head to answer
_CHUNKS = 2  # that a reader may be ahead of the run

_Items = Iterator[Article | Problem]


class RayEngine:
    """Reads and embeds with Ray's workers; a context manager that ends them.

    Ray is started, or the cluster of RAY_ADDRESS joined, when there is something to read: a run in which nothing
    changed needs neither.
    """

    def __init__(
        self, settings: Settings, *, workers: int | None = None, load: Callable[[Settings], Embedder] = embedder
    ) -> None:
        """Keep what the workers need.

        Args:
            settings: They load the embedding model that these name.
            workers: How many embed; one for each core of the cluster if left out. Each has its share of the cores.
            load: Loads the model in a worker.

        Raises:
            SettingsError: Ray is not installed.
        """
        if find_spec("ray") is None:
            raise SettingsError("--engine ray needs one more package: pip install 'pressmark[ray]'")
        self._settings = settings
        self._wanted = workers
        self._load = load
        self._started = False
        self._workers: list[Any] = []
        self._under_way: dict[Any, int] = {}  # what a worker is to return -> the worker's number

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            self._ray.kill(worker)
        if self._started:
            self._ray.shutdown()

    @property
    def ahead(self) -> int:
        """How many batches, and how many files, may be under way while the run goes on; 0 until Ray is needed."""
        return _AHEAD * self._count if "_ray" in self.__dict__ else 0

    def read(self, found: Found, options: Options, fetcher: Fetcher) -> _Items:
        """Begin to read a file with a worker; what comes over the network is read here, as politely as ever."""
        if found.path is None or leads_elsewhere(found):
            return read(found, options, fetcher)
        return self._received(self._reader.remote(found, options), found, options, fetcher)

    def prepare(self, articles: Sequence[Article]) -> Callable[[], Prepared]:
        """Give a batch to the worker that has the least to do."""
        if not self._workers:
            self._workers = self._new_workers()
        self._forget_done()
        waiting = list(self._under_way.values())
        number = min(range(self._count), key=waiting.count)
        outcome = self._workers[number].prepare.remote(articles)
        self._under_way[outcome] = number
        return lambda: self._got(outcome)

    def _received(self, chunks: Any, found: Found, options: Options, fetcher: Fetcher) -> _Items:  # noqa: ANN401  # ray's generator
        for chunk in chunks:
            items: list[Article | Problem] | None = self._got(chunk)
            if items is None:
                yield from read(found, options, fetcher)
                return
            yield from items

    def _got(self, outcome: Any) -> Any:  # noqa: ANN401  # what the remote function returns
        from ray.exceptions import RayError, RayTaskError

        try:
            return self._ray.get(outcome)
        except RayTaskError as error:
            raise error.cause from error  # our own, as if it had been raised here
        except RayError as error:
            raise ModelError(
                f"Ray gave up on a batch or file ({str(error)[:300]}). Each machine of the cluster needs this version "
                "of Pressmark, and memory for its workers (--workers takes fewer). Run this again: it goes on where it "
                "was."
            ) from error

    def _forget_done(self) -> None:
        if self._under_way:
            refs = list(self._under_way)
            done, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
            for ref in done:
                del self._under_way[ref]

    @cached_property
    def _ray(self) -> Any:  # noqa: ANN401  # the module
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it reports home else
        import ray

        if not ray.is_initialized():
            # Else Ray would join what was last started on this machine by anyone, or wait for it in vain.
            address = os.environ.get("RAY_ADDRESS") or "local"
            try:
                _check_address(address)
                ray.init(address, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
            except (OSError, RuntimeError, ValueError) as error:
                raise SettingsError(
                    f"Ray cannot be started or joined ({error}): check RAY_ADDRESS, which names a cluster, and "
                    "RAY_AUTH_TOKEN, if it wants one; without RAY_ADDRESS a local Ray is started."
                ) from error
            self._started = True
        return ray

    @cached_property
    def _cores(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    @cached_property
    def _count(self) -> int:
        return min(self._wanted or self._cores, self._cores)

    def _new_workers(self) -> list[Any]:
        threads = self._cores // self._count
        settings = self._settings.model_copy(update={"threads": threads})
        worker = self._ray.remote(
            num_cpus=max(_EMBEDS, threads - 1),  # over one, Ray takes whole cores only
            scheduling_strategy="SPREAD",
            max_restarts=-1,
            max_task_retries=_TRIES,
        )(_Worker)
        return [worker.remote(settings, self._load) for _ in range(self._count)]

    @cached_property
    def _reader(self) -> Any:  # noqa: ANN401  # a remote function
        return self._ray.remote(
            num_cpus=_READS,
            num_returns="streaming",
            max_retries=_TRIES,
            _generator_backpressure_num_objects=_CHUNKS,
        )(_read)


class _Worker:
    """Splits and embeds batches; the model is loaded with the first."""

    def __init__(self, settings: Settings, load: Callable[[Settings], Embedder]) -> None:
        self._settings = settings
        self._load = load

    @cached_property
    def _embeddings(self) -> Embedder:
        return self._load(self._settings)

    def prepare(self, articles: Sequence[Article]) -> Prepared:
        return prepare(articles, self._embeddings, self._settings.passage_tokens)


def _read(found: Found, options: Options) -> Iterator[list[Article | Problem] | None]:
    """Yield what a file holds, in chunks; None if it does not lie on this machine as it does on the run's."""
    if not _is_here(found):
        yield None
        return
    os.environ["PRESSMARK_THREADS"] = "1"  # for the model that tells where a story on a page ends
    chunk: list[Article | Problem] = []
    chars = 0
    with Fetcher(allow_private=False) as fetcher:  # no file that is read here leads to an address
        for item in read(found, options, fetcher):
            chunk.append(item)
            chars += len(item.text) if isinstance(item, Article) else 0
            if len(chunk) >= _CHUNK or chars >= _CHUNK_CHARS:
                yield chunk
                chunk, chars = [], 0
    yield chunk


def _check_address(address: str) -> None:
    """Raise OSError if nobody listens at a cluster's address: Ray itself finds out after minutes."""
    if address.startswith("ray://"):
        raise SettingsError(
            f"RAY_ADDRESS={address} is Ray Client's, over which no file comes piece by piece: give the cluster's own "
            "address (head:6379) on one of its machines, or run this with `ray job submit`."
        )
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS).close()


def _is_here(found: Found) -> bool:
    try:
        state = Path(found.path or "").stat()
    except OSError:
        return False
    return (state.st_size, state.st_mtime_ns) == (found.size, found.changed_at)
