import pytest

from rag.dialogue import is_follow_up, standalone_question
from rag.schema import Turn

FERRY = Turn("How many crew were on board the ferry Solenne?", "There were 31.")
FLOODS = Turn("How many houses did the Kestrel flood in Brackwater?", "Some 1,900.")

FOLLOW_UPS = [
    "And when did he step down?",
    "And how many schoolchildren from Wexcombe were taken off her?",
    "But why?",
    "Why?",
    "Why not?",
    "When?",
    "Where?",
    "How come?",
    "How many?",
    "What about the passengers?",
    "How about Brackwater?",
    "And in Wexcombe?",
    "Who else was hurt?",
    "What else did the captain say?",
    "Who was the soloist?",
    "How many people were hurt?",
    "Where was he to be buried?",
    "What were their reasons for voting against it?",
    "Why did the coach before him leave?",
    "Was it insured?",
    "And was the operator, Sorrel Line, fined for it?",
    "How many coins is that?",
    "Was that legal?",
    "Who said that?",
    "Is this true?",
    "What did these people want?",
    "How many of them have to do it again?",
    "What happened there?",
    "What did the latter say?",
    "Does she live in Karsk?",
    "Why did the prosecutor drop the case against her?",
    "Who is her lawyer?",
    "What is its name?",
    "Then what happened?",
]
STANDALONE = [
    "How strong was the earthquake off the Isle of Sorrel?",
    "Why did Meridian zoo send its two snow leopards back to Karsk?",
    "Why had the strengthening of the Tanner's Meadow dyke been postponed before the floods?",
    "Who was the engineer who shut off the fuel by hand during the fire?",
    "Which company won the contract that the harbour board gave out?",
    "Is it true that the Bank of Aldria cut its rate?",
    "How long does it take to rebuild the dyke in Brackwater?",
    "Was there a by-election in Brackwater?",
    "Who gave up his post as head of investigations at the Meridian Post?",
    "How many of its loudspeakers on the Velmark border has Aldria taken down so far?",
    "Will children with diabetes be allowed to hold on to their phones at school?",
    "How many people have put their names to the petition about barge loading at Tanner's Quay?",
    "How big was the crowd at this year's Aldrian Cup final?",
    "How many islanders have had to leave their homes because of Mount Hask?",
    "Who first noticed that the maths paper for the exam had got out, and reported it?",
    "What did Ines Halloran say about her chief of staff?",
    "How many of those who fled Askerby have returned?",
    "What killed the fish on Wexcombe's beach, and does everyone who wrote about it say the same?",
    "Why are fish prices rising this summer?",
    "Why were so few children in Port Selwyn vaccinated against measles, in the view of the health office?",
    "Which one of the three suspects was released from Stonegate prison?",
]


@pytest.mark.parametrize("question", FOLLOW_UPS)
def test_a_question_that_leans_on_the_last_gets_its_topic(question):
    assert is_follow_up(question)
    result = standalone_question(question, [FERRY])
    assert result != question
    assert "ferry Solenne" in result


@pytest.mark.parametrize("question", STANDALONE)
def test_a_question_that_stands_alone_is_not_touched(question):
    assert standalone_question(question, [FERRY, FLOODS]) == question


def test_without_history_nothing_is_changed():
    assert standalone_question("And why?", []) == "And why?"


def test_the_leading_conjunction_goes_and_the_topic_follows_in_brackets():
    assert standalone_question("And why did he leave?", [FLOODS]) == (
        "Why did he leave? (How many houses did the Kestrel flood in Brackwater)"
    )


def test_what_about_a_name_repeats_the_question_for_that_name():
    assert standalone_question("And what about Wexcombe?", [FLOODS]) == (
        "How many houses did the Kestrel flood in Brackwater? (Wexcombe)"
    )


def test_the_topic_is_the_last_question_that_names_one():
    turns = [FERRY, FLOODS, Turn("And who paid for it?")]
    assert standalone_question("Why?", turns).endswith("(How many houses did the Kestrel flood in Brackwater)")


def test_a_history_of_follow_ups_gives_the_oldest():
    assert standalone_question("Why?", [Turn("Was it cold?"), Turn("And now?")]) == "Why? (Was it cold)"


def test_an_empty_history_question_adds_no_empty_brackets():
    assert standalone_question("Why?", [Turn("")]) == "Why?"


class Rewriter:
    def __init__(self, reply):
        self.reply, self.asked = reply, 0

    def invoke(self, prompt):
        self.asked += 1
        return type("Message", (), {"text": self.reply})()


def test_the_model_rewrites_a_follow_up():
    model = Rewriter("Why did the Kestrel flood Brackwater?")
    assert standalone_question("Why?", [FLOODS], model) == "Why did the Kestrel flood Brackwater?"


def test_the_model_is_not_asked_about_a_question_that_stands_alone():
    model = Rewriter("no")
    assert standalone_question(STANDALONE[0], [FLOODS], model) == STANDALONE[0]
    assert model.asked == 0


@pytest.mark.parametrize("reply", ["", "Sure!\nWhy did it flood?", "x" * 500])
def test_a_reply_that_is_no_question_is_replaced_by_the_rules(reply):
    assert standalone_question("Why?", [FLOODS], Rewriter(reply)) == (
        "Why? (How many houses did the Kestrel flood in Brackwater)"
    )
