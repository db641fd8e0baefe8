import json

import pytest

from training import sets


def test_treebank_tokens_become_prose_with_the_places_of_the_tokens():
    words = "Liam `` had it -LRB- all -RRB- '' , said Det. Logan , who paid $ 5 .".split()
    text, spans = sets.joined(words)
    assert text == 'Liam "had it (all)", said Det. Logan, who paid $5.'
    assert [text[start:end] for start, end in spans[:4]] == ["Liam", '"', "had", "it"]
    assert text[slice(*spans[-2])] == "5"


@pytest.mark.parametrize(
    ("text", "answer", "span"),
    [("It cost 170 euros and 7 cents.", "7", (22, 23)), ("The Alps.", "the alps", (0, 8)), ("Alpsee", "Alps", None)],
)
def test_an_answer_is_found_as_whole_words(text, answer, span):
    assert sets._find(text, answer) == span


def test_squad_takes_the_span_most_people_marked_and_keeps_unanswerable_questions(tmp_path):
    def qa(question, *answers):
        return {"question": question, "answers": [{"text": text, "answer_start": start} for text, start in answers]}

    context = "Roke shut the old valve."
    paragraph = {
        "context": context,
        "qas": [qa("What?", ("the old valve", 10), ("valve", 18), ("valve", 18)), qa("Who?")],
    }
    (tmp_path / "f.json").write_text(json.dumps({"data": [{"title": "A_b", "paragraphs": [paragraph]}]}))
    what, who = sets.squad(tmp_path / "f.json", "s", titled=True)
    assert context[slice(*what.span)] == "valve"
    assert what.golds == ("the old valve", "valve")
    assert what.title == "A b"
    assert what.group == "A_b-0"  # the only document of its file: each paragraph is a group
    assert who.span is None
