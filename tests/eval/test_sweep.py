from __future__ import annotations

import pytest

from eval.datasets import load_questions
from eval.runner import Figure
from eval.sweep import Swept, combinations, sweep, sweep_table
from rag.errors import SettingsError
from rag.settings import Settings
from tests.ui.test_cli import TEXT

LINE = (
    '{"id": "q", "question": "Who is the mayor of Brackwater?", "answerable": true, "answers": [["Brandt"]], '
    '"evidence": [{"article_id": "b1", "quote": "said mayor Alva Brandt"}], "split": "dev"}'
)


def test_every_combination_is_tried_the_last_name_fastest():
    assert combinations({"k": ["4", "8"], "candidates": ["10"]}) == [
        {"k": "4", "candidates": "10"},
        {"k": "8", "candidates": "10"},
    ]


def test_a_name_that_is_no_setting_is_refused():
    with pytest.raises(SettingsError, match="'size' is no setting"):
        combinations({"size": ["1"]})


def test_another_passage_size_is_tried_in_an_index_of_its_own(tmp_path):
    from ingest.indexer import index_articles
    from rag.schema import Article
    from rag.store import opened

    home = Settings(_env_file=None, home=tmp_path / "home")
    with opened(home) as store:
        index_articles([Article("b1", "v1", "Bridge closes", TEXT)], store, passage_tokens=home.passage_tokens)
        before = store.archive.passage_ids()
    data = tmp_path / "q.jsonl"
    data.write_text(LINE, encoding="utf-8")
    swept = list(
        sweep(
            load_questions(data),
            {"passage_tokens": ["32", "128"]},
            lambda changes: Settings(_env_file=None, **({"home": tmp_path / "home"} | changes)),
        )
    )
    correct = [figure.value for item in swept for figure in item.figures if figure.name == "correct"]
    assert [item.changed for item in swept] == [{"passage_tokens": "32"}, {"passage_tokens": "128"}]
    assert correct == [0.0, 1.0]  # in pieces of 32 tokens the name stands apart from the town
    with opened(home) as store:
        assert store.archive.passage_ids() == before


def test_the_best_of_each_column_bears_a_star():
    swept = [
        Swept({"k": k}, (Figure("correct", value, None, None, 1, 1), Figure("latency_p50_ms", ms, None, None, 1, 1)))
        for k, value, ms in (("4", 0.5, 10.0), ("8", 0.75, 30.0))
    ]
    rows = [line.split() for line in sweep_table(swept).splitlines()]
    assert rows[1:3] == [["k=4", "0.500", "10*"], ["k=8", "0.750*", "30"]]
