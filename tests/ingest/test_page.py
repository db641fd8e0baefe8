import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clean import normalise
from ingest.page import split

FERRY = (
    "The last car ferry between Port Ellery and the island of Skarn was taken out of service on Monday, leaving 900 "
    "islanders with a mail boat that runs twice a week.",
    "The Ellery Harbour Board said the hull of the Guillemot had failed an inspection and that repairs would take "
    "until autumn.",
    "“We heard of it on the radio,” said Tove Brandt, who runs the only shop on Skarn.",
    "The board promised a replacement from Norway, but named no date.",
)
BRIDGE = (
    "Engineers in the mining town of Kopperval closed its railway bridge on Thursday after sensors showed that a pier "
    "had moved by four centimetres in a night. Freight trains to the smelter are being sent through the Dalen tunnel, "
    "which adds three hours. The operator, Nordbane, has asked the ministry for"
)
MUSEUM = (
    "A clay tablet that a schoolgirl found in a ditch near Tell Amar is the oldest known list of cheeses, the museum "
    "of Halvan said yesterday. It names eleven kinds, four of them unknown. Curator Samira Odeh, who read the tablet, "
    "called it"
)
KICKER = (
    "HARBOUR NOISE: Residents of the Lindvik docks said that the new night cranes keep their children awake The city "
    "of Lindvik is to measure noise at its container port for a year, Deputy Mayor Ola Rask said on Friday. The "
    "terminal’s owner said “we have always kept the limits,”"
)


def test_article_with_complete_paragraphs_is_one_story():
    (story,) = split("\n".join(FERRY))
    assert (story.kind, story.truncated, story.title_inferred) == ("article", False, True)
    assert story.text == "\n\n".join(FERRY)
    assert story.title == "The last car ferry between Port Ellery and the island of Skarn was taken out of service"


def test_paragraphs_that_break_off_after_an_article_are_teasers_of_their_own():
    article, *teasers = split("\n".join((*FERRY, BRIDGE, MUSEUM, KICKER)))
    assert article.text == "\n\n".join(FERRY)
    assert not article.truncated
    assert [story.text for story in teasers] == [BRIDGE, MUSEUM, KICKER]
    assert all(story.kind == "teaser" and story.truncated and story.title_inferred for story in teasers)


def test_one_foreign_paragraph_that_breaks_off_is_a_teaser():
    assert [story.kind for story in split("\n\n".join((*FERRY, MUSEUM)))] == ["article", "teaser"]


def test_last_paragraph_that_goes_on_about_the_article_is_its_own_cut_end():
    end = "The harbour board of Port Ellery said on Monday that islanders on Skarn who need a ferry for repairs may ask"
    (story,) = split("\n".join((*FERRY, end)))
    assert (story.kind, story.truncated) == ("article", True)
    assert story.text.endswith("may ask")


def test_article_that_breaks_off_before_its_teasers_keeps_its_own_end():
    end = "Islanders on Skarn said the Ellery Harbour Board had promised repairs of the Guillemot, and a"
    article, *teasers = split("\n".join((*FERRY, end, BRIDGE, MUSEUM)))
    assert article.truncated
    assert article.text.endswith("and a")
    assert len(teasers) == 2


def test_kicker_stays_in_the_text_and_not_in_the_title():
    teaser = split("\n".join((*FERRY, BRIDGE, KICKER)))[-1]
    assert teaser.text == KICKER
    assert teaser.title.startswith("Residents of the Lindvik docks said")


def test_kicker_paragraph_that_happens_to_end_complete_is_a_teaser_among_teasers():
    complete = "NIGHT SHIFT: " + "The city of Lindvik will pay its bus drivers double on Sundays from May. " * 3
    stories = split("\n".join((*FERRY, complete, BRIDGE)))
    assert [(story.kind, story.truncated) for story in stories] == [
        ("article", False),
        ("teaser", False),
        ("teaser", True),
    ]


def test_headline_is_the_title_and_not_in_the_text():
    (story,) = split("Skarn loses its ferry\nBy Lena Moss\n" + "\n".join(FERRY))
    assert (story.title, story.title_inferred) == ("Skarn loses its ferry", False)
    assert story.text == "\n\n".join(FERRY)


def test_teasers_with_headlines_of_their_own():
    page = "\n".join(("Skarn loses its ferry", *FERRY, "Bridge moves in a night", BRIDGE, "A list of cheeses", MUSEUM))
    assert [(story.title, story.title_inferred) for story in split(page)] == [
        ("Skarn loses its ferry", False),
        ("Bridge moves in a night", False),
        ("A list of cheeses", False),
    ]


def test_page_of_teasers_alone_has_no_article():
    stories = split("\n\n".join((BRIDGE, MUSEUM + "...", KICKER + " [+1204 chars]")))
    assert [story.kind for story in stories] == ["teaser"] * 3


@pytest.mark.parametrize("ending", ["…", "...", " [+2310 chars]", "... Read more"])
def test_ellipsis_is_a_break(ending: str):
    (story,) = split("The mayor of Port Ellery resigned on Sunday and told the harbour board that" + ending)
    assert (story.kind, story.truncated) == ("teaser", True)


def test_quotation_that_ends_in_a_comma_is_cut_off():
    (story,) = split("\n".join(FERRY[:3]) + "\n“The board of Ellery owes Skarn a ferry,”")
    assert story.truncated


@pytest.mark.parametrize(
    "line",
    [
        "Photo: AP",
        "Image: Lena Moss / Gull Post",
        "Photo courtesy of the Ellery Harbour Board",
        "Credit: Tove Brandt",
        "(Photo by Lena Moss/Gull Pictures)",
        "The Guillemot at its berth in March. Photo: Lena Moss",
        "Sign up for our morning newsletter",
        "© 2024 Gull Post. All rights reserved.",
        "Copyright 2024 Gull Post",
        "Advertisement",
        "Related stories",
    ],
)
def test_furniture_is_in_no_story(line: str):
    (story,) = split("\n".join((*FERRY[:2], line, *FERRY[2:], line)))
    assert story.text == "\n\n".join(FERRY)


@pytest.mark.parametrize(
    "line",
    [
        "Photographs of the wreck were shown in court on Friday.",
        "Copyright law did not cover the map, the court said.",
        "Image and money were what the board cared for, she said.",
        "Images from a bridge camera showed the ferry on fire.",
        "Advertisement income fell by half, the board said.",
        "(c) repay the fares within thirty days.",
        "Follow the money, the old harbour master told her.",
    ],
)
def test_sentence_that_only_begins_like_furniture_stays(line: str):
    (story,) = split("\n".join((*FERRY, line)))
    assert story.text.endswith(line)


def test_interview_with_speakers_in_capitals_is_one_story():
    answer = (
        "We never had a plan for the winter, and everybody on the island knew it, whatever the board now says to you."
    )
    turns = [f"{name}: {answer}" for name in ("BRANDT", "MOSS", "BRANDT", "MOSS")]
    assert len(split("\n".join((*FERRY, *turns, "BRANDT: " + answer.removesuffix("now says to you."))))) == 1


def test_paragraph_split_around_a_picture_is_no_break():
    page = (
        *FERRY[:2],
        "Four of the nine members of the board, among them its chair, had asked for a second inspection by a yard that",
        "Photo: Lena Moss",
        "was not paid by the island, but they were voted down.",
        *FERRY[2:],
    )
    assert len(split("\n".join(page))) == 1


def test_short_list_inside_an_article_is_no_teaser():
    page = (*FERRY[:2], "What we know", "• Guillemot: out until autumn", "• Mail boat: twice a week", *FERRY[2:])
    (story,) = split("\n".join(page))
    assert not story.truncated
    assert "• Mail boat: twice a week" in story.text


def test_agency_sign_off_is_a_complete_end():
    (story,) = split("\n".join(FERRY) + " (Gull News)")
    assert not story.truncated


def test_item_under_sixty_words_is_a_brief():
    (story,) = split("Skarn loses its ferry\n\n" + FERRY[2])
    assert story.kind == "brief"


def test_known_title_is_taken_out_of_the_text_and_no_other_line_is():
    (story,) = split("SKARN LOSES ITS FERRY\nA winter of waiting\n" + "\n".join(FERRY), title="Skarn loses its ferry")
    assert story.title == "Skarn loses its ferry"
    assert story.text.startswith("A winter of waiting\n\nThe last car ferry")


def test_page_wrapped_at_a_fixed_width_has_the_same_stories():
    import textwrap

    page = (*FERRY, BRIDGE, MUSEUM)
    wrapped = "\n\n".join(textwrap.fill(part, 72, break_on_hyphens=False) for part in page)
    assert split(wrapped) == split("\n".join(page))


@pytest.mark.parametrize("page", ["", " \n\n ", "Photo: AP\n\n© 2024 Gull Post"])
def test_page_without_text_has_no_story(page: str):
    assert split(page) == []


@given(st.lists(st.sampled_from([*FERRY, BRIDGE, MUSEUM, KICKER, "Photo: AP", "A headline", "—"]), max_size=9))
def test_stories_are_whole_paragraphs_of_the_page_in_order(parts: list[str]):
    paragraphs = normalise("\n".join(parts)).split("\n\n")
    shown = [part for story in split("\n".join(parts)) for part in story.text.split("\n\n")]
    rest = iter(paragraphs)
    assert all(part in rest for part in shown)


@given(st.text(max_size=300))
def test_any_text_gives_stories_with_title_and_text(text: str):
    assert all(story.title.strip() and story.text.strip() for story in split(text))
