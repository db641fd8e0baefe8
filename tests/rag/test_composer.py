from datetime import UTC, datetime

from rag.citations import CitationBook
from rag.composer import compose
from rag.evidence import EvidenceSentence
from rag.reader import Reading
from rag.schema import Passage, RetrievedPassage
from rag.spans import AnswerSpan


def sentence(
    text,
    score,
    *,
    story,
    source="Wire",
    day=1,
    start=0,
    passage=None,
    context_start=None,
    context_end=None,
    answer="",
    odds=5.0,
):
    whole = passage or text
    date = datetime(2025, 7, day, tzinfo=UTC)
    found = RetrievedPassage(
        passage=Passage(f"{story}#0", story, "1", 0, 0, len(whole), whole, "Title", source, "", date),
        score=1.0,
        rank=1,
        story_id=story,
    )
    begin = start if context_start is None else context_start
    end = start + len(text)
    place = start + text.index(answer)
    span = AnswerSpan(place, place + len(answer), odds) if answer else None
    return EvidenceSentence(found, start, end, begin, context_end or end, text, score, span)


def composed(question, *sentences):
    book = CitationBook()
    return compose(question, Reading(tuple(sentences), 0.9), book), book.citations


def test_the_best_sentence_leads_and_weak_ones_are_left_out():
    draft, citations = composed(
        "What happened to the ferry?",
        sentence("The ferry burned.", 0.9, story="a"),
        sentence("It was a cold day in town.", 0.1, story="b"),
    )
    assert [claim.text for claim in draft.claims] == ["The ferry burned."]
    assert citations[0].quote == "The ferry burned."


def test_sentences_of_one_article_follow_its_text():
    text = "A fuel line cracked. The engine room burned."
    draft, _ = composed(
        "Why did the ferry burn?",
        sentence("The engine room burned.", 0.9, story="a", start=21, passage=text),
        sentence("A fuel line cracked.", 0.8, story="a", start=0, passage=text),
    )
    assert [claim.text for claim in draft.claims] == ["A fuel line cracked.", "The engine room burned."]


def test_a_sentence_that_leans_on_the_one_before_is_quoted_with_it():
    text = "Rolf Amundry spoke. He resigned on Friday."
    draft, citations = composed(
        "When did Amundry resign?",
        sentence("He resigned on Friday.", 0.9, story="a", start=20, passage=text, context_start=0),
    )
    assert draft.claims[0].text == text
    assert (citations[0].start, citations[0].end) == (0, len(text))


def test_a_sentence_that_leans_on_one_quoted_before_makes_one_claim_with_it():
    text = '"It was neglect," Amundry said. "It will be told." Rain fell.'
    draft, citations = composed(
        "What did Amundry say?",
        sentence('"It was neglect," Amundry said.', 0.9, story="a", passage=text),
        sentence('"It will be told."', 0.8, story="a", start=32, passage=text, context_start=0),
        sentence("Rain fell.", 0.7, story="a", start=51, passage=text),
    )
    said = '"It was neglect," Amundry said. "It will be told."'
    assert [claim.text for claim in draft.claims] == [said, "Rain fell."]
    assert [(citation.number, citation.quote) for citation in citations] == [(1, said), (2, "Rain fell.")]


def test_an_afterthought_is_quoted_with_its_sentence_and_not_twice():
    text = "The paper said he was paid. He was not. It apologised on Monday."
    draft, _ = composed(
        "Was he paid?",
        sentence("The paper said he was paid.", 0.9, story="a", passage=text, context_end=39),
        sentence("He was not.", 0.8, story="a", start=28, passage=text),
    )
    assert [claim.text for claim in draft.claims] == ["The paper said he was paid. He was not."]


def test_outlets_that_differ_on_the_same_day_are_a_conflict():
    draft, _ = composed(
        "How many marchers were there?",
        sentence("About 12,000 marchers came, organisers said.", 0.9, story="a", source="Courier"),
        sentence("Police counted 7,500 marchers.", 0.8, story="b", source="Tribune"),
    )
    (conflict,) = draft.conflicts
    assert [(p.source, p.value) for p in conflict.positions] == [
        ("Courier", "12,000 marchers"),
        ("Tribune", "7,500 marchers"),
    ]
    assert len(draft.claims) == 2


def test_a_later_figure_is_an_update_and_comes_first():
    draft, _ = composed(
        "How many people died in the floods?",
        sentence("Two people died in the floods.", 0.9, story="a", day=3),
        sentence("The floods killed 14 people, who died within a week.", 0.8, story="b", day=14),
    )
    assert draft.conflicts == ()
    assert "14" in draft.claims[0].text
    assert draft.notes == ("Update: Wire first gave Two people, later 14 people; the newest comes first.",)


def test_equal_figures_are_no_conflict():
    draft, _ = composed(
        "How many people died?",
        sentence("Nine people died.", 0.9, story="a"),
        sentence("The 9 people died at sea.", 0.8, story="b"),
    )
    assert draft.conflicts == ()


def test_no_sentences_give_no_claims():
    assert composed("What?")[0].claims == ()


def test_a_later_figure_of_another_outlet_is_told_too():
    draft, _ = composed(
        "How many people died in the floods?",
        sentence("Two people died in the floods.", 0.9, story="a", day=3, source="Courier"),
        sentence("The floods killed 14 people, who died within a week.", 0.8, story="b", day=14),
    )
    assert draft.notes == ("The answer changed over time; the newest report comes first.",)


def test_a_plain_question_gets_its_short_answer_from_the_quote():
    text = "Roke shut the valve. He went back at noon."
    draft, citations = composed(
        "When did Roke go back?",
        sentence("He went back at noon.", 0.9, story="a", start=21, passage=text, context_start=0, answer="at noon"),
    )
    short = draft.short
    assert (short.text, text[short.start : short.end], short.citation) == ("at noon", "at noon", 1)
    assert citations[0].start <= short.start < short.end <= citations[0].end


def test_no_short_answer_where_it_would_mislead():
    text = "A fuel line cracked, and the engine room burned."
    for question, options in (
        ("Why did the ferry burn?", {}),
        ("What happened on the ferry?", {}),
        ("Did the ferry burn?", {}),
        ("What cracked?", {"odds": -1.0}),
    ):
        draft, _ = composed(question, sentence(text, 0.9, story="a", answer="A fuel line", **options))
        assert draft.short is None, question
    whole, _ = composed("What cracked?", sentence("A fuel line.", 0.9, story="a", answer="A fuel line"))
    assert whole.short is None


def test_outlets_that_name_different_people_are_a_conflict():
    draft, _ = composed(
        "Who opened the Selwyn bridge?",
        sentence("The Selwyn bridge was opened by Ana Holt.", 0.9, story="a", source="Courier", answer="Ana Holt"),
        sentence("Ben Rask opened the Selwyn bridge.", 0.8, story="b", source="Tribune", answer="Ben Rask"),
    )
    (conflict,) = draft.conflicts
    assert {(p.source, p.value) for p in conflict.positions} == {("Courier", "Ana Holt"), ("Tribune", "Ben Rask")}
    assert draft.short is None


def test_a_longer_form_of_one_name_is_no_conflict():
    draft, _ = composed(
        "Who opened the Selwyn bridge?",
        sentence("The Selwyn bridge was opened by Ana Holt.", 0.9, story="a", answer="Ana Holt"),
        sentence("Mayor Holt opened the Selwyn bridge.", 0.8, story="b", answer="Mayor Holt"),
    )
    assert draft.conflicts == ()


def test_what_happened_is_told_in_order_of_time():
    draft, _ = composed(
        "What happened to the Selwyn bridge?",
        sentence("Traffic crosses it again.", 0.9, story="b", day=9),
        sentence("The bridge was closed.", 0.8, story="a", day=2),
    )
    assert [claim.text for claim in draft.claims] == ["The bridge was closed.", "Traffic crosses it again."]
