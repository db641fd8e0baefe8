"""Does the system abstain where, and only where, the archive does not say?

An outcome is (answerable, abstained), for each question one. Whether a question is abstained on is
read from the answer's status, never from its words: RGB looks for a phrase and misses it in
another case (`evaluation_anchors.md` 8.4). A failed call is an outcome too, as not abstained.
"""

from __future__ import annotations

from collections.abc import Sequence

Outcome = tuple[bool, bool]


def abstention_precision(outcomes: Sequence[Outcome]) -> float | None:
    """Return the share of abstentions that were right: unanswerable and abstained / abstained.

    In [0, 1]; None if the system never abstained. Depends on how many unanswerable questions the
    data holds: do not compare over data sets.
    """
    return _share([not answerable for answerable, abstained in outcomes if abstained])


def abstention_recall(outcomes: Sequence[Outcome]) -> float | None:
    """Return the share of unanswerable questions abstained on (RGB's rejection rate).

    In [0, 1]; None without unanswerable questions. Always refusing scores 1: read it beside
    `over_refusal`.
    """
    return _share([abstained for answerable, abstained in outcomes if not answerable])


def abstention_f1(outcomes: Sequence[Outcome]) -> float | None:
    """Return 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall of abstaining.

    TP are unanswerable questions abstained on, FP answerable ones, FN unanswerable ones answered.
    In [0, 1]; 0.0 if every unanswerable question was answered; None without unanswerable ones.
    """
    if all(answerable for answerable, _ in outcomes):
        return None
    right = sum(not answerable and abstained for answerable, abstained in outcomes)
    wrong = sum(answerable == abstained for answerable, abstained in outcomes)
    return 2 * right / (2 * right + wrong)


def over_refusal(outcomes: Sequence[Outcome]) -> float | None:
    """Return the share of answerable questions abstained on; in [0, 1], lower is better."""
    return _share([abstained for answerable, abstained in outcomes if answerable])


def risk_coverage(confident: Sequence[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Return the risk-coverage curve: (coverage, risk) with the most confident question answered first.

    Args:
        confident: For each question how sure the system was that it can answer, and whether its answer is right (for an
            unanswerable question: False).

    Returns:
        A point for each distinct confidence, coverage rising to 1; risk is the share of wrong answers among the covered
        (El-Yaniv & Wiener, JMLR 2010). Ties are covered together: their order would be a choice.
    """
    ordered = sorted(confident, key=lambda item: -item[0])
    points, wrong = [], 0
    for place, (sure, right) in enumerate(ordered, 1):
        wrong += not right
        if place == len(ordered) or ordered[place][0] != sure:
            points.append((place / len(ordered), wrong / place))
    return points


def risk_coverage_area(confident: Sequence[tuple[float, bool]]) -> float | None:
    """Return the mean risk over all coverages (AURC), in [0, 1]; lower is better; None without questions.

    Definition: the area under the steps of `risk_coverage`. Pitfall: it falls when the answers get better as well as
    when the confidence does: compare systems with a like share of right answers.
    """
    if not confident:
        return None
    area, before = 0.0, 0.0
    for coverage, risk in risk_coverage(confident):
        area += (coverage - before) * risk
        before = coverage
    return area


def _share(good: Sequence[bool]) -> float | None:
    return sum(good) / len(good) if good else None
