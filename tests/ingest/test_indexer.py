import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from ingest.indexer import delete_articles, index_articles
from ingest.report import Problem
from ingest.run import ingest
from rag.embeddings import SentenceEmbeddings
from rag.errors import SourceError
from rag.schema import Article
from rag.settings import Settings
from rag.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store.open(Settings(_env_file=None, home=tmp_path / "home"))
    yield store
    store.close()


def article(number, text=None, **fields):
    text = text or f"Report number {number} tells of event {number * 7}. It rained in town {number}."
    return Article(id=f"a{number}", version=str(len(text)), title=f"Report {number}", text=text, **fields)


def run(store, *articles):
    return index_articles(articles, store, passage_tokens=64)


def held(store):
    """Everything a search can see: archive passages, and the ids in the index."""
    ids = store.archive.passage_ids()
    return ids, sorted(store.index.ids()), {id_: p.text for id_, p in store.archive.passages(ids).items()}


def test_unchanged_articles_are_not_embedded_again(store, monkeypatch):
    assert run(store, article(1), article(2)).added == 2
    monkeypatch.setattr(type(store.embeddings), "embed", lambda *_: pytest.fail("embedded"))
    assert run(store, article(1), article(2)).unchanged == 2


def test_a_changed_article_replaces_its_passages_in_both_stores(store):
    run(store, article(1))
    report = run(store, article(1, "Everything about it is new now."))
    ids, vectors, texts = held(store)
    assert report.updated == 1
    assert list(texts.values()) == ["Everything about it is new now."]
    assert ids == vectors


def test_a_deleted_article_leaves_both_stores(store):
    run(store, article(1), article(2))
    delete_articles(["a1"], store)
    ids, vectors, _ = held(store)
    assert ids == vectors == [f"a2@{article(2).version}#0"]


def test_what_cannot_be_read_is_reported_and_the_rest_is_indexed(store):
    report = run(store, article(1), Problem("bad.txt", "is empty"), article(2))
    assert (report.added, [p.where for p in report.problems]) == (2, ["bad.txt"])


def test_two_different_articles_under_one_id_are_reported(store):
    report = run(store, article(1), article(1, "Something else entirely."))
    assert report.added == 1
    assert "'a1'" in report.problems[0].reason


def test_a_retracted_article_can_be_read_but_is_no_evidence(store):
    run(store, replace(article(1), correction="RETRACTED on 9 June: it was wrong."))
    assert store.archive.article("a1").retracted
    assert held(store)[:2] == ([], [])


def test_vectors_are_made_again_if_the_index_was_lost(store):
    run(store, article(1), article(2))
    store.index.delete(list(store.index.ids()))
    run(store)
    ids, vectors, _ = held(store)
    assert ids == vectors
    assert len(ids) == 2


def test_an_interrupted_run_is_finished_by_the_next(store, monkeypatch):
    whole = [article(n) for n in range(5)]
    monkeypatch.setattr(type(store.archive), "mark_indexed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(store, *whole)
    monkeypatch.undo()
    assert held(store)[0] == []
    run(store)  # no sources: what was pending is finished
    ids, vectors, _ = held(store)
    assert ids == vectors
    assert len(ids) == 5


# Costs nothing to load: it is the bookkeeping that is killed here.
STAND_IN = """
import zlib
import numpy as np
from rag.embeddings import SentenceEmbeddings

class StandIn:
    model_id, dimension, max_tokens = "stand-in", 3, 256
    def embed(self, texts, *, query=False):
        return np.array([[1.0, zlib.crc32(text.encode()) % 97, 1.0] for text in texts], dtype=np.float32)
    def count_tokens(self, text):
        return len(text.split())
"""
MOMENTS = 60  # writes of the killed run, at least
KILLED = """
import os, sys
from pathlib import Path
import ingest.indexer, ingest.run, rag.database, rag.vectors
from rag.settings import Settings
from rag.store import Store

SentenceEmbeddings.from_settings = classmethod(lambda cls, settings: StandIn())

calls = 0
def dying(function):
    def wrapped(*args, **kwargs):
        global calls
        calls += 1
        if calls == int(sys.argv[3]):
            os._exit(9)
        return function(*args, **kwargs)
    return wrapped

rag.database.Database.transaction = dying(rag.database.Database.transaction)
rag.vectors.VectorIndex.add = dying(rag.vectors.VectorIndex.add)
rag.vectors.VectorIndex.delete = dying(rag.vectors.VectorIndex.delete)
ingest.indexer.BATCH_ARTICLES = 2
store = Store.open(Settings(_env_file=None, home=Path(sys.argv[1])))
ingest.run.ingest([Path(sys.argv[2])], store, passage_tokens=64)
"""


def test_a_run_killed_at_any_of_twenty_moments_ends_in_the_same_index(tmp_path, monkeypatch):
    names = {}
    exec(STAND_IN, names)
    monkeypatch.setattr(SentenceEmbeddings, "from_settings", lambda settings: names["StandIn"]())
    first, second = tmp_path / "news.jsonl", tmp_path / "later" / "news.jsonl"
    second.parent.mkdir()
    rows = [{"id": f"a{n}", "title": f"T{n}", "text": f"Report {n} tells of event {n}. It rained."} for n in range(12)]
    first.write_text("\n".join(map(json.dumps, rows)))
    rows[0]["text"] = "The first report was rewritten. It was dry."
    second.write_text("\n".join(map(json.dumps, rows)))

    def outcome(home):
        store = Store.open(Settings(_env_file=None, home=home))
        ingest([second], store, passage_tokens=64)
        result = held(store), store.archive.orphans(), store.archive.pending()
        store.close()
        return result

    def killed(moment):
        home = tmp_path / f"killed{moment}"
        command = [sys.executable, "-c", STAND_IN + KILLED, str(home), str(first), str(moment)]
        return home, subprocess.run(command, check=False).returncode

    undisturbed = tmp_path / "undisturbed"
    store = Store.open(Settings(_env_file=None, home=undisturbed))
    ingest([first], store, passage_tokens=64)
    store.close()
    expected = outcome(undisturbed)
    with ThreadPoolExecutor(2) as pool:
        for home, code in pool.map(killed, sorted(random.Random(1).sample(range(1, MOMENTS), 20))):
            assert code == 9, "it was to be killed"
            assert outcome(home) == expected


def test_a_missing_path_is_an_error_that_names_it(store, tmp_path):
    with pytest.raises(SourceError, match="nowhere"):
        ingest([tmp_path / "nowhere"], store, passage_tokens=64)
