from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clean import article_id, canonical_url, normalise, plausible, shortened, to_utc, version_of

MAY_3 = datetime(2024, 5, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("", ""),
        ("One.\r\nTwo.\rThree.", "One.\n\nTwo.\n\nThree."),
        ("  a\u00a0 b\t c  \n\n\n\n d ", "a b c\n\nd"),
        ("nul\x00 bell\x07 bom\ufeff soft\u00adhyphen", "nul bell bom softhyphen"),
        ("cafe\u0301", "caf\u00e9"),
        ("lone \ud800surrogate", "lone surrogate"),
        ('“Keep” ‘these’ "quotes" – and — dashes', '“Keep” ‘these’ "quotes" – and — dashes'),
        ("港口\u3000開放。", "港口 開放。"),
    ],
)
def test_text_is_normalised(raw: str, clean: str):
    assert normalise(raw) == clean


@given(st.text(alphabet=st.characters() | st.sampled_from("aB. \n\r\t\u00a0"), max_size=300))
def test_normalising_twice_changes_nothing(text: str):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(alphabet="abcXYZ .,\n\r\t”", max_size=300))
def test_normalising_keeps_every_word(text: str):
    assert normalise(text).split() == text.split()


def test_lines_wrapped_at_a_fixed_width_are_one_paragraph():
    wrapped = (
        "The lighthouse on Skerry Point will shine again\n"
        "from Friday after a repair that took the harbour\n"
        "board two winters and most of its savings.\n\n"
        "A crowd is expected."
    )
    first, second = normalise(wrapped).split("\n\n")
    assert first.endswith("that took the harbour board two winters and most of its savings.")
    assert second == "A crowd is expected."


def test_headline_over_its_text_is_not_joined_to_it():
    page = "Lighthouse shines again\nThe lighthouse on Skerry Point will shine again from Friday.\nit was dark."
    assert normalise(page).split("\n\n")[0] == "Lighthouse shines again"


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-03",
        "20240503",
        "2024-05-03T00:00:00Z",
        "2024-05-03 02:00:00 +0200",
        "2024-05-03 00:00 UTC",
        "Fri, 03 May 2024 02:00:00 +0200",
        "Fri, 03 May 2024 00:00:00 GMT",
        "May 3, 2024",
        "Friday, 3 May 2024",
        "1714694400",
        1714694400,
        1714694400000,
        datetime(2024, 5, 3),
        date(2024, 5, 3),
        datetime(2024, 5, 2, 22, tzinfo=UTC) + timedelta(hours=2),
    ],
)
def test_each_known_form_of_a_time_is_read(value: str | int | date):
    assert to_utc(value) == MAY_3


@pytest.mark.parametrize(
    "value",
    ["", " ", "yesterday", "May", "2024", "03/04/2024", "2024-13-01", None, True, float("nan"), 1e300,
     "0001-01-01T00:00:00+14:00"],
)  # fmt: skip
def test_time_that_is_not_certain_is_unknown(value: str | float | None):
    assert to_utc(value) is None


@given(st.text(max_size=40))
def test_any_text_gives_a_utc_time_or_none(text: str):
    moment = to_utc(text)
    assert moment is None or moment.utcoffset() == timedelta(0)


@given(st.datetimes(timezones=st.timezones()))
def test_time_survives_writing_and_reading(moment: datetime):
    if 1 < moment.year < 9999:
        assert to_utc(moment.isoformat()) == moment.astimezone(UTC)


@pytest.mark.parametrize(
    ("published_at", "expected"),
    [
        (None, True),
        (datetime(1599, 12, 31, tzinfo=UTC), False),
        (datetime(1605, 7, 1, tzinfo=UTC), True),
        (MAY_3 + timedelta(days=2), True),
        (MAY_3 + timedelta(days=2, seconds=1), False),
    ],
)
def test_date_before_newspapers_or_ahead_is_implausible(published_at: datetime | None, expected: bool):
    assert plausible(published_at, MAY_3) is expected


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTPS://Www.Gull.Example/News/?utm_source=x&id=7&fbclid=y#top", "https://www.gull.example/News?id=7"),
        ("http://gull.example:80/", "http://gull.example"),
        ("https://gull.example/a?ref=home&gclid=1", "https://gull.example/a"),
        ("https://gull.example/a?reference=home", "https://gull.example/a?reference=home"),
        ("ftp://gull.example/a", ""),
        ("javascript:alert(1)", ""),
        ("gull.example/a", ""),
        ("http://[broken", ""),
        ("", ""),
    ],
)
def test_addresses_of_one_page_have_one_spelling(url: str, canonical: str):
    assert canonical_url(url) == canonical


@given(st.from_regex(r"https?://[a-z]{1,9}\.example(/[\w?&=#/]{0,20})?", fullmatch=True))
def test_canonical_address_is_its_own_canonical_form(url: str):
    assert canonical_url(canonical_url(url)) == canonical_url(url)


def test_id_is_the_records_own_then_from_the_address_then_from_the_place():
    assert article_id(" a-1 ", "https://gull.example/a", "f.json", 1) == "a-1"
    by_url = article_id("", "https://gull.example/a?utm_medium=x", "f.json", 1)
    assert by_url == article_id("", "https://Gull.example/a/", "other.json", 9)
    assert len(by_url) == 16
    assert article_id("", "", "f.json", 1) != article_id("", "", "f.json", 2)


def test_version_changes_with_each_thing_a_reader_sees():
    versions = {
        version_of("T", "x", None, None),
        version_of("Tx", "", None, None),
        version_of("T", "y", None, None),
        version_of("T", "x", MAY_3, None),
        version_of("T", "x", None, "Corrected: y"),
    }
    assert len(versions) == 5
    assert version_of("T", "x", None, "") == version_of("T", "x", None, None)


@pytest.mark.parametrize(
    ("sentence", "title"),
    [
        ("The ferry sank.", "The ferry sank"),
        ("HARBOUR NOISE: The cranes fell silent.", "The cranes fell silent"),
        ("OSLO, May 3 (Gull News) — The cranes fell silent.", "The cranes fell silent"),
        ("The mayor called it “a farce.”", "The mayor called it “a farce”"),
        (
            "The council of Port Ellery voted on Tuesday to close the old fish market, ending a dispute that had "
            "divided the town for four years.",
            "The council of Port Ellery voted on Tuesday to close the old fish market",
        ),
        (
            "After six wins in seven games that nobody had expected of them at the start, the rowers of Port Ellery "
            "lost.",
            "After six wins in seven games that nobody had expected of them",
        ),
    ],
)
def test_title_is_the_sentence_cut_where_a_thought_ends(sentence: str, title: str):
    assert shortened(sentence) == title


@given(st.text(max_size=400))
def test_inferred_title_is_short_and_ends_without_punctuation(text: str):
    title = shortened(text)
    assert len(title) <= 90
    assert not title.endswith((".", ",", ";", ":", "-"))
