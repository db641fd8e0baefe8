"""Shared fixtures: no network, no home of the person who runs the tests, one real small store."""

from __future__ import annotations

import socket
from contextlib import closing
from datetime import UTC, datetime

import hypothesis
import pytest

from ingest.indexer import index_articles
from rag.archive import Archive
from rag.schema import Article
from rag.settings import Settings
from rag.store import Store
from tests.postgres import PostgresServer, binaries

# The same examples in each run, and no clock: machines are shared.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True)
hypothesis.settings.load_profile("suite")

NOW = datetime(2025, 9, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path_factory):
    """Keep settings out of the user's home and environment, and sockets on this machine."""
    import os

    for name in list(os.environ):
        if name.startswith("PRESSMARK_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PRESSMARK_HOME", str(tmp_path_factory.getbasetemp() / "home"))
    connect = socket.socket.connect

    def local_only(self, address):
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)


def make_article(id_="a1", text="The mayor opened the bridge on Tuesday.", **fields) -> Article:
    values = {"version": f"v-{abs(hash(text)) % 10**8}", "title": "Bridge opens", "source": "Selwyn Courier"} | fields
    return Article(id=id_, text=text, **values)


@pytest.fixture(scope="session")
def sample_store(tmp_path_factory):
    """The sample archive, ingested once for the whole run; tests only read it."""
    from eval.sample import sample_articles

    settings = Settings(_env_file=None, home=tmp_path_factory.mktemp("sample"))
    store = Store.open(settings)
    index_articles(sample_articles(), store, passage_tokens=settings.passage_tokens)
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server, started for the first test that wants one."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here: apt-get install postgresql")
    server = PostgresServer(programs)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def archive(request, tmp_path):
    """An empty archive, in each of the databases that may hold one."""
    if request.param == "sqlite":
        opened = Archive.open(tmp_path / "archive.sqlite")
    else:
        opened = Archive.connect(request.getfixturevalue("postgres").address())
    with closing(opened):
        yield opened


@pytest.fixture(scope="session")
def embeddings():
    """The packaged model, loaded once."""
    from rag.embeddings import SentenceEmbeddings

    return SentenceEmbeddings.from_settings(Settings(_env_file=None))
