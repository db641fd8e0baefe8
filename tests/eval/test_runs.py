from __future__ import annotations

import pytest

from eval.runner import run
from eval.runs import Runs
from rag.errors import DatasetError, NotFoundError


@pytest.fixture
def done(tools):
    questions = [tools.asked("right", **tools.DEATHS)]
    return run(tools.FakeChain({"right?": tools.answered(("Nine people died.", "copy"))}), questions)


def test_runs_are_kept_newest_first_and_come_back_as_they_were(done, tmp_path):
    runs = Runs(tmp_path)
    assert runs.latest() == []
    first, second = runs.keep(done, "mine.jsonl"), runs.keep(done, "mine.jsonl")  # within one second
    assert first != second
    assert [card.name for card in runs.latest()] == sorted([first, second], reverse=True)
    assert runs.get(second) == done
    (correct,) = [f for f in runs.latest()[0].figures if (f.name, f.group) == ("correct", "all")]
    assert correct.value == 1.0


@pytest.mark.parametrize("name", ["20250101-000000", "../../etc/passwd", "", "20250101-000000/../x"])
def test_a_run_that_is_not_there_or_no_name_is_an_error(tmp_path, name):
    with pytest.raises(NotFoundError, match="No eval run"):
        Runs(tmp_path).get(name)


def test_a_damaged_card_is_named(done, tmp_path):
    runs = Runs(tmp_path)
    name = runs.keep(done, "mine.jsonl")
    (tmp_path / "evals" / f"{name}.card.json").write_text("{")
    with pytest.raises(DatasetError, match=rf"{name}\.card\.json is damaged: delete it"):
        runs.latest()
