import pytest

from eval.metrics.attribution import attribution, attribution_kept

FIRE = (
    "Mayor Ines Halloran visited the port on Monday. She said the harbour would reopen within a week. "
    "The fire burned for two hours. “We saw nothing like it in thirty years,” said Tomas Reyl, a pilot. "
    "Police believe that a pump failed."
)


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("The fire burned for two hours.", None),  # nobody's words
        ("She said the harbour would reopen within a week.", True),
        ("Halloran said the harbour would reopen within a week.", True),  # named in the sentence before
        ("The harbour will reopen within a week.", False),  # somebody's promise, told as a fact
        ("Tomas Reyl said the harbour would reopen within a week.", False),  # another speaker
        ("“We saw nothing like it in thirty years,” said Tomas Reyl.", True),
        ("Nobody saw anything like it in thirty years.", False),  # a quotation, told as a fact
        ("According to Halloran, “We saw nothing like it in thirty years.”", True),  # she is named near: see pitfalls
        ("The minister said the fire burned for two hours.", True),  # names nobody; the sentence before has a verb
        ("Karsk said that a pump failed.", False),
    ],
)
def test_by_hand(claim, expected):
    assert attribution_kept(claim, [FIRE]) is expected


def test_an_uncited_claim_has_no_source():
    assert attribution_kept("She said the harbour would reopen.", []) is None


def test_the_share_is_over_claims_that_attribute():
    claims = ["The fire burned for two hours.", "The harbour will reopen within a week.", "She said it would reopen."]
    assert attribution(claims, [[FIRE]] * 3) == 0.5
    assert attribution(claims[:1], [[FIRE]]) is None
