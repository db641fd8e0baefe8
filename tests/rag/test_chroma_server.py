import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from rag.errors import ModelError, SettingsError, StoreError
from rag.schema import Passage, TimeWindow
from rag.vectors import VectorIndex
from tests.chroma import ChromaServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = ChromaServer(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.kill()


def passage(id_, source="Wire", published_at=None):
    return Passage(id_, "a", "1", 0, 0, 4, "text", "Title", source, "", published_at)


def connected(server, name):
    return VectorIndex.connect(f"{server.url}/{name}", model_id="m", dimension=3)


def test_vectors_are_found_filtered_replaced_and_deleted(server):
    june, july = datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)
    with closing(connected(server, "found")) as index:
        assert index.search(np.ones(3), limit=3) == []
        index.add([passage("x", published_at=june), passage("y", "Post", july), passage("z")], np.eye(3))
        one = np.array([1.0, 0.2, 0.1])
        assert [id_ for id_, _ in index.search(one, limit=3)] == ["x", "y", "z"]
        assert index.search(one, limit=1)[0][1] == pytest.approx(1 / np.linalg.norm(one), abs=1e-3)
        assert [id_ for id_, _ in index.search(one, limit=3, window=TimeWindow(june, july))] == ["x"]
        assert [id_ for id_, _ in index.search(one, limit=3, window=TimeWindow(june), sources=["Post"])] == ["y"]
        assert [id_ for id_, _ in index.search(one, limit=3, sources=["Wire"])] == ["x", "z"]
        index.delete(["x", "unknown"])
        index.add([passage("z")], np.array([[1.0, 0, 0]]))
        assert [id_ for id_, _ in index.search(one, limit=3)] == ["z", "y"]
        assert (index.count(), sorted(index.ids())) == (2, ["y", "z"])


def test_another_model_is_refused(server):
    connected(server, "model").close()
    with pytest.raises(ModelError, match="PRESSMARK_EMBEDDING_MODEL"):
        VectorIndex.connect(f"{server.url}/model", model_id="other", dimension=3)


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://host/x", "http://", "http://host/a/b"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(SettingsError, match="http://host:8000"):
        VectorIndex.connect(address, model_id="m", dimension=3)


def test_several_processes_write_and_read_at_once(server):
    code = (
        "import sys, numpy as np; from rag.schema import Passage; from rag.vectors import VectorIndex\n"
        "index = VectorIndex.connect(sys.argv[1] + '/many', model_id='m', dimension=8)\n"
        "rng = np.random.default_rng(int(sys.argv[2]))\n"
        "for batch in range(10):\n"
        "    ids = [f'{sys.argv[2]}-{batch}-{n}' for n in range(20)]\n"
        "    passages = [Passage(id_, 'a', '1', 0, 0, 4, 'text', 'Title', 'Wire') for id_ in ids]\n"
        "    vectors = rng.standard_normal((20, 8)); index.add(passages, vectors)\n"
        "    assert index.search(vectors[7], limit=1)[0][0] == ids[7]\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, server.url, str(n)], cwd=ROOT) for n in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with closing(VectorIndex.connect(f"{server.url}/many", model_id="m", dimension=8)) as index:
        assert index.count() == len(set(index.ids())) == 600


def test_a_server_that_is_killed_is_told_and_found_again_without_a_restart(tmp_path):
    server = ChromaServer(tmp_path)
    server.start()
    with closing(connected(server, "killed")) as index:
        index.add([passage("x")], np.array([[1.0, 0, 0]]))
        server.kill()
        for use in (
            lambda: index.search(np.ones(3), limit=1),
            lambda: index.add([passage("y")], np.ones((1, 3))),
            lambda: index.delete(["x"]),
            index.count,
            lambda: list(index.ids()),
            lambda: connected(server, "killed"),
        ):
            with pytest.raises(StoreError, match="check PRESSMARK_CHROMA_URL"):
                use()
        server.start()
        assert [id_ for id_, _ in index.search(np.ones(3), limit=2)] == ["x"]
        index.add([passage("y")], np.ones((1, 3)))
        assert index.count() == 2
    server.kill()
