from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rag.schema import Claim
from tests.ui.conftest import answer_of

NOW = datetime(2025, 9, 10, 12, tzinfo=UTC)


@pytest.fixture
def served(archive):
    return archive.served


def given(served, days_ago, seconds=0.2, **changes):
    served.add(replace(answer_of(), created_at=NOW - timedelta(days=days_ago), **changes), "api", seconds)


def test_answers_are_counted_by_day_newest_first(served):
    doubtful = (Claim("a", (1,), "supported", 1.0), Claim("b", (1,), "partly", 0.4))
    given(served, 1, 0.1, claims=doubtful, withheld=2)
    given(served, 1, 0.3, claims=(), status="abstained")
    given(served, 0)
    today, before = served.days(NOW)
    assert (today.answers, today.abstained, today.supported, today.claims) == (1, 0, 1, 1)
    assert (before.answers, before.abstained, before.supported, before.claims, before.withheld) == (2, 1, 1, 2, 2)
    assert before.p50_ms == 200.0


def test_the_last_day_is_one_and_may_be_empty(served):
    assert served.since(NOW).answers == 0
    given(served, 0)
    given(served, 5)
    assert served.since(NOW - timedelta(hours=1)).answers == 1


def test_old_answers_are_forgotten(served):
    given(served, 100)
    given(served, 0)
    assert [day.answers for day in served.days(NOW, count=1000)] == [1]
