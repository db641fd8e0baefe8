import numpy as np
import pytest

from training.calibrate import _diagram, _logistic, _threshold


def test_the_threshold_refuses_at_most_a_tenth_of_the_answerable(capsys):
    known = np.array([True] * 10 + [False] * 10)
    confidence = np.array([0.3, *np.linspace(0.6, 0.9, 9), *np.linspace(0.1, 0.55, 9), 0.7])
    assert 0.55 < _threshold(known, confidence) <= 0.6
    assert "chosen" in capsys.readouterr().out


def test_the_logistic_model_is_given_back_on_raw_features():
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(50, 10, 400), np.ones(400)])
    labels = (rows[:, 0] > 50).astype(float)
    model = _logistic(rows, labels, np.ones(400), ("a", "b"), strength=10.0)
    assert model.probability(np.array([[50.0, 1.0]]))[0] == pytest.approx(0.5, abs=0.1)
    assert model.probability(np.array([[70.0, 1.0]]))[0] > 0.95


def test_the_diagram_is_svg_with_a_point_for_each_bin(capsys):
    known = np.arange(50) >= 25
    svg = _diagram(known, np.linspace(0, 1, 50))
    assert svg.count("<circle") == 5
    assert "0.09 said, 0.00 so (10)" in capsys.readouterr().out
