import pytest

from eval.metrics.answers import contains_gold, exact_match, normalise, token_f1, tokens, without_markers


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
