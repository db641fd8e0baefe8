import pytest

from eval.metrics.citations import (
    citation_precision,
    citation_recall,
    invalid_share,
    quote_exact,
    supported_claims,
)
from rag.schema import Citation

ARTICLES = {1: "wire", 2: "weather"}
GOLD = {"wire", "copy"}


def test_by_hand():
    claims = [(1,), (1, 2), (2,), ()]
    assert citation_recall(claims, ARTICLES, GOLD) == 0.5
    assert citation_precision(claims, ARTICLES, GOLD) == 0.5
    assert citation_recall([(1,)], {1: "copy"}, GOLD) == 1.0  # a copy is as good


def test_invalid_numbers_lower_precision():  # in ALCE they leave the denominator
    assert citation_precision([(1, 9)], ARTICLES, GOLD) == 0.5
    assert invalid_share([(1, 9)], ARTICLES) == 0.5


def test_zero_and_negative_numbers_are_invalid():  # in ALCE [0] is the last passage
    assert citation_precision([(0,), (-1,)], ARTICLES, GOLD) == 0.0
    assert invalid_share([(0,), (-1,)], ARTICLES) == 1.0


def test_repeating_a_citation_gains_nothing():  # in ALCE [1][1] is credited twice
    assert citation_precision([(1, 1, 1, 2)], ARTICLES, GOLD) == 0.5


def test_a_refusal_has_no_figures_not_zero():  # in ALCE a refusal has recall 0, no sentence is skipped
    assert citation_recall([], {}, GOLD) is None
    assert citation_precision([], {}, GOLD) is None
    assert supported_claims([]) is None


def test_claims_without_citations_have_recall_zero_and_no_precision():
    assert citation_recall([()], {}, GOLD) == 0.0
    assert citation_precision([()], {}, GOLD) is None
    assert invalid_share([()], {}) is None


def test_support_by_hand():
    assert supported_claims(["supported", "supported", "supported", "partly"]) == 0.75


@pytest.mark.parametrize(
    ("start", "end", "quote", "expected"),
    [
        (0, 4, "Nine", True),
        (0, 4, "nine", False),
        (1, 5, "Nine", False),
        (-5, -1, "died", False),  # would count from the end
        (0, 99, "Nine died.", False),
        (3, 3, "", False),
    ],
)
def test_quote_exact(start, end, quote, expected):
    assert quote_exact(Citation(1, "a", "v", start, end, quote, "t"), "Nine died.") is expected
