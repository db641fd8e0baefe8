"""Beyond one machine: archive in PostgreSQL, vectors on a Chroma server, two servers of ours behind nginx, Ray."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from eval.sample import ARTICLES, sample_articles
from ingest.indexer import index_articles
from rag.errors import StoreError
from rag.settings import Settings
from rag.store import Store, opened
from tests.chroma import ChromaServer
from tests.doors.conftest import Server, plain_environment

QUESTION = "How strong was the earthquake off the Isle of Sorrel in August?"
RATE = 60
ROOT = Path(__file__).parents[2]
_NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 128; }}
http {{
    access_log off; add_header X-Served-By $upstream_addr;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {shipped}
}}
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def chroma(tmp_path_factory) -> Iterator[ChromaServer]:
    server = ChromaServer(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def stores(postgres, chroma) -> dict[str, str]:
    """The settings of an archive that others may use too."""
    return {"PRESSMARK_ARCHIVE_URL": postgres.address(), "PRESSMARK_CHROMA_URL": f"{chroma.url}/beyond"}


def settings_of(stores: dict[str, str], home: Path) -> Settings:
    return Settings(
        _env_file=None,
        home=home,
        archive_url=stores["PRESSMARK_ARCHIVE_URL"],
        chroma_url=stores["PRESSMARK_CHROMA_URL"],
    )


@pytest.fixture(scope="module")
def filled(stores, tmp_path_factory) -> dict[str, str]:
    """The same, after the sample was ingested on Ray."""
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    home = tmp_path_factory.mktemp("ray")
    command = [sys.executable, "-m", "ui.cli", "--home", home, "ingest", ARTICLES, "--engine", "ray", "--json"]
    environment = plain_environment() | stores
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return stores


@pytest.fixture(scope="module")
def pair(filled, tmp_path_factory) -> Iterator[tuple[Server, Server, str]]:
    """Two servers, and the address of the proxy before them."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if nginx is None:
        pytest.skip("nginx is not installed here: apt-get install nginx")
    folder = tmp_path_factory.mktemp("pair")
    servers = [Server(folder / name, PRESSMARK_RATE_PER_MINUTE=str(RATE), **filled) for name in ("one", "two")]
    port = free_port()
    config = folder / "nginx.conf"
    shipped = (
        (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8").replace("listen 80", f"listen 127.0.0.1:{port}")
    )
    for number, server in enumerate(servers, 1):
        shipped = shipped.replace(f"pressmark{number}:7860", server.url.removeprefix("http://"))
    config.write_text(_NGINX.format(folder=folder, shipped=shipped), encoding="utf-8")
    with ExitStack() as stack:
        for server in servers:
            server.launch()
            stack.callback(server.stop)
        for server in servers:
            server.wait()
        proxy = subprocess.Popen([nginx, "-p", str(folder), "-c", str(config)], stderr=subprocess.DEVNULL)
        stack.callback(proxy.wait)
        stack.callback(proxy.terminate)
        url = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 20
        while True:
            try:
                httpx.get(f"{url}/health", timeout=5)
                break
            except httpx.TransportError:
                assert time.monotonic() < until, (folder / "error.log").read_text()
                time.sleep(0.05)
        yield servers[0], servers[1], url


def test_ray_postgres_and_chroma_hold_what_a_plain_home_holds(filled, sample_store, tmp_path):
    with opened(settings_of(filled, tmp_path)) as store:
        ids = sample_store.archive.passage_ids()
        assert store.archive.passage_ids() == ids
        assert sorted(store.index.ids()) == ids
        assert store.archive.status().stories == sample_store.archive.status().stories
        there, here = store.archive.passages(ids), sample_store.archive.passages(ids)
        assert {id_: item.text for id_, item in there.items()} == {id_: item.text for id_, item in here.items()}
        vector = sample_store.embeddings.embed([QUESTION], query=True)[0]
        found, expected = store.index.search(vector, limit=5), sample_store.index.search(vector, limit=5)
        assert [id_ for id_, _ in found] == [id_ for id_, _ in expected]
        assert [near for _, near in found] == pytest.approx([near for _, near in expected], abs=1e-4)


def asked(url: str, question: str, *history: str) -> httpx.Response:
    body = {"question": question, "history": [{"question": earlier} for earlier in history]}
    return httpx.post(f"{url}/api/answers", json=body, timeout=120)


def test_two_servers_behind_a_proxy_hold_one_conversation(pair):
    *servers, url = pair
    first = asked(url, QUESTION)
    assert first.json()["status"] == "answered", first.text
    second = asked(url, "And how many people were hurt?", QUESTION)
    assert {first.headers["X-Served-By"], second.headers["X-Served-By"]} == {
        server.url.removeprefix("http://") for server in servers
    }
    assert "Nine people" in str(second.json()["claims"])
    for server in servers:  # whoever answered
        for reply in (first, second):
            assert httpx.get(f"{server.url}/api/answers/{reply.json()['id']}").json() == reply.json()
    opinion = httpx.post(f"{url}/api/answers/{second.json()['id']}/feedback", json={"rating": "up"})
    assert opinion.status_code == 204


def test_the_page_is_served_through_the_proxy_by_one_server_for_one_reader(pair):
    *_, url = pair
    replies = [httpx.get(f"{url}/{path}") for path in ("", "", "config", "theme.css")]
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.headers["X-Served-By"] for reply in replies}) == 1


@pytest.mark.parametrize("which", ["chroma", "postgres"])
def test_a_store_that_is_killed_is_told_and_found_again_by_running_servers(pair, chroma, postgres, which):
    *servers, url = pair
    killed = {"chroma": chroma, "postgres": postgres}[which]
    setting = {"chroma": "PRESSMARK_CHROMA_URL", "postgres": "PRESSMARK_ARCHIVE_URL"}[which]
    killed.kill()
    try:
        for _ in range(2):  # each of the two servers
            refused = asked(url, QUESTION)
            assert refused.status_code == 503, refused.text
            assert "cannot be used at the moment" in refused.json()["detail"]
            assert refused.headers["Retry-After"] == "5"
        for server in servers:
            assert f"check {setting}" in server.log
            assert "seven-herons" not in server.log  # the password
    finally:
        killed.start()
    for _ in range(2):
        answered = asked(url, QUESTION)
        assert answered.status_code == 200, answered.text
        assert answered.json()["status"] == "answered"


def test_a_server_that_is_killed_is_done_without(pair):
    one, two, url = pair
    one.kill()
    for _ in range(3):
        answered = asked(url, QUESTION)
        assert answered.headers["X-Served-By"].endswith(two.url.removeprefix("http://"))
        assert answered.status_code == 200
    one.launch()
    one.wait()


def test_servers_count_requests_together(pair):
    one, two, _ = pair
    replies = [httpx.get(f"{server.url}/api/articles") for _ in range(RATE // 2 + 1) for server in (one, two)]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert 1 <= len(refused) <= len(replies) - 2
    assert "at most 60 a minute" in refused[0].json()["detail"]


@pytest.mark.parametrize("which", ["chroma", "postgres"])
def test_a_store_that_is_killed_during_an_ingest_loses_nothing(postgres, chroma, sample_store, tmp_path, which):
    killed = {"chroma": chroma, "postgres": postgres}[which]
    stores = {"PRESSMARK_ARCHIVE_URL": postgres.address(), "PRESSMARK_CHROMA_URL": f"{chroma.url}/killed-{which}"}

    class Killing:
        """Embeds as the sample's model does; the store dies while the first batch is embedded."""

        model_id, dimension = sample_store.embeddings.model_id, sample_store.embeddings.dimension
        count_tokens = sample_store.embeddings.count_tokens

        def __init__(self):
            self.armed = True

        def embed(self, texts, *, query=False):
            if self.armed:
                self.armed = False
                killed.kill()
            return sample_store.embeddings.embed(texts, query=query)

    with closing(Store.open(settings_of(stores, tmp_path))) as whole:
        store = Store(whole.archive, whole.index, Killing(), None)
        with pytest.raises(StoreError, match="check PRESSMARK"):
            index_articles(sample_articles(), store, passage_tokens=128)
        killed.start()
        index_articles(sample_articles(), store, passage_tokens=128)  # the same objects, without a restart
        ids = sample_store.archive.passage_ids()
        assert store.archive.passage_ids() == ids
        assert sorted(store.index.ids()) == ids
        assert store.archive.pending() == []
