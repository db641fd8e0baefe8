import json
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from tenacity import wait_none

from ingest.indexer import index_articles
from rag import embedding_server as module
from rag.embedding_server import ServerEmbeddings
from rag.errors import ModelError
from rag.retriever import HybridRetriever
from rag.schema import Article
from rag.settings import Settings
from rag.store import opened

DIMENSION = 64


class EmbeddingServer(BaseHTTPRequestHandler):
    """Embeds by the words' hashes, not of unit length and not in order; what it answers first is in `failures`."""

    failures, seen, dimension = [], [], DIMENSION

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append(asked)
        if self.failures:
            self._answer(self.failures.pop(0), {"error": {"message": "rate limit"}})
        elif self.path != "/v1/embeddings":
            self._answer(404, {"detail": "Not Found"})
        elif self.headers["authorization"] != "Bearer sesame":
            self._answer(401, {"error": {"message": "Incorrect API key"}})
        elif asked["model"] != "hashes":
            self._answer(404, {"error": {"message": "The model does not exist"}})
        else:
            rows = [{"index": n, "embedding": self._vector(text)} for n, text in enumerate(asked["input"])]
            self._answer(200, {"object": "list", "data": rows[::-1]})

    def _vector(self, text):
        vector = [0.5] * self.dimension
        for word in text.lower().split():
            vector[zlib.crc32(word.strip(".,?").encode()) % self.dimension] += 1
        return vector

    def _answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(module, "_WAIT", wait_none())


@pytest.fixture(scope="module")
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), EmbeddingServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


@pytest.fixture
def server(address, monkeypatch):
    monkeypatch.setattr(EmbeddingServer, "seen", [])
    monkeypatch.setattr(EmbeddingServer, "failures", [])
    monkeypatch.setattr(EmbeddingServer, "dimension", DIMENSION)
    return EmbeddingServer


def embeddings(address, **values):
    values = {"embedding_url": address, "embedding_model": "hashes", "embedding_key": "sesame"} | values
    return ServerEmbeddings.from_settings(Settings(_env_file=None, **values))


def test_vectors_are_of_unit_length_and_in_the_order_of_the_texts(address, server):
    model = embeddings(address)
    texts = [f"report {n}" for n in range(70)]
    vectors = model.embed(texts)
    assert (model.model_id, model.dimension, vectors.dtype) == ("server:hashes", DIMENSION, np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-6)
    assert vectors[69] == pytest.approx(model.embed(["report 69"], query=True)[0])
    assert [len(asked["input"]) for asked in server.seen] == [1, 32, 32, 6, 1]
    assert model.embed([]).shape == (0, DIMENSION)


def test_tokens_are_those_of_the_packaged_model(address, server, embeddings):
    model = ServerEmbeddings(address, "hashes", "sesame")
    for text in ("Rain fell.", "Zdeněk Kovářík’s £3.4 m", "", "rain " * 600):
        assert model.count_tokens(text) == embeddings.count_tokens(text)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_asked_again(status, address, server):
    server.failures += [status, status]
    assert embeddings(address).dimension == DIMENSION
    assert len(server.seen) == 3


def test_passages_are_tried_for_longer_than_a_question(address, server):
    model = embeddings(address)
    server.failures += [429] * 7
    assert model.embed(["rain"]).shape == (1, DIMENSION)
    server.failures += [429] * 7
    with pytest.raises(ModelError, match="429"):
        model.embed(["rain"], query=True)


@pytest.mark.parametrize(
    ("failures", "values", "said"),
    [
        ([429] * 9, {}, "answers 429 .*rate limit.* try again later"),
        ([], {"embedding_key": "wrong"}, "answers 401 .*Incorrect API key.*PRESSMARK_EMBEDDING_KEY"),
        ([], {"embedding_model": "other"}, "404 for the model 'other' .*does not exist.*PRESSMARK_EMBEDDING_MODEL"),
        ([], {"embedding_model": ""}, "PRESSMARK_EMBEDDING_MODEL is empty"),
        ([], {"embedding_url": "http://127.0.0.1:1/v1"}, "cannot be reached .*start it"),
        ([], {"embedding_url": "http://127.0.0.1:x/v1"}, "is no address"),
        ([], {"embedding_url": "localhost:8080"}, "is no address: write it as"),
        ([200], {}, "does not answer as OpenAI's"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(failures, values, said, address, server):
    server.failures += failures
    with pytest.raises(ModelError, match=said):
        embeddings(address, **values)


def test_vectors_of_another_length_are_refused(address, server, monkeypatch):
    model = embeddings(address)
    monkeypatch.setattr(server, "dimension", 3)
    with pytest.raises(ModelError, match=r"shape \(1, 3\), not \(1, 64\)"):
        model.embed(["rain"])


def test_an_archive_is_embedded_and_searched_by_the_server_and_by_no_other_model(address, server, tmp_path):
    settings = Settings(
        _env_file=None, home=tmp_path, embedding_url=address, embedding_model="hashes", embedding_key="sesame"
    )
    with opened(settings) as store:
        index_articles(
            [
                Article("rain", "1", "Rain", "Heavy rain closed the harbour bridge for nine hours.", "Courier"),
                Article("vote", "1", "Vote", "The council voted to move the fish market.", "Courier"),
            ],
            store,
            passage_tokens=64,
        )
        found = HybridRetriever(store, k=2, candidates=8).retrieve("How long was the harbour bridge closed?")
        assert found[0].passage.article_id == "rain"
        vector = store.embeddings.embed(["Rain\nHeavy rain closed the harbour bridge for nine hours."])[0]
        assert store.index.search(vector, limit=1)[0] == ("rain@1#0", pytest.approx(1.0, abs=1e-5))
    with pytest.raises(ModelError, match="server:hashes"), opened(Settings(_env_file=None, home=tmp_path)):
        pass
