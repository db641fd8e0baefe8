import pytest

from eval.metrics.abstention import abstention_f1, abstention_precision, abstention_recall, over_refusal

# Answerable: 1 of 4 refused. Unanswerable: 2 of 3 refused.
OUTCOMES = [(True, False)] * 3 + [(True, True)] + [(False, True)] * 2 + [(False, False)]


def test_by_hand():
    assert abstention_precision(OUTCOMES) == pytest.approx(2 / 3)
    assert abstention_recall(OUTCOMES) == pytest.approx(2 / 3)
    assert abstention_f1(OUTCOMES) == pytest.approx(2 / 3)
    assert over_refusal(OUTCOMES) == 0.25


def test_always_refusing_is_seen():
    outcomes = [(True, True)] * 3 + [(False, True)]
    assert (abstention_recall(outcomes), abstention_precision(outcomes)) == (1.0, 0.25)
    assert (abstention_f1(outcomes), over_refusal(outcomes)) == (0.4, 1.0)


def test_what_does_not_apply_is_none():
    assert abstention_precision([(True, False)]) is None
    assert abstention_recall([(True, False)]) is None
    assert abstention_f1([(True, True)]) is None
    assert over_refusal([(False, True)]) is None
    assert abstention_f1([]) is None


def test_never_abstaining_has_f1_zero():
    assert abstention_f1([(False, False), (True, False)]) == 0.0
