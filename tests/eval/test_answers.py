import pytest

from eval.metrics.answers import (
    contains_gold,
    date_match,
    exact_match,
    list_recall,
    normalise,
    number_match,
    token_f1,
    tokens,
    without_markers,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("12,000 people", ["12000", "people"]),
        ("12\u202f000 and 1,234,567", ["12000", "and", "1234567"]),
        ("1,2 and 12,00", ["1,2", "and", "12,00"]),
        ("“Roke’s” fuel—pipe", ["roke", "fuel", "pipe"]),
        ("(5.4) $5.4", ["5.4", "$", "5.4"]),
        ("12%", ["12", "%"]),
        ("−3 degrees - cold", ["-3", "degrees", "cold"]),
        ("a 34‑metre hull, forty-one men", ["a", "34", "metre", "hull", "forty-one", "men"]),
        ("...", []),
    ],
)
def test_tokens(text, expected):
    assert tokens(text) == expected


def test_normalise_folds_wide_letters_and_case():
    assert normalise("ＭＥＲＩＤＩＡＮ  Post") == "meridian post"


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("Nine died", [["nine", "9"]], True),
        ("There were 170 boats", [["7"]], False),  # RGB's substring trap
        ("12000 marched", [["12,000"]], True),
        ("It cost $5.4 million", [["54 million"]], False),  # SQuAD's "5.4" = "54" trap
        ("It cost $5.4 million", [["5.4 million"]], True),
        ("The company won", [["The mayor"]], False),  # MultiHop-RAG's common-word trap
        ("The police said 7,500, the union 12,000.", [["12,000"], ["7,500"]], True),
        ("The union said 12,000.", [["12,000"], ["7,500"]], False),
        ("twelve men", [["12"]], False),  # no guessing of number words
        ("forty-one cases", [["one"]], False),
        ("12% of voters", [["12 people"]], False),
        ("Roke, Anselm", [["Anselm Roke"]], False),  # a run, in order
        ("", [["nine"]], False),
        ("anything", [], None),
        ("anything", [[]], False),
    ],
)
def test_contains_gold(text, answers, expected):
    assert contains_gold(text, answers) is expected


@pytest.mark.parametrize(
    ("text", "gold", "expected"),
    [
        ("Yes, they may.", ["yes"], True),
        ("yes.", ["Yes"], True),
        ("No one said yes", ["yes"], False),
        ("The plant had no part in it", ["no"], False),
        ("Yes no insufficient", ["no"], False),  # scored 63.6 % on MultiHop-RAG
        ("No, they keep their devices", ["yes", "keep their devices"], False),
        ("They keep their devices", ["yes", "keep their devices"], True),
        ("No: he did not", ["did not", "no"], True),
    ],
)
def test_yes_and_no_count_only_as_the_first_word(text, gold, expected):
    assert contains_gold(text, [gold]) is expected


def test_exact_match_drops_articles_and_takes_any_gold():
    assert exact_match("The leaking fuel pipe.", ["pipe", "leaking fuel pipe"]) == 1.0
    assert exact_match("a fuel pipe burst", ["fuel pipe"]) == 0.0
    assert exact_match("$5.4", ["54"]) == 0.0
    assert exact_match("x", []) is None


def test_token_f1_by_hand():
    # 2 tokens in common of 4 found and 2 expected: P 1/2, R 1, F1 2/3
    assert token_f1("fuel pipe burst early", ["fuel pipe"]) == pytest.approx(2 / 3)
    assert token_f1("fuel fuel", ["fuel"]) == pytest.approx(2 / 3)  # a repeated word is no second hit
    assert token_f1("fire", ["fuel pipe", "fire"]) == 1.0
    assert token_f1("", ["fuel"]) == 0.0
    assert token_f1("", [""]) == 1.0
    assert token_f1("x", []) is None


def test_markers_go_and_bracketed_years_stay():
    assert without_markers("Nine died [1][2, 3] in [2024] [1-3].") == "Nine died in [2024]."


def test_list_recall_by_hand():
    groups = [["Aldous"], ["Oakley", "Tamsin Oakley"], ["Brandt"]]
    assert list_recall("Henrik Aldous and Oakley stood.", groups) == pytest.approx(2 / 3)
    assert list_recall("Nobody.", groups) == 0.0
    assert list_recall("Aldous", [["Aldous"]]) is None  # one part is no list


@pytest.mark.parametrize(
    ("text", "golds", "tolerance", "expected"),
    [
        ("In all 4,700 people left.", ["4,700"], 0.0, 1.0),
        ("In all 4.7 thousand people left.", ["4,700"], 0.0, 1.0),
        ("It cost 412 million crowns.", ["412 million"], 0.0, 1.0),
        ("It cost 412 crowns.", ["412 million"], 0.0, 0.0),
        ("Some 102 came.", ["100"], 0.02, 1.0),
        ("Some 103 came.", ["100"], 0.02, 0.0),
        ("Twelve per cent of them.", ["12%"], 0.0, 1.0),
        ("The 12 of them.", ["12%"], 0.0, 1.0),  # a unit that is not said is not denied
        ("", ["100"], 0.0, 0.0),
        ("Halloran did.", ["Halloran"], 0.0, None),
    ],
)
def test_number_is_matched_by_value(text, golds, tolerance, expected):
    assert number_match(text, golds, tolerance=tolerance) == expected


@pytest.mark.parametrize(
    ("text", "golds", "expected"),
    [
        ("It reopens on 21 July.", ["21 July 2025"], 1.0),
        ("It reopens on July 21, 2025.", ["2025-07-21"], 1.0),
        ("It reopens on 22 July.", ["21 July"], 0.0),
        ("", ["21 July"], 0.0),
        ("It reopens soon.", ["soon"], None),
    ],
)
def test_date_is_matched_however_it_is_written(text, golds, expected):
    assert date_match(text, golds) == expected
