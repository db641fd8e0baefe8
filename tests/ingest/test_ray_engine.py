import csv
import json
import logging
import os
import signal
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ingest import ray_engine
from ingest.fetch import Fetcher
from ingest.loaders.source import PLAIN
from ingest.ray_engine import RayEngine
from ingest.run import ingest
from ingest.sources import find, read
from rag import store as store_module
from rag.errors import ModelError, SettingsError
from rag.settings import Settings
from rag.store import Store

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'pressmark[ray]'")
ROOT = Path(__file__).parents[2]


class StandIn:
    """Costs nothing to load. What befalls its process befalls once: a file marks that it happened."""

    model_id, dimension = "stand-in", 8

    def __init__(self, marker=None, befalls=None):
        self.marker, self.befalls, self.calls = marker, befalls, 0

    def embed(self, texts, *, query=False):
        self.calls += 1
        if self.befalls and self.calls == 2 and not self.marker.exists():
            self.marker.touch()
            self.befalls()
        rows = [[zlib.crc32(f"{n} {text}".encode()) for n in range(self.dimension)] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(-1, self.dimension) / 2**32

    def count_tokens(self, text):
        return len(text.split())


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def fail():
    raise ModelError("the disk with the weights is gone")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers know the product, not this file
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        _node_ip_address="127.0.0.1",
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )
    yield
    ray.shutdown()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr("ingest.indexer.BATCH_ARTICLES", 8)
    monkeypatch.setattr(store_module, "embedder", lambda settings: StandIn())


@pytest.fixture
def news(tmp_path):
    """150 articles: 40 files of one, a long one, a table, copies of stories far apart, and two that cannot be read."""
    folder = tmp_path / "news"
    folder.mkdir()
    rows = [row(n) for n in range(100)] + [row(n, id=f"copy{n}", source="Tribune") for n in (3, 40, 98)]
    (folder / "b.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n{broken\n")
    with (folder / "c.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row(0)))
        writer.writeheader()
        writer.writerows(row(n) for n in range(100, 110))
    for n in range(110, 150):
        (folder / f"d{n}.json").write_text(json.dumps([row(n)]))
    (folder / "z.pdf").write_bytes(b"no document")
    return folder


def row(number, **fields):
    words = [f"w{zlib.crc32(f'{number} {n}'.encode()) % 5000}" for n in range(120)]
    sentences = [" ".join(["The", *words[n : n + 12]]) + "." for n in range(0, 120, 12)]
    return {"id": f"a{number}", "title": f"Report {number}", "text": " ".join(sentences), "source": "Courier"} | fields


def run(home, sources, engine=None):
    settings = Settings(_env_file=None, home=home, passage_tokens=64)
    store = Store.open(settings)
    try:
        return ingest([sources], store, passage_tokens=64, engine=engine)
    finally:
        store.close()


def with_ray(home, sources, load=lambda settings: StandIn()):
    with RayEngine(Settings(_env_file=None, passage_tokens=64), workers=2, load=load) as engine:
        return run(home, sources, engine), engine


def held(home):
    """All that a search or a later run can see."""
    store = Store.open(Settings(_env_file=None, home=home))
    archive = store.archive
    articles = archive.articles(limit=10_000)
    vectors = store.index._collection.get(include=["embeddings", "metadatas"])
    rows = [[*map(float, vector)] for vector in vectors["embeddings"]]
    found = {
        "articles": articles,
        "versions": {article.id: archive.versions(article.id) for article in articles},
        "stories": archive.stories.cards([article.id for article in articles]),
        "passages": archive.passages(archive.passage_ids()),
        "vectors": dict(zip(vectors["ids"], zip(rows, vectors["metadatas"], strict=True), strict=True)),
        "problems": [replace(problem, at=None) for problem in archive.files.problems()],
        "unfinished": (archive.pending(), archive.orphans()),
        "stamps": [archive.files.stamp(item.key) for item in find([articles_folder(home)])],
    }
    store.close()
    return found


def articles_folder(home):
    return home.parent / "news"


def same_report(one, other):
    return replace(one, seconds=0) == replace(other, seconds=0)


def test_the_index_is_that_of_the_plain_engine_and_a_second_run_skips_all(news, tmp_path):
    plain = run(tmp_path / "plain", news)
    report, engine = with_ray(tmp_path / "ray", news)
    assert (report.added, report.rejected) == (153, 2)
    assert len(engine._workers) == 2
    assert same_report(report, plain)
    expected = held(tmp_path / "plain")
    assert len({card.story_id for card in expected["stories"].values()}) == 150
    assert held(tmp_path / "ray") == expected

    again, engine = with_ray(tmp_path / "ray", news)
    assert (again.added, again.updated, again.unchanged) == (0, 0, 153)
    assert engine._workers == []


def test_a_killed_worker_s_batch_is_done_again(news, tmp_path):
    run(tmp_path / "plain", news)
    marker = tmp_path / "killed"
    report, _ = with_ray(tmp_path / "ray", news, load=lambda settings: StandIn(marker, die))
    assert marker.exists()
    assert report.added == 153
    assert held(tmp_path / "ray") == held(tmp_path / "plain")


def test_after_a_failure_the_next_run_ends_in_the_same_index(news, tmp_path):
    run(tmp_path / "plain", news)
    with pytest.raises(ModelError, match="the disk with the weights is gone"):
        with_ray(tmp_path / "ray", news, load=lambda settings: StandIn(tmp_path / "failed", fail))
    with_ray(tmp_path / "ray", news)
    assert held(tmp_path / "ray") == held(tmp_path / "plain")


def test_changed_articles_and_their_copies_are_told_apart_as_by_the_plain_engine(news, tmp_path):
    for home in ("plain", "ray"):
        run(tmp_path / home, news)
    # Story 3 is rewritten; copies of its old and of its new text come while its batch is still under way.
    rows = [row(n) for n in range(3)] + [row(1000 + n, id=f"a{n}") for n in range(3, 40)]
    rows[15:15] = [row(3, id="old", source="Tribune"), row(1003, id="new", source="Tribune")]
    (news / "b.jsonl").write_text("\n".join(map(json.dumps, rows)))
    plain = run(tmp_path / "plain", news)
    report, _ = with_ray(tmp_path / "ray", news)
    assert same_report(report, plain)
    assert (report.added, report.updated) == (2, 37)
    assert held(tmp_path / "ray") == held(tmp_path / "plain")


def test_a_file_that_the_workers_do_not_see_is_read_by_the_run(news):
    item = find([news / "c.csv"])[0]
    elsewhere = replace(item, size=item.size + 1)
    assert list(ray_engine._read(elsewhere, PLAIN)) == [None]
    with Fetcher() as fetcher, RayEngine(Settings(_env_file=None)) as engine:
        found = list(engine.read(elsewhere, PLAIN, fetcher))
        assert found == list(read(item, PLAIN, fetcher))
    assert len(found) == 10


@pytest.mark.parametrize(
    ("address", "said"), [("127.0.0.1:1", "refused.*RAY_ADDRESS"), ("ray://head:10001", "head:6379")]
)
def test_a_cluster_that_cannot_be_joined_is_told_at_once(address, said, monkeypatch, news):
    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with Fetcher() as fetcher, RayEngine(Settings(_env_file=None)) as engine, pytest.raises(SettingsError, match=said):
        engine.read(find([news / "c.csv"])[0], PLAIN, fetcher)


def test_without_ray_the_error_names_the_extra(monkeypatch):
    monkeypatch.setattr(ray_engine, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'pressmark\[ray\]'"):
        RayEngine(Settings(_env_file=None))
