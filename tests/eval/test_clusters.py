from __future__ import annotations

from eval.clusters import clusters_of


def test_questions_that_share_an_article_are_one_cluster_also_over_others(tools):
    questions = [
        tools.asked("a", answers=(("x",),), evidence=(("wire", "x"),)),
        tools.asked("b", answers=(("x",),), evidence=(("march", "x"),)),
        tools.asked("c", answers=(("x",),), evidence=(("march", "x"), ("wire", "x"))),
        tools.asked("d", answers=(("x",),), evidence=(("weather", "x"),)),
        tools.asked("e"),
        tools.asked("f"),
    ]
    found = clusters_of(questions)
    assert len({found["a"], found["b"], found["c"]}) == 1
    assert len(set(found.values())) == 4
