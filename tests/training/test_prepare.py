import random

import numpy as np

from rag.packaged import load_tokenizer
from rag.span_model import encode
from training.prepare import Pair, _Swaps, _without_sentence, held_out_groups
from training.sets import Example
from training.train import _item

TEXT = "Rain fell on Selwyn. Ana Holt won 34 votes in 1998."


def example(question, source="squad1", group="g", span=(21, 29)):
    return Example(source, group, question, "", TEXT, span)


def pair(question):
    return Pair("squad1", "g", question, "", TEXT, (21, 29), (21, 51))


def test_whole_articles_are_held_out_and_always_the_same():
    examples = [example("q", group=f"g{number}") for number in range(44) for _ in range(3)]
    held = held_out_groups(examples)
    assert len(held) == 4
    assert held == held_out_groups(reversed(examples))
    assert held_out_groups([example("q", source="nq")]) == set()


def test_the_answering_sentence_is_cut_out():
    assert _without_sentence(pair("Who won?")) == "Rain fell on Selwyn."


def test_a_swapped_number_is_one_the_passage_does_not_hold():
    swaps = _Swaps([], random.Random(1))
    for _ in range(20):
        swapped = swaps.swapped(pair("Who won in 1998?"))
        if swapped is not None:
            assert swapped != "Who won in 1998?"
            assert swapped.split()[-1].rstrip("?") not in TEXT


def test_a_swapped_name_comes_from_another_question_and_is_not_in_the_passage():
    swaps = _Swaps([example("Did Ben Rask win?"), example("Did Ana Holt win?")], random.Random(1))
    assert swaps.swapped(pair("How many votes did Ana Holt win?")) == "How many votes did Ben Rask win?"
    assert swaps.swapped(pair("Who won?")) is None


def test_targets_mark_the_answer_and_its_sentence():
    line = {"span": [21, 29], "sentence": [21, 51]}
    tokenizer = load_tokenizer()
    (encoded,) = encode(tokenizer, [("Who won?", "", TEXT)])
    item = _item(line, encoded)
    first, last = int(np.flatnonzero(item.starts)[0]), int(np.flatnonzero(item.ends)[0])
    assert tokenizer.decode(encoded.ids[first : last + 1].tolist()) == "ana holt"
    assert tokenizer.decode(encoded.ids[item.evidence == 1].tolist()).startswith("ana holt won 34")
    assert (item.evidence[: encoded.first] == -1).all()


def test_without_an_answer_the_target_is_the_null():
    (encoded,) = encode(load_tokenizer(), [("Who won?", "", TEXT)])
    item = _item({"span": None, "sentence": None}, encoded)
    assert np.flatnonzero(item.starts).tolist() == np.flatnonzero(item.ends).tolist() == [0]
    assert not (item.evidence == 1).any()
