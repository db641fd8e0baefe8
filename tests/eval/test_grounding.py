"""ALCE's citation figures with its defects mended: each of them (evaluation_anchors 8.1) has its test."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from eval.metrics.grounding import alce_precision, alce_recall, grounded_in_retrieved, judged, miscited

TEXTS = {1: "a", 2: "b", 3: "c"}


def judge(claim: str, texts: Sequence[str]) -> bool:
    """A claim is a set of letters: texts support it if together they hold all of them."""
    return set(claim) <= set("".join(texts))


def support(claim: str, *cited: int, retrieved: Sequence[str] = ("a", "b", "c")):
    return judged(claim, cited, TEXTS, retrieved, judge)


def test_by_hand():
    claims = [support("a", 1), support("ab", 1, 2), support("a", 1, 3), support("c", 1)]
    assert alce_recall(claims) == 0.75
    # 1; 1 and 2, each needed; 1 supports alone and 3 does nothing; 1 for a claim it does not support
    assert alce_precision(claims) == pytest.approx((1 + 2 + 1 + 0) / 6)


def test_two_citations_of_which_each_would_do_both_count():
    twice = judged("a", (1, 2), {1: "a", 2: "a"}, (), judge)
    assert alce_precision([twice]) == 1.0


def test_invalid_number_supports_nothing_and_lowers_precision():  # in ALCE it leaves the denominator
    assert alce_recall([support("a", 1, 9)]) == 0.0
    assert alce_precision([support("a", 1, 9)]) == 0.0
    assert alce_recall([support("a", 0)]) == 0.0  # in ALCE [0] is the last passage


def test_repeating_a_citation_gains_nothing():
    assert support("a", 1, 1, 1).cited == (1,)
    assert alce_precision([support("a", 1, 1, 2)]) == 0.5


def test_claim_without_citation_is_no_recall_and_no_precision():
    assert alce_recall([support("a")]) == 0.0
    assert alce_precision([support("a")]) is None


def test_a_refusal_has_no_figures_not_zero():
    assert (alce_recall([]), alce_precision([]), grounded_in_retrieved([]), miscited([])) == (None,) * 4


def test_wrong_citation_of_a_true_claim_is_told_from_an_invention():
    wrong, invented = support("c", 1), support("z", 1)
    assert (wrong.by_retrieved, wrong.by_cited) == (True, False)
    assert grounded_in_retrieved([wrong, invented]) == 0.5
    assert miscited([wrong, invented]) == 0.5
    assert miscited([support("a", 1)]) == 0.0
