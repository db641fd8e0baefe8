import hashlib
from threading import Barrier

import pytest
from pydantic import SecretStr

from eval.records import Run
from eval.runner import Options, figures, run
from rag.errors import DatasetError
from rag.schema import Query, Turn
from rag.settings import Settings


@pytest.fixture
def questions(tools):
    return [
        tools.asked("right", turns=(Turn("What burned?", "A ferry."),), **tools.DEATHS),
        tools.asked("wrong", tags=("what", "close-miss"), split="test", **tools.DEATHS),
        tools.asked("silent", split="test"),
        tools.asked("broken", **tools.DEATHS),
    ]


@pytest.fixture
def chain(tools):
    return tools.FakeChain(
        {
            "right?": tools.answered(("Nine people died.", "copy")),
            "wrong?": tools.answered(("Rain fell on the coast.", "weather"), retrieved=("weather", "wire")),
            "silent?": tools.abstained(),
            "broken?": TimeoutError("no reply"),
        }
    )


def found(run_, name, group="all", system="pressmark"):
    (figure,) = [f for f in figures(run_) if (f.name, f.group, f.system) == (name, group, system)]
    return figure


def test_chain_gets_turns_and_now_and_is_asked_once(chain, questions, tools):
    run(chain, questions)
    assert len(chain.asked) == 4
    assert chain.asked[0] == Query("right?", turns=(Turn("What burned?", "A ferry."),), now=tools.NOW)


def test_figures_by_hand(chain, questions):
    done = run(chain, questions)
    assert [record.status for record in done.records] == ["answered", "answered", "abstained", "error"]
    correct = found(done, "correct")
    assert (correct.value, correct.n, correct.of) == (pytest.approx(1 / 3), 3, 4)
    assert found(done, "right_outcome").value == 0.5
    assert found(done, "mrr@8").value == pytest.approx((1 + 0.5 + 0) / 3)
    assert found(done, "correct", "test").value == 0.0
    assert found(done, "correct", "tag:close-miss").n == 1
    assert found(done, "abstention_f1").value == 1.0


def test_a_failed_call_stays_in_the_denominator(chain, questions):  # in RGB it leaves it
    done = run(chain, questions)
    assert (done.records[3].error, done.records[3].correct) == ("TimeoutError: no reply", False)
    assert (found(done, "errors").value, found(done, "latency_p50_ms").n) == (0.25, 3)


def test_trivial_systems_rank_below_the_chain(chain, questions):
    done = run(chain, questions[:3])
    ours = found(done, "right_outcome").value
    assert ours == pytest.approx(2 / 3)
    for name in ("refuse", "always-yes"):
        assert found(done, "right_outcome", system=name).value < ours
        assert found(done, "grounded_correct", system=name).value == 0.0
    assert found(done, "supported_claims", system="copy-first").value == 1.0
    assert found(done, "abstention_recall", system="copy-first").value == 0.0


def test_file_holds_all_and_no_secret(chain, questions, tmp_path):
    data = tmp_path / "q.jsonl"
    data.write_text("x")
    settings = Settings(_env_file=None, chat_api_key=SecretStr("hush"), home=tmp_path, k=5)
    done = run(chain, questions, dataset=data, settings=settings)
    done.save(tmp_path / "out" / "run.json")
    assert Run.load(tmp_path / "out" / "run.json") == done
    assert done.data_digest == hashlib.sha256(b"x").hexdigest()
    assert done.settings["k"] == 5
    text = (tmp_path / "out" / "run.json").read_text()
    assert "hush" not in text
    assert str(tmp_path) not in text


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")
    with pytest.raises(DatasetError, match="not a file made by"):
        Run.load(path)


def test_same_answers_same_figures_but_for_time(chain, questions):
    one, two = (
        [f for f in figures(run(chain, questions)) if not f.name.startswith("latency")],
        [f for f in figures(run(chain, questions)) if not f.name.startswith("latency")],
    )
    assert one == two


def test_citations_moved_are_as_sure_as_the_answer_they_are_of(chain, questions):
    done = run(chain, questions)
    sure = [record.confidence for record in done.records]
    assert 0.5 in sure
    assert [record.confidence for record in done.baselines["shuffled"]] == sure


def test_asked_at_once_the_answers_keep_their_order(chain, questions):
    alone, four = (run(chain, questions, options=Options(parallel=n)) for n in (1, 4))
    assert [(r.id, r.values) for r in four.records] == [(r.id, r.values) for r in alone.records]
    assert {name: [r.values for r in rows] for name, rows in four.baselines.items()} == {
        name: [r.values for r in rows] for name, rows in alone.baselines.items()
    }


def test_questions_are_asked_at_once(questions, tools):
    """Two callers meet inside the chain, or neither comes out."""
    both = Barrier(2, timeout=20)

    class Meeting(tools.FakeChain):
        def invoke(self, query):
            both.wait()
            return super().invoke(query)

    chain = Meeting({question.question: tools.abstained() for question in questions})
    assert [r.status for r in run(chain, questions, options=Options(parallel=2)).records] == ["abstained"] * 4


def test_progress_and_no_questions(chain, questions):
    calls = []
    run(chain, questions, progress=lambda done, of: calls.append((done, of)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert found(run(chain, []), "abstention_f1").value is None


def test_parallel_below_one_is_refused(chain, questions):
    with pytest.raises(ValueError, match="parallel is 0"):
        run(chain, questions, options=Options(parallel=0))


def test_k_below_one_is_refused(chain, questions):
    with pytest.raises(ValueError, match="k is 0"):
        run(chain, questions, options=Options(k=0))


def test_a_run_that_was_killed_goes_on_and_loses_nothing(chain, questions, tools, tmp_path):
    partial = tmp_path / "run.partial.jsonl"
    whole = run(chain, questions)

    class KilledError(BaseException):
        pass

    def killed(done, of):
        if done == 2:
            raise KilledError

    with pytest.raises(KilledError):
        run(chain, questions, options=Options(partial=partial), progress=killed)
    with partial.open("ab") as file:
        file.write(b'{"record": {"id": "half of a li')  # what a kill in mid-write leaves
    chain.asked.clear()
    resumed = run(chain, questions, options=Options(partial=partial))
    assert [query.question for query in chain.asked] == ["silent?", "broken?"]
    assert without_times(resumed) == without_times(whole)
    assert not partial.exists()


def test_the_partial_file_of_another_run_is_refused(chain, questions, tmp_path):
    partial = tmp_path / "run.partial.jsonl"
    with pytest.raises(ZeroDivisionError):
        run(chain, questions, options=Options(partial=partial), progress=lambda done, of: 1 // 0)
    with pytest.raises(DatasetError, match="other questions"):
        run(chain, questions[:2], options=Options(partial=partial))
    with pytest.raises(DatasetError, match="delete it"):
        run(chain, questions, options=Options(partial=partial, k=3))


def test_judge_is_asked_about_claims_and_named(chain, questions):
    options = Options(judge=lambda claim, texts: claim in " ".join(texts), judge_name="words")
    done = run(chain, questions, options=options)
    assert done.judge == "words"
    assert found(done, "alce_recall").value == 1.0
    assert found(run(chain, questions), "alce_recall").value is None


def test_searches_are_measured_one_by_one(chain, questions):
    options = Options(routes=lambda answer: {"dense": ["weather", "wire"], "bm25": ["wire"]})
    done = run(chain, questions[:2], options=options)
    assert found(done, "dense_mrr@8").value == 0.5
    assert found(done, "bm25_mrr@8").value == 1.0


def test_answers_of_an_unrelated_archive_are_wrong(chain, questions):
    done = run(chain, questions)
    assert found(done, "right_outcome", system="unrelated").value < found(done, "right_outcome").value


def without_times(done):
    def plain(record):
        return {name: getattr(record, name) for name in record.__slots__ if name != "latency_ms"}

    return [plain(record) for record in done.records], {
        name: [plain(record) for record in records] for name, records in done.baselines.items()
    }
