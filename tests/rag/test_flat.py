from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import rag.vectors
from rag.errors import StoreError
from rag.flat import FlatVectors
from rag.schema import Passage, TimeWindow
from rag.vectors import VectorIndex

DIMENSION, COUNT = 8, 400
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
OUTLETS = ["Wire", "Post", "Courier"]


def made(count=COUNT, seed=3):
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((count, DIMENSION)).astype(np.float32)
    days = rng.integers(0, 100, count)
    return [
        Passage(
            f"p{number}", "a", "1", number, 0, 4, "text", "Title", OUTLETS[number % 3], "",
            None if number % 10 == 9 else BEGIN + timedelta(days=int(days[number])),
        )
        for number in range(count)
    ], vectors / np.linalg.norm(vectors, axis=1, keepdims=True)  # fmt: skip


def matches(passage, window, sources):
    if sources and passage.source not in sources:
        return False
    if window is None:
        return True
    dated = passage.published_at is not None
    return dated and (not window.since or passage.published_at >= window.since) and (
        not window.until or passage.published_at < window.until
    )  # fmt: skip


def expected(passages, vectors, query, window, sources, limit):
    scores = vectors @ query
    kept = [n for n, passage in enumerate(passages) if matches(passage, window, sources)]
    return [passages[n].id for n in sorted(kept, key=lambda n: -scores[n])[:limit]]


def day(number):
    return BEGIN + timedelta(days=number)


FILTERS = [
    (TimeWindow(day(10), day(60)), ()),
    (TimeWindow(day(10), None), ()),
    (TimeWindow(None, day(3)), ()),
    (TimeWindow(day(50), day(50)), ()),
    (None, ("Post",)),
    (None, ("Post", "Courier")),
    (None, ("Nobody",)),
    (TimeWindow(day(20), day(90)), ("Wire", "Nobody")),
]


@pytest.fixture
def index(tmp_path):
    index = VectorIndex.open(tmp_path / "chroma", model_id="m", dimension=DIMENSION)
    index.add(*made())
    yield index
    index.close()


@pytest.mark.parametrize("way", ["scored", "fetched"])
@pytest.mark.parametrize(("window", "sources"), FILTERS)
def test_both_ways_find_what_matches_exactly(index, monkeypatch, way, window, sources):
    if way == "fetched":
        monkeypatch.setattr(rag.vectors, "_SCORED_PER_HIT", 0)
    passages, vectors = made()
    for query in made(5, seed=4)[1]:
        found = [id_ for id_, _ in index.search(query, limit=7, window=window, sources=sources)]
        assert found == expected(passages, vectors, query, window, sources, 7)


def test_too_few_hits_that_match_are_made_up_for(index, monkeypatch):
    monkeypatch.setattr(rag.vectors, "_SCORED_PER_HIT", 0)
    monkeypatch.setattr(rag.vectors, "_MORE", 0.1)
    passages, vectors = made()
    window = TimeWindow(day(0), day(30))
    found = [id_ for id_, _ in index.search(vectors[0], limit=20, window=window)]
    assert found == expected(passages, vectors, vectors[0], window, (), 20)


def test_long_lists_are_scored_on_two_threads_alike(tmp_path):
    passages, vectors = made(9000)
    flat = FlatVectors(tmp_path, DIMENSION)
    flat.put([p.id for p in passages], vectors, [0] * 9000, ["Wire"] * 9000)
    found = [id_ for id_, _ in flat.nearest(vectors[5], flat.matching(None, ["Wire"]), 10)]
    assert found == expected(passages, vectors, vectors[5], None, (), 10)
    flat.close()


def test_replaced_deleted_and_reopened(tmp_path):
    passages, vectors = made(60)
    index = VectorIndex.open(tmp_path, model_id="m", dimension=DIMENSION)
    index.add(passages, vectors)
    index.delete([passage.id for passage in passages[::2]])
    again, other = made(20, seed=8)
    index.add(again, other)  # known ids among them, and ids whose rows became free
    index.close()
    index = VectorIndex.open(tmp_path, model_id="m", dimension=DIMENSION)
    kept = again + [passage for passage in passages[20:] if int(passage.id[1:]) % 2]
    held = np.concatenate([other, vectors[[int(passage.id[1:]) for passage in kept[20:]]]])
    for window, sources in FILTERS:
        found = [id_ for id_, _ in index.search(vectors[1], limit=100, window=window, sources=sources)]
        assert found == expected(kept, held, vectors[1], window, sources, 100)
    index.close()
    assert (tmp_path / "exact" / "vectors.f32").stat().st_size == 60 * DIMENSION * 4  # free rows were used again


def test_what_a_killed_run_wrote_beyond_the_last_row_is_written_over(tmp_path):
    passages, vectors = made(30)
    index = VectorIndex.open(tmp_path, model_id="m", dimension=DIMENSION)
    index.add(passages[:10], vectors[:10])
    index.close()
    for name in ("vectors.f32", "published.i64", "sources.i32"):
        with (tmp_path / "exact" / name).open("ab") as file:
            file.write(b"\x07" * 100)
    index = VectorIndex.open(tmp_path, model_id="m", dimension=DIMENSION)
    index.add(passages[10:], vectors[10:])
    found = [id_ for id_, _ in index.search(vectors[0], limit=30, sources=OUTLETS)]
    assert found == expected(passages, vectors, vectors[0], None, (), 30)
    index.close()


def test_an_index_of_an_earlier_pressmark_is_copied_once(index, tmp_path):
    import shutil

    passages, vectors = made()
    index._collection.modify(configuration={"hnsw": {"ef_search": 20}})
    index.close()
    shutil.rmtree(tmp_path / "chroma" / "exact")
    again = VectorIndex.open(tmp_path / "chroma", model_id="m", dimension=DIMENSION)
    for window, sources in FILTERS:
        found = [id_ for id_, _ in again.search(vectors[3], limit=9, window=window, sources=sources)]
        assert found == expected(passages, vectors, vectors[3], window, sources, 9)
    assert again._collection.configuration["hnsw"]["ef_search"] == rag.vectors.EF_SEARCH
    again.close()


def test_a_put_that_fails_changes_nothing(tmp_path):
    flat = FlatVectors(tmp_path, DIMENSION)
    _, vectors = made(3)
    flat.put(["x"], vectors[:1], [5], ["Wire"])
    with pytest.raises(ValueError, match="2 ids, 2 vectors, 1 times"):
        flat.put(["y", "z"], vectors[1:], [5], ["Wire"])  # a time is missing
    assert len(flat) == 1
    assert [id_ for id_, _ in flat.nearest(vectors[1], flat.matching(None, ["Wire"]), 5)] == ["x"]
    flat.close()


def test_what_the_power_took_is_copied_again(index, tmp_path):
    passages, vectors = made()
    index._flat.delete([passage.id for passage in passages[50:90]])  # as if its last commits had not reached the disk
    index.close()
    again = VectorIndex.open(tmp_path / "chroma", model_id="m", dimension=DIMENSION)
    found = [id_ for id_, _ in again.search(vectors[60], limit=9, sources=OUTLETS)]
    assert found == expected(passages, vectors, vectors[60], None, (), 9)
    again.close()


def test_a_run_killed_before_chroma_was_told_leaves_nothing_out(index, monkeypatch):
    (new, *_), (vector, *_) = made(1, seed=9)
    new = replace(new, id="new")
    with monkeypatch.context() as patch:
        patch.setattr(index._collection, "upsert", lambda **_: 1 / 0)
        with pytest.raises(StoreError, match="doctor"):
            index.add([new], vector[None])
    assert "new" not in set(index.ids())  # so that the next run adds it, to both
    index.add([new], vector[None])
    assert index.search(vector, limit=1, sources=[new.source])[0][0] == "new"


@pytest.mark.parametrize("name", ["rows.sqlite", "vectors.f32"])
def test_damaged_files_are_an_error_with_the_cure(index, tmp_path, name):
    index.close()
    (tmp_path / "chroma" / "exact" / name).write_bytes(b"no such file" * 50)
    with pytest.raises(StoreError, match="Move that folder away"):
        VectorIndex.open(tmp_path / "chroma", model_id="m", dimension=DIMENSION)
