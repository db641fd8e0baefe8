from datetime import UTC, datetime

import numpy as np
import pytest

from rag import span_model as module
from rag.errors import ModelError
from rag.packaged import load_tokenizer
from rag.span_model import (
    CLS,
    MAX_TOKENS,
    SEP,
    TokenClassifier,
    encode,
    header_of,
    padded_batch,
    shipped_network,
    shipped_weights,
)
from rag.spans import best_span


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer()


def test_the_header_holds_what_is_known():
    assert header_of("Ferry fire", datetime(2025, 7, 3, tzinfo=UTC)) == "Ferry fire (3 July 2025)"
    assert header_of("Ferry fire", None) == "Ferry fire"
    assert header_of("", None) == ""


def test_offsets_point_into_the_passage(tokenizer):
    passage = "Roke, 38, shut the valve."
    (item,) = encode(tokenizer, [("Who shut it?", "Ferry fire", passage)])
    assert [passage[a:b] for a, b in item.offsets] == ["Ro", "ke", ",", "38", ",", "shut", "the", "valve", "."]
    assert item.ids[0] == CLS
    assert [int(i) for i in np.flatnonzero(item.ids == SEP)] == [5, 8, len(item.ids) - 1]
    assert item.types.tolist() == [0] * 6 + [1] * (len(item.ids) - 6)


def test_a_long_passage_is_cut_and_a_long_question_leaves_room(tokenizer):
    (item,) = encode(tokenizer, [("why " * 500, "title " * 500, "rain " * 500)])
    assert len(item.ids) == MAX_TOKENS
    assert len(item.offsets) > 200


def test_padding_is_masked(tokenizer):
    ids, types, mask = padded_batch(encode(tokenizer, [("a", "", "b"), ("a b c d", "", "b c")]))
    assert ids.shape == types.shape == mask.shape
    assert mask.sum(1).tolist() == [6, 10]


def test_a_reading_does_not_depend_on_its_neighbours():
    network = shipped_network.__wrapped__()  # one that remembers nothing yet
    short, long = ("Who won?", "", "Ana won."), ("Who lost?", "Race", "Ana won. " * 20 + "Ben lost.")
    ((_, alone),) = network.read([short])
    (_, beside), _ = shipped_network.__wrapped__().read([short, long])
    np.testing.assert_allclose(alone, beside, atol=1e-4)


def test_what_was_read_is_remembered_and_the_oldest_forgotten(monkeypatch):
    network = shipped_network.__wrapped__()
    monkeypatch.setattr(module, "REMEMBERED", 2)
    calls = []
    read = network._read
    monkeypatch.setattr(network, "_read", lambda triples: calls.append(list(triples)) or read(triples))
    one, two, three = (("Who won?", "", f"{name} won.") for name in ("Ana", "Ben", "Eva"))
    first = network.read([one, two, one])
    again = network.read([two, one])
    assert calls == [[one, two], []]
    assert first[0][1] is again[1][1] is first[2][1]
    network.read([three])
    network.read([two])  # asked for before `one` the last time
    assert calls[2:] == [[three], [two]]


def test_the_shipped_network_finds_answers_and_knows_when_there_is_none():
    network = shipped_network()
    text = "The ferry Solenne caught fire on Tuesday. Anselm Roke, the engineer, shut off the fuel by hand."
    asked = ["Who shut off the fuel?", "When did the ferry catch fire?", "How many people live in Port Selwyn?"]
    spans = [best_span(*found) for found in network.read([(question, "", text) for question in asked])]
    assert text[spans[0].start : spans[0].end].startswith("Anselm Roke")
    assert "Tuesday" in text[spans[1].start : spans[1].end]
    assert min(spans[0].score, spans[1].score) > 0 > spans[2].score


def test_damaged_weights_are_an_error(monkeypatch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "reader.safetensors").write_bytes(b"other")
    (tmp_path / "data" / "reader.safetensors.sha256").write_text("0123456789abcdef  reader.safetensors\n")
    monkeypatch.setattr(module.resources, "files", lambda _: tmp_path)
    with pytest.raises(ModelError, match=r"damaged.*reinstall"):
        shipped_network.__wrapped__()


@pytest.mark.parametrize("name", ["reader.safetensors", "claims.safetensors"])
def test_the_encoder_reads_as_torch_does(tokenizer, name):
    from rag.torch_network import load_shipped, logits_of

    texts = ["Ana won.", "Rain fell on Tuesday and the bridge closed. " * 12, "林玉清 opened it."]
    batch = padded_batch(encode(tokenizer, [("Who won the race?", "Race (3 July 2025)", text) for text in texts]))
    expected = logits_of(load_shipped(name))(*batch)
    found = TokenClassifier(shipped_weights(name), threads=2)(*batch)
    kept = batch[2].astype(bool)  # what stands in the padding is never read
    np.testing.assert_allclose(found[kept], expected[kept], atol=1e-4)
