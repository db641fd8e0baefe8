import math

import numpy as np
import pytest

from eval.metrics.statistics import Estimate, bootstrap, mean, percentile


def test_mean_leaves_out_what_does_not_apply_and_says_so():
    found = mean([1.0, None, 0.0, None])
    assert (found.value, found.n, found.of) == (0.5, 2, 4)


def test_interval_holds_the_mean_and_is_the_same_every_time():
    values = [1.0] * 30 + [0.0] * 10
    found = mean(values)
    # Normal approximation: 0.75 +- 1.96 * sqrt(0.75 * 0.25 / 40) = 0.616 to 0.884
    assert found.low == pytest.approx(0.616, abs=0.04)
    assert found.high == pytest.approx(0.884, abs=0.04)
    assert found == mean(values)


def test_none_applies():
    assert mean([None]) == Estimate(None, None, None, 0, 1)
    assert mean([]) == Estimate(None, None, None, 0, 0)
    assert percentile([], q=95) == Estimate(None, None, None, 0, 0)
    assert bootstrap(lambda _: 1.0, of=0) == Estimate(None, None, None, 0, 0)


def test_one_value_has_no_interval():
    assert mean([0.5]) == Estimate(0.5, None, None, 1, 1)
    assert bootstrap(lambda _: 0.5, of=1) == Estimate(0.5, None, None, 1, 1)


def test_nan_is_refused():  # in RAGAS it vanishes from the mean
    with pytest.raises(ValueError, match="NaN"):
        mean([math.nan, 1.0])


def test_percentiles_interpolate():
    values = [float(value) for value in range(1, 12)]
    assert percentile(values, q=50).value == 6.0
    assert percentile(values, q=95).value == 10.5


def test_bootstrap_leaves_out_resamples_where_the_figure_does_not_apply():
    values = [1.0, 0.0]
    found = bootstrap(lambda rows: 0.5 if {int(row) for row in rows} == {0, 1} else None, of=len(values))
    assert found == Estimate(0.5, 0.5, 0.5, 2, 2)


def test_questions_of_one_article_are_drawn_together():
    values = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0] * 5
    alone = mean(values)
    together = mean(values, ["a", "a", "a", "b", "b", "b"] * 5)  # two clusters, which say but two things
    assert together.value == alone.value == 0.5
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_each_its_own_cluster_is_no_cluster():
    values = [1.0, 0.0, 0.5, None, 0.25]
    names = list("abcde")
    assert mean(values, names) == mean(values)
    assert percentile(values, q=50, clusters=names) == percentile(values, q=50)


def test_one_cluster_has_no_interval():
    assert mean([1.0, 0.0], ["a", "a"]) == Estimate(0.5, None, None, 2, 2)


def test_statistics_that_are_no_means_are_drawn_by_cluster_too():
    rows = np.array([1.0, 1.0, 0.0, 0.0] * 4)
    found = bootstrap(lambda drawn: float(rows[drawn].mean()), of=16, clusters=list("aabb") * 4)
    assert (found.low, found.high) == (0.0, 1.0)
