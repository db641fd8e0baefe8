import json

import pytest

from ingest.corrections import take_notes
from ingest.loaders import load
from ingest.loaders.source import Source

LEAD = "The harbour council voted on Tuesday to move the fish market to the north quay."
REST = "Stall holders will pay the same rent until the end of next year, the council said."

NOTES = [
    "Correction: An earlier version of this article misstated the year in which the dam was finished.",
    "CORRECTION (March 3, 2024): The story gave the wrong first name for the harbour master.",
    "Correction (4 May): The bridge is 40 metres long, not 60.",
    "Correction, 3 May 2024: The bridge is 40 metres long, not 60.",
    "Correction 3 May 2024: The bridge is 40 metres long, not 60.",
    "*Correction: the train leaves at 9.40, not at 9.04.",
    "[Correction: The river is the Orrin, not the Errin.]",
    "Correction – the prize is worth 5,000 crowns, not 50,000.",
    "Correction note: The school has 310 pupils.",
    "Corrections and clarifications: The fee is 12 crowns a month, not 21.",
    "Clarification: The company says that the plant never closed in full.",
    "Clarification, June 4: The minister spoke before the vote, not after it.",
    "Erratum: The lake in the second photograph is Lake Orrin.",
    "This article was amended on 4 May 2024. It had said that the mayor was absent.",
    "• This article was amended on 12 June 2024 to give the right name of the ferry.",
    "This article was amended because the boat sank in the bay, not in the harbour.",
    "This story has been corrected to show that the council voted 9-4, not 10-3.",
    "(This story has been corrected to fix the date of the hearing in paragraph 4.)",
    "This story has been updated to correct the spelling of Alva Brandt's name.",
    "This post was edited to correct the number of seats in the hall.",
    "This report was clarified on Sunday to say that the minister had resigned of his own will.",
    "This headline has been corrected: nine people, not nineteen, were rescued.",
    "This obituary was quietly corrected after a call from the family.",
    "An earlier version of this article misspelled the name of the engineer.",
    "An earlier version of this story gave the wrong age for the pilot.",
    "An earlier version of our report said that two people had died. One had.",
    "A previous version of this story incorrectly said that the school would close in May.",
    "The original version of this report gave a wrong figure for the number of ferries.",
    "In an earlier version of this story, the surgeon's title was wrong.",
    "Editor's note: This article has been corrected to reflect that the quay is public.",
    "Editors' note: The caption on this page was corrected on Tuesday.",
    "Editor’s Note: An earlier version of this story misidentified the driver of the second car.",
    "Note: An earlier version of this post said the concert was sold out; tickets remain.",
    "Note: The map in this story was corrected on Friday.",
    "Update, 3 May: This article has been amended to make clear that no charge was brought.",
    "UPDATE: This story was corrected on Friday; the rent rises by 3 per cent, not by 30.",
    "A correction was made on May 3, 2024: An earlier version of this article misstated when the museum opens.",
    "Because of an editing error, an earlier version of this article misstated the age of the pilot.",
    "Due to incorrect information from the police, a previous version of this story named the wrong street.",
    "The headline of this article was amended on 9 July 2024 because the boat sank in the bay.",
    "A caption in an earlier version of this article misidentified the woman on the left as Ines Falk.",
    "(This June 4 story corrects the name of the bank in the second paragraph.)",
    "(Corrects paragraph 3 to say that the loan is worth 12 million crowns, not 12 billion.)",
    "This version corrects the spelling of the senator's name to Okafor.",
    "This article originally stated that the hospital has 400 beds. It has 300.",
    "This story originally said that the ferry was built in Oslo. It was built in Bergen.",
    "This article previously misstated the price of the land.",
    "We have corrected this article: the trial opens on Monday, not on Tuesday.",
    "For the record: An earlier version of this article said the fire began at noon. It began at 3 p.m.",
]

NEWS = [
    "The correction of the river's course near Brackwater will cost 40 million crowns, the ministry said.",
    "A correction of the pension law was promised by both parties before the vote.",
    "Correction fluid – invented by a typist in her kitchen – is on show at the museum.",
    "Correction territory - a fall of ten per cent - was reached on Thursday, brokers said.",
    "Corrections officers at the county jail voted on Tuesday to strike.",
    "Corrections officers - about 400 of them - walked out of the county jail on Tuesday.",
    "Corrections Minister Marie-Claude Roy resigned on Monday after the third escape.",
    "Clarification of the law: that is what farmers have asked for since the spring.",
    "Clarification plants along the river are to be rebuilt by 2030, the council said.",
    "Errata slips were put into all 4,000 books before they were sold.",
    "An earlier version of the bill was rejected by the upper house in March.",
    "An earlier version of the bill should have passed in March, the senator said.",
    "An earlier version of the report, leaked in May, said that 40 people had died in the mine.",
    "A previous version of the report named three officers; the final text names none.",
    "The original version of the story, as Perrault wrote it, named no stepmother at all.",
    "The previous version of the phone sold 3 million units, the company said.",
    "In an earlier version of the plan, the tunnel should have ended at the harbour.",
    "The report was amended by the senate before it was sent to the president.",
    "The article was amended in 1998 to let women inherit the crown.",
    "The article is being amended to allow dual citizenship, the justice minister said.",
    "The column was corrected by masons in the spring, and the temple no longer leans.",
    "The item was clarified at the next meeting of the board, where nobody objected.",
    "The story was described by critics as her finest.",
    "The report has been updated each year since 1994, the agency said.",
    "This report was published on Monday by the auditors, who found no fault.",
    "This page of history was rewritten only when the archive opened.",
    "Update: the train now leaves at noon, the railway said, and stops in Orrin as well.",
    "Update: The department of corrections said that both men were caught at 9 p.m.",
    "Note to readers of old maps: the ferry to Orrin stopped in 1987.",
    "Note that the corrected census puts the town at 41,000 people, the mayor told the council.",
    "Editors noted that the manuscript had been corrected by hand.",
    "For the record, the minister said, he had never met the banker.",
    "Withdrawn troops were seen on the road to the coast on Sunday evening.",
    "Withdrawn - but far from beaten - the rebels gathered in the hills above the town.",
    "The post was taken down within an hour, and the minister said he was sorry.",
    "The page was taken down by the ministry after hackers had defaced it.",
    "The report was withdrawn after engineers found that half of its figures were made up.",
    "The item was withdrawn from the auction because nobody could prove where it came from.",
    "The item has been withdrawn from sale in all 40 shops, the grocer said.",
    "The government withdrew the report on Friday and promised a new one by May.",
    "The museum has withdrawn the item from its autumn auction.",
    "The senator retracted the story that he had told about his war years.",
    "The retraction of the landing gear failed twice before the pilot turned back.",
    "Retraction of the statement would not end the lawsuit, the lawyer said.",
    "The newspaper withdrew its offer for the printing works on Thursday.",
    "We withdraw from the treaty today, the president said.",
]

RETRACTIONS = [
    "Retraction: The Courier has withdrawn its report of 3 May on the harbour funds.",
    "RETRACTED: The figures in this article were made up by its author.",
    "Retraction notice: the data behind this article could not be found.",
    "Withdrawn: this article was based on a forged letter.",
    "This article has been retracted because its main source could not be verified.",
    "This article is retracted.",
    "This story was withdrawn on 4 May 2024 at the request of the editors.",
    "This report has been withdrawn. It did not meet our standards.",
    "This post has been taken down because it was wrong in its main claim.",
    "We have retracted this story after a review of its sources.",
    "We are withdrawing this report; the photographs were not taken in Orrin.",
    "The Courier has retracted this article and says that it is sorry.",
    "The editors of the Gull Post withdrew this story on Friday.",
    "[This article has been retracted.]",
    "Editor's note: This article has been retracted after its author admitted to invented quotes.",
    "Note: This story has been withdrawn by the editors.",
    "This article was removed because it did not meet our standards of sourcing.",
    "Our article on the harbour funds is retracted.",
]


@pytest.mark.parametrize("note", NOTES)
def test_note_of_a_correction_is_taken_out_of_the_text(note):
    assert take_notes("Market moves", [LEAD, note, REST]) == ([LEAD, REST], note)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_note_is_found_wherever_it_stands(place):
    paragraphs = [LEAD, REST]
    paragraphs.insert(place, NOTES[0])
    assert take_notes("Market moves", paragraphs) == ([LEAD, REST], NOTES[0])


@pytest.mark.parametrize("paragraph", NEWS)
def test_news_that_looks_like_a_note_stays_in_the_text(paragraph):
    assert take_notes("Market moves", [LEAD, paragraph, REST]) == ([LEAD, paragraph, REST], "")


@pytest.mark.parametrize("note", RETRACTIONS)
def test_note_of_a_retraction_withdraws_the_article(note):
    paragraphs, found = take_notes("Market moves", [LEAD, note])
    assert paragraphs == [LEAD]
    assert found.lower().startswith("retracted")
    assert note in found


@pytest.mark.parametrize(
    "title",
    [
        "RETRACTED: Old bridge is sound, say engineers", "Retracted – Old bridge is sound",
        "Retraction: Old bridge is sound", "[Retracted] Old bridge is sound", "(Retracted) Old bridge is sound",
        "WITHDRAWN: Old bridge is sound", "Retracted article: Old bridge is sound",
    ],
)  # fmt: skip
def test_title_that_says_so_withdraws_the_article(title):
    paragraphs, note = take_notes(title, [LEAD, REST])
    assert paragraphs == [LEAD, REST]
    assert note.lower().startswith("retracted")
    assert "Old bridge is sound" in note


@pytest.mark.parametrize(
    "title",
    [
        "Withdrawn troops return home", "Retracted claims haunt the minister", "Withdrawal: the last troops leave",
        "Retraction of landing gear failed, report says", "Corrections officers walk out",
        "Minister says he retracted nothing", "Withdrawn bill may return in May", "Market moves: stalls withdrawn",
    ],
)  # fmt: skip
def test_title_that_looks_like_a_retraction_withdraws_nothing(title):
    assert take_notes(title, [LEAD]) == ([LEAD], "")


@pytest.mark.parametrize("note", [NOTES[0], RETRACTIONS[4]])
def test_text_of_nothing_but_a_note_keeps_it(note):
    paragraphs, found = take_notes("Market moves", [note])
    assert paragraphs == [note]
    assert note in found


def test_text_of_nothing_but_notes_keeps_them_all():
    assert take_notes("Market moves", NOTES[:2]) == (NOTES[:2], " ".join(NOTES[:2]))


def test_several_notes_are_one_line_in_their_order():
    assert take_notes("T", [NOTES[0], LEAD, NOTES[2]]) == ([LEAD], f"{NOTES[0]} {NOTES[2]}")


def test_known_note_stands_first():
    assert take_notes("T", [LEAD, NOTES[0]], "The quay is public.") == ([LEAD], f"The quay is public. {NOTES[0]}")


def test_known_note_alone_leaves_the_text_as_it_is():
    assert take_notes("T", [LEAD, REST], "The quay is public.") == ([LEAD, REST], "The quay is public.")


@pytest.mark.parametrize(
    "known", ["Retracted: all of it.", "This article has been withdrawn.", "Retraction: all of it."]
)
def test_known_note_of_a_retraction_withdraws_the_article(known):
    _, note = take_notes("T", [LEAD], known)
    assert note.lower().startswith("retracted")


def test_retraction_after_a_known_correction_withdraws_the_article():
    _, note = take_notes("T", [LEAD, RETRACTIONS[4]], NOTES[0])
    assert note == f"Retracted: {NOTES[0]} {RETRACTIONS[4]}"


def test_known_note_that_the_text_repeats_is_told_once():
    assert take_notes("T", [LEAD, NOTES[0]], NOTES[0]) == ([LEAD], NOTES[0])


def test_taking_notes_again_changes_nothing():
    for paragraphs in ([LEAD, NOTES[0]], [NOTES[0]], [LEAD, RETRACTIONS[4]], [RETRACTIONS[4]], [LEAD]):
        once = take_notes("T", paragraphs)
        assert take_notes("T", *once) == once


def test_text_without_notes_has_none():
    assert take_notes("T", [LEAD, LEAD, REST]) == ([LEAD, LEAD, REST], "")
    assert take_notes("T", []) == ([], "")


def test_paragraph_longer_than_any_note_is_text():
    long = f"{NOTES[0]} {LEAD * 12}"
    assert take_notes("T", [LEAD, long]) == ([LEAD, long], "")


def test_note_in_a_record_is_kept_beside_the_text_of_its_article(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(
        json.dumps({"title": "Market moves", "text": f"{LEAD}\n\n{NOTES[0]}\n\n{REST}", "correction": "So."})
    )
    (article,) = load(Source(path, "a.json"))
    assert (article.text, article.correction, article.retracted) == (f"{LEAD}\n\n{REST}", f"So. {NOTES[0]}", False)


def test_retracted_record_is_known_as_such(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"title": "RETRACTED: Market moves", "text": f"{LEAD}\n\n{REST}"}))
    (article,) = load(Source(path, "a.json"))
    assert (article.text, article.retracted) == (f"{LEAD}\n\n{REST}", True)
