"""The table of true paraphrases and corruptions that the verifier's rules and thresholds were set on."""

import pytest

from rag.rules import check_by_rules

FERRY = """Fire on the Solenne injures three
Aldria Wire 12 June 2025
An early-morning blaze in the engine room of the Isle of Sorrel ferry, the Solenne, injured three of her crew off Port \
Selwyn on Thursday and forced most of the passengers into lifeboats, the coastguard said. The alarm was raised at 5.52 \
a.m., when the ship was seven nautical miles north-west of the harbour entrance with 214 passengers and 31 crew on \
board. Two lifeboats and the pilot cutter Tern took off 168 passengers in a light swell. The injured are two mechanics \
aged 24 and 51, who breathed in smoke, and the second engineer, Anselm Roke, 38, who has burns to both hands. "The \
remote valve did not answer, so he went back in and shut off the fuel by hand," Captain Ingrid Vasterholt told \
reporters on the quay. A leaking fuel pipe is the likeliest cause, said Teodor Quill, who leads the inquiry for the \
Marine Accident Bureau. The operator, Sorrel Line, has withdrawn the Solenne until at least 23 June. Its managing \
director, Grete Falkmoor, apologised and promised a full refund."""
YARD = """Kestrel Yards sold to Norrgate
Selwyn Courier 3 July 2025
The Velmark group Norrgate Marine will pay 840 million crowns for the yard in Port Selwyn, both companies announced on \
Wednesday evening. Norrgate is taking on debts of a further 215 million crowns. All 2,300 jobs are guaranteed until \
the end of 2030, according to the contract. A penalty of 60 million crowns falls due if it breaks these commitments. \
"My children are a cellist and a beekeeper," said Eustace Pemberly, 74, who has run the yard since 1988. Patrick \
Halloran, the leader of the Harbour Workers' Union, called the agreement "better than we feared and worse than it \
sounds". The state will hold 51 per cent of the naval division, which has 140 employees. The takeover needs the \
consent of the competition authority, which has four months to examine it."""
BANK = """Bank of Aldria lowers rate
Aldria Wire 19 June 2025
The central bank on Thursday lowered its key rate by a quarter of a percentage point to 3.75 per cent, its first \
reduction in fourteen months. Six members of the council voted for the step. Deputy governors Halvard Quist and \
Sunniva Achterberg voted against it. Consumer prices rose by 2.3 per cent in the year to May, after 3.1 per cent in \
the year to January. “We are taking a foot off the brake, we are not reaching for the accelerator,” the governor, \
Miriam Okafor-Lund, told reporters. Okafor-Lund denied that the council had bowed to Prime Minister Dagny Thorsell. \
The council next meets on 4 September."""
HASK = """Mount Hask erupts
Meridian Post 3 August 2025
Mount Hask, the volcano on the Isle of Sorrel, erupted at 4.12 a.m. on Sunday for the first time in 212 years, driving \
about 1,150 people from their homes. No deaths were reported. Two hikers were flown to hospital with burns. The \
observatory had counted more than 3,000 small tremors since mid-July. Its director, Matthias Emberwick, expected the \
eruption to last "weeks rather than days". Interior Minister Rolf Amundry sent 240 soldiers to help with the \
evacuation. Sorrel's airfield was shut because of the ash. The ferries are still running."""
VOTE = """By-election in Brackwater
Brackwater Echo 25 August 2025
Marit Sandoval-Greve, 36, a vet who stood for Valley First, won Sunday's by-election with 9,812 votes, or 38.4 per \
cent, taking a seat the Civic Union had held since 1997. Henrik Aldous of the Civic Union came second with 7,655 \
votes. Turnout was 61.3 per cent, against 57.8 per cent two years ago. Osric Pellinor gave up his seat on 18 July. \
"People here don't want a hero," Ms Sandoval-Greve said in the town hall. She won't join any parliamentary group. Mr \
Aldous conceded at 10.50 p.m. Some 12,000 people did not vote. The count cost 1.2 million crowns."""

TRUE = [
    (FERRY, "Three crew members of the ferry Solenne were injured by a blaze in its engine room."),
    (FERRY, "There were 214 passengers and 31 crew on board."),
    (FERRY, "The Solenne carried two hundred and fourteen passengers."),
    (FERRY, "The alarm was raised at 5:52 am."),
    (FERRY, "The fire broke out on Thursday, 12 June 2025."),
    (FERRY, "Anselm Roke, the second engineer, has burns to both hands."),
    (FERRY, "Roke, 38, has burns to his hands."),
    (FERRY, "Captain Vasterholt said that “the remote valve did not answer”."),
    (FERRY, "The likeliest cause is a leaking fuel pipe, according to Teodor Quill."),
    (FERRY, "Sorrel Line has withdrawn the ferry until at least 23 June."),
    (FERRY, "Falkmoor apologised and promised passengers a full refund."),
    (FERRY, "Lifeboats and the cutter Tern took off 168 passengers."),
    (FERRY, "Investigators think a leaking fuel pipe is the likeliest cause."),
    (YARD, "Norrgate Marine will pay 840m crowns for the yard."),
    (YARD, "Norrgate will pay 840 million crowns and take on debts of 215 million."),
    (YARD, "All 2300 jobs are guaranteed until the end of 2030."),
    (YARD, "Eustace Pemberly has run the yard since 1988."),
    (YARD, "Pemberly said his “children are a cellist and a beekeeper”."),
    (YARD, "The union leader Patrick Halloran called the agreement “better than we feared”."),
    (YARD, "The state will hold 51% of the naval division."),
    (YARD, "The sale was announced on Wednesday, 2 July."),
    (YARD, "The competition authority has 4 months to examine the takeover."),
    (YARD, "If Norrgate breaks the commitments, it must pay a penalty of 60 million crowns."),
    (BANK, "The Bank of Aldria cut its key rate to 3.75%."),
    (BANK, "The rate was lowered by a quarter of a point, the first reduction in 14 months."),
    (BANK, "Quist and Achterberg voted against the step."),
    (BANK, "Consumer prices increased by 2.3 per cent in the year to May."),
    (BANK, "The governor denied that the council had bowed to Dagny Thorsell."),
    (BANK, "The council meets again on 4 September."),
    (BANK, "Okafor-Lund said: “We are taking a foot off the brake”."),
    (BANK, "On 19 June 2025 the central bank lowered its rate."),
    (HASK, "Mount Hask erupted at 4.12 a.m. on Sunday, 3 August."),
    (HASK, "The eruption drove 1,150 people from their homes."),
    (HASK, "About 1,150 people were driven from their homes."),
    (HASK, "Nobody died in the eruption."),
    (HASK, "More than 3,000 tremors had been counted since mid-July."),
    (HASK, "Emberwick expected the eruption to last weeks rather than days."),
    (HASK, "The airfield was closed because of the ash."),
    (HASK, "Amundry sent 240 soldiers to help."),
    (VOTE, "Marit Sandoval-Greve won the by-election in Brackwater with 38.4% of the vote."),
    (VOTE, "Sandoval-Greve received 9812 votes."),
    (VOTE, "Henrik Aldous came second with 7,655 votes."),
    (VOTE, "Turnout was 61.3 percent."),
    (VOTE, "Turnout was about 61 per cent."),
    (VOTE, "Ms Sandoval-Greve will not join any parliamentary group."),
    (VOTE, "Pellinor gave up his seat on July 18."),
    (VOTE, "About 12,000 people did not vote."),
    (VOTE, "12,000 people did not vote."),
    (VOTE, "The by-election was on Sunday, 24 August."),
]
TAKEN_BACK = (
    "Correction\nMeridian Post 9 June 2025\nLast week we wrote that Corin Tasker had been paid by Lundquay. He had not."
)
FALSE = [
    (TAKEN_BACK, "Corin Tasker was paid by Lundquay."),
    # a number, its unit or its scale
    (FERRY, "There were 241 passengers on board."),
    (FERRY, "Thirteen of her crew were injured."),
    (FERRY, "There were 31 passengers and 214 crew on board."),
    (FERRY, "The second engineer, Anselm Roke, 83, has burns to both hands."),
    (FERRY, "The ship was seventeen nautical miles from the harbour entrance."),
    (YARD, "Norrgate Marine will pay 840,000 crowns for the yard."),
    (YARD, "Norrgate Marine will pay 84 million crowns for the yard."),
    (YARD, "Norrgate Marine will pay 840 billion crowns for the yard."),
    (YARD, "All 23,000 jobs are guaranteed until the end of 2030."),
    (YARD, "All 2,300 jobs are guaranteed until the end of 2035."),
    (YARD, "The state will hold 15 per cent of the naval division."),
    (YARD, "The naval division has 140 per cent of the employees."),
    (YARD, "The state will hold 51 million crowns of the naval division."),
    (BANK, "The bank lowered its rate to 3.57 per cent."),
    (BANK, "It was the first reduction in four months."),
    (BANK, "Consumer prices rose by 23 per cent in the year to May."),
    (HASK, "About 1,510 people were driven from their homes."),
    (HASK, "Fewer than 3,000 small tremors were counted since mid-July."),
    (VOTE, "Sandoval-Greve won with 9,812 per cent of the vote."),
    (VOTE, "About 12 million people did not vote."),
    (VOTE, "About 14,000 people did not vote."),
    (VOTE, "The count cost 12 million crowns."),
    (VOTE, "Henrik Aldous came third with 7,655 votes."),
    (BANK, "The bank lowered its key rate by half a percentage point."),
    # a date, weekday or time of day
    (FERRY, "Sorrel Line has withdrawn the Solenne until at least 24 June."),
    (FERRY, "Sorrel Line has withdrawn the Solenne until at least 23 July."),
    (FERRY, "The fire injured three of the crew on Tuesday."),
    (FERRY, "The alarm was raised at 5.52 p.m."),
    (FERRY, "The alarm was raised at 6.52 a.m."),
    (YARD, "The sale was announced on 4 July."),
    (YARD, "Eustace Pemberly has run the yard since 1998."),
    (BANK, "The council next meets on 14 September."),
    (BANK, "The bank lowered its key rate on 19 June 2024."),
    (VOTE, "Osric Pellinor gave up his seat on 18 June."),
    (VOTE, "The Civic Union had held the seat since 1979."),
    # a name
    (FERRY, "The second engineer, Anselm Quill, has burns to both hands."),
    (FERRY, "The second engineer, Ansgar Roke, has burns to both hands."),
    (FERRY, "The captain, Ingrid Falkmoor, spoke to reporters on the quay."),
    (FERRY, "Velmark Line has withdrawn the Solenne until at least 23 June."),
    (YARD, "Norrgate Marine will pay 840 million crowns for the yard in Brackwater."),
    (BANK, "Deputy governors Halvard Quist and Miriam Thorsell voted against it."),
    (HASK, "Interior Minister Amund sent 240 soldiers to help."),
    (VOTE, "Brandt won the by-election with 9,812 votes."),
    # yes and no, up and down
    (FERRY, "The remote valve did answer."),
    (FERRY, "The operator has not withdrawn the Solenne."),
    (FERRY, "The ship was seven nautical miles south-west of the harbour entrance."),
    (YARD, "The jobs are not guaranteed until the end of 2030."),
    (YARD, "The takeover does not need the consent of the competition authority."),
    (BANK, "The central bank raised its key rate to 3.75 per cent."),
    (BANK, "Consumer prices fell by 2.3 per cent in the year to May."),
    (BANK, "Quist and Achterberg voted for the step."),
    (BANK, "Okafor-Lund confirmed that the council had bowed to Prime Minister Dagny Thorsell."),
    (HASK, "Deaths were reported."),
    (HASK, "The ferries are not running."),
    (HASK, "Sorrel's airfield was opened because of the ash."),
    (VOTE, "Ms Sandoval-Greve will join a parliamentary group."),
    (VOTE, "Marit Sandoval-Greve lost Sunday's by-election with 9,812 votes."),
    (VOTE, "People here want a hero, Ms Sandoval-Greve said in the town hall."),
    # a quotation, and who said it
    (FERRY, "“The remote valve did not respond,” Captain Ingrid Vasterholt told reporters."),
    (FERRY, "“The remote valve did not answer,” said Teodor Quill."),
    (FERRY, "According to Grete Falkmoor, “the remote valve did not answer”."),
    (YARD, "“My children are a cellist and a beekeeper,” said Patrick Halloran."),
    (YARD, "Patrick Halloran called the agreement “better than we hoped”."),
    (YARD, "Eustace Pemberly called the agreement “better than we feared”."),
    (BANK, "“We are taking a foot off the brake,” said Halvard Quist."),
    (BANK, "“We are taking both feet off the brake,” the governor told reporters."),
    (VOTE, "“People here don't want a hero,” Mr Aldous said."),
    (HASK, "Emberwick expected the eruption to last “days rather than weeks”."),
    # a clause out of thin air
    (FERRY, "The fire injured three of the crew, because a drunken stoker had ignored repeated warnings."),
    (FERRY, "Two lifeboats took off 168 passengers while local fishermen brought blankets and hot soup."),
    (YARD, "All 2,300 jobs are guaranteed, and wages increase with a generous annual bonus."),
    (BANK, "The bank lowered its key rate after weeks of furious street protests."),
    (HASK, "Mount Hask erupted on Sunday, which geologists blamed on careless drilling nearby."),
    (VOTE, "Henrik Aldous came second, and his angry supporters demanded a full recount."),
    (VOTE, "The mayor of the town plans a new swimming pool."),
]


def caught(passage, claim):
    return check_by_rules(claim, [passage]).verdict != "supported"


@pytest.mark.parametrize(("passage", "claim"), TRUE)
def test_a_true_paraphrase_passes(passage, claim):
    check = check_by_rules(claim, [passage])
    assert check.verdict == "supported", check.reasons


@pytest.mark.parametrize(("passage", "claim"), FALSE)
def test_a_corruption_is_caught_with_a_reason(passage, claim):
    check = check_by_rules(claim, [passage])
    assert check.verdict != "supported"
    assert check.reasons


def test_no_citation_is_no_support():
    check = check_by_rules("It rained.", [])
    assert (check.verdict, check.score, check.reasons) == ("unsupported", 0.0, ("it cites no passage",))


def test_a_whole_sentence_word_for_word_is_supported_whatever_the_quotation_marks():
    check = check_by_rules("“The dyke broke.”", ['It rained. "The dyke broke."'])
    assert (check.verdict, check.score) == ("supported", 1.0)


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("There were 241 passengers on board.", "the cited passage says 214, not 241"),
        ("Sorrel Line has withdrawn the Solenne until 24 June.", "the cited passage says 23 June, not 24 June"),
        ("The alarm was raised at 5.52 p.m.", "the cited passage says 5.52 a.m, not 5.52 p.m"),
        ("Ansgar Roke has burns to both hands.", "the cited passage does not name Ansgar Roke"),
    ],
)
def test_a_reason_names_the_nearest_value_of_the_passage(claim, reason):
    assert reason in check_by_rules(claim, [FERRY]).reasons


def test_two_cited_passages_count_together():
    assert check_by_rules("Mount Hask erupted and the bank lowered its key rate.", [HASK, BANK]).verdict == "supported"


def test_a_day_that_no_calendar_has_ends_in_no_error():
    quote = "The mayor had promised it.\nOn 31 February 2025 nobody came.\nThe bridge stayed shut."
    assert check_by_rules("On 31 February 2025 the whole town came to the bridge.", [quote]).verdict != "supported"
