import numpy as np
import pytest

from rag.span_model import Encoded
from rag.spans import best_span, best_spans, evidence_in

TEXT = "Ana won. Ben lost."
WORDS = ((0, 3), (4, 7), (7, 8), (9, 12), (13, 17), (17, 18))


def encoded():
    """[CLS] question [SEP] [SEP] and six tokens of TEXT."""
    return Encoded(np.zeros(11, int), np.zeros(11, int), first=4, offsets=np.array(WORDS))


def logits(**given):
    """All zero but for the given rows: `cls`, or the words a to f; values are (start, end, evidence)."""
    rows = np.zeros((11, 3))
    for name, values in given.items():
        rows[0 if name == "cls" else 4 + "abcdef".index(name)] = values
    return rows


def test_the_best_span_runs_from_its_start_to_its_end_less_the_null():
    span = best_span(encoded(), logits(cls=(1, 1, 0), d=(5, 0, 0), e=(0, 4, 0)))
    assert TEXT[span.start : span.end] == "Ben lost"
    assert span.score == pytest.approx(7.0)


def test_an_end_before_its_start_is_no_span():
    span = best_span(encoded(), logits(e=(5, 0, 0), a=(0, 5, 0)))
    assert span.start < span.end
    assert span.score == pytest.approx(5.0)


def test_each_sentence_has_its_own_best_span():
    first, second = best_spans(encoded(), logits(a=(2, 3, 0), d=(6, 6, 0)), [(0, 8), (9, 18)])
    assert (TEXT[first.start : first.end], first.score) == ("Ana", 5.0)
    assert (TEXT[second.start : second.end], second.score) == ("Ben", 12.0)


def test_a_part_that_was_cut_off_has_no_span_and_no_evidence():
    (span,) = best_spans(encoded(), logits(), [(30, 40)])
    assert (span.start, span.end, span.score) == (30, 30, float("-inf"))
    assert evidence_in(encoded(), logits(), [(30, 40)]) == [float("-inf")]


def test_evidence_is_the_mean_over_a_sentence():
    rows = logits(d=(0, 0, 3), e=(0, 0, 3))
    assert evidence_in(encoded(), rows, [(0, 8), (9, 18)]) == [0.0, 2.0]
