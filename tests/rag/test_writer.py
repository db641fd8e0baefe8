from collections import Counter
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ChatModelError
from rag.writer import Limits, cut_sentences, write

TEXT = st.lists(
    st.sampled_from(
        ["Fact", "He said", " ", " ", ". ", "! ", "[1]", "[1, 2]", " [2]", ".", "\n", "“", "”", "?", "…", "Mr. ",
         "U.S. ", "a.m. ", "The ", "J. ", "(", ")", "。", "3.5", "[x]", " [", "]", '"', "...", "- "]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(TEXT, st.lists(st.integers(0, 60), max_size=6))
def test_the_cut_of_the_stream_changes_no_sentence(text, cuts):
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in pairwise(borders)]
    whole = list(cut_sentences([text]))
    assert list(cut_sentences(pieces)) == whole
    assert list(cut_sentences(list(text))) == whole


@given(TEXT)
def test_no_text_is_lost(text):
    assert "".join("".join(cut_sentences(list(text))).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("It rained. [1] It stopped [2].", ["It rained. [1]", "It stopped [2]."]),
        ("It rained. [1][2] It stopped.", ["It rained. [1][2]", "It stopped."]),
        ("It rained. [1] [2]", ["It rained. [1] [2]"]),
        ("It rained [1]. It stopped [2].", ["It rained [1].", "It stopped [2]."]),
        ("It rained.\n[1]\nIt stopped.", ["It rained.\n[1]", "It stopped."]),
        ("It rained. [Karsk] It stopped.", ["It rained.", "[Karsk] It stopped."]),
    ],
)
def test_a_marker_after_the_full_stop_belongs_to_its_sentence(text, expected):
    assert list(cut_sentences([text])) == expected


def test_a_sentence_is_shown_before_the_stream_ends():
    stream = cut_sentences(iter(["It rained. [1] It ", pytest.fail]))  # the second piece is never asked for
    assert next(stream) == "It rained. [1]"


LIMITS = Limits(1000, 100, 60)


LAST = ""  # servers that count tell it in a last chunk without text


class Model:
    def __init__(self, pieces, usage=None):
        self.pieces = pieces
        self.usage = usage

    def stream(self, prompt):
        pieces = (piece for piece in self.pieces) if isinstance(self.pieces, list) else self.pieces
        with closing(pieces):
            for piece in pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield type("Chunk", (), {"text": piece, "usage_metadata": self.usage if piece == LAST else None})()


def test_tokens_are_told_as_the_server_counts_them():
    spent = Counter()
    usage = {"input_tokens": 900, "output_tokens": 12, "total_tokens": 912}
    assert list(write("Did it rain?", [], [], Model(["It rained. [1]", LAST], usage), LIMITS, spent))
    assert spent == {"prompt": 900, "written": 12}
    assert list(write("Did it rain?", [], [], Model(["It rained. [1]", LAST]), LIMITS, silent := Counter()))
    assert silent == {}


def test_what_a_failing_model_wrote_before_is_kept():
    sentences = write("Did it rain?", [], [], Model(["It rained. [1] It st", TimeoutError("slow")]), LIMITS)
    assert next(sentences) == "It rained. [1]"
    with pytest.raises(ChatModelError, match="TimeoutError: slow"):
        next(sentences)


def test_a_model_that_writes_on_and_on_is_stopped_and_its_stream_closed():
    closed = []

    def endless():
        try:
            while True:
                yield "word "
        finally:
            closed.append(True)

    with pytest.raises(ChatModelError, match="wrote on after 40 tokens"):
        list(write("Did it rain?", [], [], Model(endless()), Limits(1000, 40, 60)))
    assert closed


def test_a_model_that_takes_too_long_is_stopped(monkeypatch):
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr("rag.writer.time.monotonic", lambda: next(clock))
    sentences = write(
        "Did it rain?", [], [], Model(["It rained. [1] It ", "rained on. ", "And on. "]), Limits(99, 99, 12)
    )
    assert next(sentences) == "It rained. [1]"
    with pytest.raises(ChatModelError, match="stopped after 12 seconds"):
        list(sentences)


def test_leaving_the_answer_closes_the_models_stream():
    closed = []

    def pieces():
        try:
            yield "It rained. [1] It "
            pytest.fail("asked for more")
        finally:
            closed.append(True)

    sentences = write("Did it rain?", [], [], Model(pieces()), LIMITS)
    next(sentences)
    sentences.close()
    assert closed
