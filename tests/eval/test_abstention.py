import pytest

from eval.metrics.abstention import (
    abstention_f1,
    abstention_precision,
    abstention_recall,
    over_refusal,
    risk_coverage,
    risk_coverage_area,
)

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


def test_risk_coverage_by_hand():
    confident = [(0.9, True), (0.8, False), (0.7, True), (0.1, False)]
    assert risk_coverage(confident) == [(0.25, 0.0), (0.5, 0.5), (0.75, pytest.approx(1 / 3)), (1.0, 0.5)]
    assert risk_coverage_area(confident) == pytest.approx((0 + 0.5 + 1 / 3 + 0.5) / 4)


def test_ties_are_covered_together():
    assert risk_coverage([(0.5, True), (0.5, False)]) == [(1.0, 0.5)]
    assert risk_coverage([(0.5, False), (0.5, True)]) == [(1.0, 0.5)]


def test_knowing_what_one_knows_lowers_the_area():
    knows, does_not = [(0.9, True), (0.1, False)], [(0.1, True), (0.9, False)]
    assert risk_coverage_area(knows) < risk_coverage_area(does_not)
    assert risk_coverage_area([]) is None
