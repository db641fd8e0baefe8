from datetime import UTC, datetime

import numpy as np
import pytest

from rag.errors import ModelError
from rag.schema import Passage, TimeWindow
from rag.vectors import VectorIndex


def passage(id_, source="Wire", published_at=None):
    return Passage(id_, "a", "1", 0, 0, 4, "text", "Title", source, "", published_at)


def unit(*values):
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)


@pytest.fixture
def index(tmp_path):
    index = VectorIndex.open(tmp_path / "chroma", model_id="m", dimension=3)
    june, july = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)
    index.add(
        [passage("x", published_at=june), passage("y", "Post", july), passage("z")],
        np.stack([unit(1, 0, 0), unit(1, 1, 0), unit(0, 0, 1)]),
    )
    yield index
    index.close()


def test_search_gives_cosine_similarity_best_first(index):
    found = index.search(unit(1, 0, 0), limit=3)
    assert [id_ for id_, _ in found] == ["x", "y", "z"]
    assert [score for _, score in found] == pytest.approx([1.0, 0.7071, 0.0], abs=1e-3)


def test_filters_by_window_and_outlet(index):
    window = TimeWindow(since=datetime(2025, 6, 15, tzinfo=UTC), until=datetime(2025, 7, 2, tzinfo=UTC))
    assert [id_ for id_, _ in index.search(unit(1, 0, 0), limit=3, window=window)] == ["y"]
    assert [id_ for id_, _ in index.search(unit(1, 0, 0), limit=3, sources=["Wire"])] == ["x", "z"]


def test_adding_a_known_id_replaces_its_vector(index):
    index.add([passage("x")], unit(0, 0, 1)[None, :])
    assert index.count() == 3
    assert dict(index.search(unit(0, 0, 1), limit=3))["x"] == pytest.approx(1.0, abs=1e-3)


def test_deleted_and_unknown_ids(index):
    index.delete(["x", "never there"])
    index.delete([])
    assert sorted(index.ids()) == ["y", "z"]


def test_an_empty_index_finds_nothing(tmp_path):
    index = VectorIndex.open(tmp_path / "chroma", model_id="m", dimension=3)
    assert index.search(unit(1, 0, 0), limit=3) == []
    index.close()


def test_another_embedding_model_is_refused(tmp_path):
    VectorIndex.open(tmp_path / "chroma", model_id="m", dimension=3).close()
    with pytest.raises(ModelError, match="'m'"):
        VectorIndex.open(tmp_path / "chroma", model_id="other", dimension=3)


def test_more_passages_than_a_batch_holds_are_all_added(tmp_path):
    index = VectorIndex.open(tmp_path / "chroma", model_id="m", dimension=3)
    index._batch = 10
    index.add([passage(str(n)) for n in range(25)], np.tile(unit(1, 0, 0), (25, 1)))
    assert index.count() == 25
    index.close()
