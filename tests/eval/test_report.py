import pytest

from eval.report import table, worst
from eval.runner import run


@pytest.fixture
def done(tools):
    chain = tools.FakeChain(
        {
            "right?": tools.answered(("Nine people died.", "copy")),
            "late?": tools.answered(("Rain fell on the coast.", "weather"), retrieved=("weather", "wire")),
            "lost?": tools.answered(("Rain fell on the coast.", "weather"), retrieved=("weather",)),
            "bold?": tools.answered(("Rain fell on the coast.", "weather")),
            "broken?": TimeoutError("no reply"),
        }
    )
    ids = ["right", "lost", "late", "bold", "broken"]
    questions = [tools.asked(i, **({} if i == "bold" else tools.DEATHS)) for i in ids[:4]]
    return run(chain, [*questions, tools.asked("broken", split="test", **tools.DEATHS)])


def test_table_has_the_splits_apart_and_the_trivial_systems_beside(done):
    lines = table(done).splitlines()
    heads = [line.split() for line in lines if line.startswith(("dev", "test", "tag"))]
    assert heads[0] == [
        "dev",
        "pressmark",
        "n",
        "copy-first",
        "refuse",
        "always-yes",
        "random-cite",
        "shuffled",
        "unrelated",
    ]
    assert heads[1][0] == "test"
    (row,) = [line.split() for line in lines if line.startswith("correct ")][:1]
    assert row[1] == "0.333"
    assert "3/4" in row


def test_worst_lists_the_gravest_first_with_gold_rank(done):
    text = worst(done)
    assert text.startswith("4 of 5 questions went wrong.")
    order = [text.index(f"{name} [") for name in ("broken", "bold", "late", "lost")]
    assert order == sorted(order)
    assert "TimeoutError: no reply" in text
    assert "expected:  nine | 9" in text
    assert "expected:  (the archive does not say)" in text
    assert "gold rank: 2" in text
    assert "gold rank: not found" in text


def test_worst_is_cut_with_a_count(done):
    assert worst(done, limit=1).endswith("and 3 more\n")


def test_table_without_questions(tools):
    assert table(run(tools.FakeChain({}), [])).startswith("0 questions")
