"""A metric that ranks no trivial system below ours measures nothing: each is held to those that it must see through.

On every sixth question of the sample, with the real chain. What a metric cannot see is in the table by not being there:
support and quotes say nothing on right answers, a refusal answers nothing and cites nothing wrong.
"""

import pytest

from eval.baselines import BASELINES
from eval.compare import is_amount, lower_is_better
from eval.datasets import load_questions
from eval.runner import UNRELATED, Options, figures, run
from eval.sample import QUESTIONS
from rag.chain import AnswerChain
from rag.settings import Settings
from rag.verifier import Verifier

SAYS_NOTHING = {"copy-first", "refuse", "always-yes", UNRELATED}
CITES_ELSEWHERE = {"random-cite", "shuffled"}
SEES_THROUGH = {
    **dict.fromkeys(
        ["right_outcome", "correct", "exact_match", "token_f1", "list_recall", "number_match", "date_match"],
        SAYS_NOTHING,
    ),
    **dict.fromkeys(["latest_right", "conflict_coverage"], SAYS_NOTHING),
    "correct_if_answered": SAYS_NOTHING - {"refuse"},
    "grounded_correct": SAYS_NOTHING | {"random-cite"},
    **dict.fromkeys(["hit@1", "hit@8", "recall@8", "all_evidence@8", "mrr@8", "ndcg@8"], frozenset([UNRELATED])),
    "citation_recall": {"always-yes", "random-cite", UNRELATED},
    "citation_precision": {"random-cite", UNRELATED},
    "attribution": CITES_ELSEWHERE,
    "alce_recall": {"always-yes", *CITES_ELSEWHERE},
    "alce_precision": CITES_ELSEWHERE,
    "grounded_retrieved": {"always-yes"},
    "miscited": CITES_ELSEWHERE,
    "as_of_right": CITES_ELSEWHERE,
    "window_right": {UNRELATED},
    "abstention_precision": {"refuse", UNRELATED},
    "abstention_recall": {"copy-first", "always-yes", UNRELATED},
    "abstention_f1": SAYS_NOTHING,
    "over_refusal": {"refuse", UNRELATED},
    "risk_coverage_area": SAYS_NOTHING,
}
# What the program guarantees, broken by no system that is built of its answers; `eval.bounds` gives them no tolerance.
GUARANTEED = {"quote_exact", "invalid_citations", "errors"}
OWN_VERDICT = {"supported_claims"}  # the system's own, which the trivial systems do not ask again


@pytest.fixture(scope="module")
def measured(sample_store):
    questions = load_questions(QUESTIONS)[5::6]
    judge = Verifier()
    options = Options(judge=lambda claim, texts: judge.verify(claim, texts).verdict == "supported", judge_name="rules")
    done = run(AnswerChain(sample_store, Settings(_env_file=None)), questions, options=options)
    return {(f.name, f.system): f for f in figures(done) if f.group == "all"}


def test_every_metric_is_in_the_table(measured):
    rates = {name for name, system in measured if system == "pressmark" and not is_amount(name)}
    assert rates == SEES_THROUGH.keys() | GUARANTEED | OWN_VERDICT


def test_every_trivial_system_is_seen_through_by_several():
    for system in [*BASELINES, UNRELATED]:
        assert sum(system in seen for seen in SEES_THROUGH.values()) >= 5, system


@pytest.mark.parametrize("name", SEES_THROUGH)
def test_the_trivial_systems_are_below_ours(measured, name):
    ours = measured[name, "pressmark"].value
    assert ours is not None
    sign = -1 if lower_is_better(name) else 1
    for system in SEES_THROUGH[name]:
        other = measured[name, system].value
        assert other is None or sign * other < sign * ours, (system, other, ours)
