import json

import pytest

from eval.adapters.retrieval import RetrievalQuestion
from eval.searching import load_relevance, search_figures, search_table
from rag.errors import DatasetError


def asked(id_, **relevant):
    return RetrievalQuestion(id_, f"{id_}?", relevant, (), "dev")


def searches(question):
    return {
        "dense": ["a", "a", "x", "b"],  # an article counts once, at its best place
        "bm25": [] if question == "two?" else ["b", "a"],
    }


def test_by_hand():
    found = search_figures([asked("one", a=2, b=1), asked("two", b=1)], searches, k=2)
    assert list(found) == ["dense", "bm25"]
    dense, bm25 = ({name: figure.value for name, figure in row.items()} for row in found.values())
    # "one": a at 1 with grade 2, b missed at 3: 2 / (2 + 1 / log2 3); "two": b is third.
    assert dense["ndcg@2"] == pytest.approx((2 / (2 + 0.63093)) / 2, abs=1e-4)
    assert (dense["recall@2"], dense["hit@2"], dense["all@2"], dense["mrr@2"]) == (0.25, 0.5, 0.0, 0.5)
    assert (bm25["recall@2"], bm25["hit@2"], bm25["all@2"], bm25["mrr@2"]) == (0.5, 0.5, 0.5, 0.5)


def test_the_table_has_a_line_for_each_search():
    lines = search_table(search_figures([asked("one", a=1)], searches, k=2), 1).splitlines()
    assert lines[0] == "1 questions"
    assert [line.split()[0] for line in lines[2:4]] == ["dense", "bm25"]


def test_both_forms_of_questions_are_read(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps({"id": "q", "question": "x?", "relevant": {"a": 2}, "split": "dev"}) + "\n")
    assert load_relevance(path)[0].relevant == {"a": 2}
    line = {
        "id": "q", "question": "x?", "answerable": True, "answers": [["nine"]],
        "evidence": [{"article_id": "a", "quote": "nine"}], "split": "dev",
    }  # fmt: skip
    path.write_text(json.dumps(line) + "\n")
    assert load_relevance(path)[0].relevant == {"a": 1}


def test_what_is_neither_is_named(tmp_path):
    path = tmp_path / "questions.jsonl"
    path.write_text("{}\n")
    with pytest.raises(DatasetError, match="line 1"):
        load_relevance(path)
