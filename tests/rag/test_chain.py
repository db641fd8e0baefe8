import json
from datetime import UTC, datetime

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from rag.answers import answers_adapter
from rag.chain import AnswerChain
from rag.prompts import REFUSAL
from rag.schema import Answer, ClaimShown, Query, Stage, TimeWindow, Turn
from rag.settings import Settings
from rag.store import Store

NOW = datetime(2025, 9, 1, 12, tzinfo=UTC)
FERRY = "How did the engine-room fire on the ferry Solenne start?"


class Scripted(GenericFakeChatModel):
    """Says what it is told, and keeps the prompts."""

    prompts: list = []  # noqa: RUF012  # a pydantic field

    def _generate(self, messages, *args, **kwargs):
        self.prompts.append(messages)
        return super()._generate(messages, *args, **kwargs)


class Broken(GenericFakeChatModel):
    def _generate(self, *args, **kwargs):
        raise ConnectionError("connection refused")


def chain_of(sample_store, *replies, **settings):
    values = {"chat_model": "fake:model" if replies else ""} | settings
    model = Scripted(messages=iter([AIMessage(content=reply) for reply in replies]), prompts=[]) if replies else None
    return AnswerChain(sample_store, Settings(_env_file=None, **values), model)


@pytest.fixture(scope="module")
def chain(sample_store):
    return chain_of(sample_store)


def test_every_shown_quote_is_exact_and_every_claim_is_cited(chain, sample_store):
    answer = chain.invoke(Query(FERRY, now=NOW))
    assert answer.status == "answered"
    assert answer.claims
    for citation in answer.citations:
        text = sample_store.archive.article(citation.article_id, citation.version).text
        assert text[citation.start : citation.end] == citation.quote
    for claim in answer.claims:
        assert claim.verdict == "supported"
        assert all(1 <= number <= len(answer.citations) for number in claim.citations)


def test_it_is_a_runnable_with_invoke_stream_and_batch(chain):
    assert isinstance(chain, Runnable)
    events = list(chain.stream(Query(FERRY, now=NOW)))
    assert [event.name for event in events if isinstance(event, Stage)] == ["understanding", "searching", "reading"]
    assert isinstance(events[-1], Answer)
    assert [e.claim for e in events if isinstance(e, ClaimShown)] == list(events[-1].claims)
    one, two = chain.batch([FERRY, {"question": FERRY, "sources": ["Aldria Wire"]}])
    assert one.question == two.question == FERRY


def test_an_answer_can_be_replayed_and_is_json(chain, sample_store):
    answer = chain.invoke(FERRY)
    assert sample_store.archive.answers.get(answer.id) == answer
    assert json.loads(answers_adapter().dump_json(answer))["id"] == answer.id


def test_it_abstains_with_the_nearest_articles(chain):
    answer = chain.invoke("Which team won the basketball championship in Chicago in 1998?")
    assert answer.status == "abstained"
    assert answer.claims == ()
    assert answer.text.startswith(REFUSAL)
    assert "Nearest articles: “" in answer.text


@pytest.mark.parametrize("question", ["", "  ", "?!", "x" * 3000])
def test_no_question_or_too_long_a_one_is_an_error(chain, question):
    with pytest.raises(ValueError, match=r"empty|characters"):
        chain.invoke(question)


def test_the_readers_own_window_is_kept_even_if_nothing_is_in_it(chain):
    window = TimeWindow(since=datetime(2024, 1, 1, tzinfo=UTC), until=datetime(2024, 2, 1, tzinfo=UTC))
    answer = chain.invoke(Query(FERRY, window=window))
    assert (answer.status, answer.window) == ("abstained", window)


def test_an_inferred_window_without_articles_gives_way_and_says_so(chain):
    answer = chain.invoke(Query("How did the engine-room fire on the ferry Solenne start in March 2024?", now=NOW))
    assert answer.window is None
    assert any("No article was published then" in note for note in answer.notes)


def test_a_follow_up_is_completed_before_the_search(chain):
    turns = (Turn("How strong was the earthquake off the Isle of Sorrel on 12 August?"),)
    answer = chain.invoke(Query("How many people were hurt?", turns=turns, now=NOW))
    assert "earthquake" in answer.search_query
    assert any("quake" in item.passage.text.lower() for item in answer.retrieved[:3])


def test_an_empty_archive_says_what_to_do(tmp_path):
    store = Store.open(Settings(_env_file=None, home=tmp_path))
    answer = AnswerChain(store, Settings(_env_file=None)).invoke("Who?")
    store.close()
    assert answer.status == "abstained"
    assert answer.notes == ("The archive is empty: `pressmark ingest PATH` fills it.",)


# -- with a chat model ---------------------------------------------------------------------------


def supported_sentence(sample_store):
    """A true sentence about the best passage, as a model would write it, and that passage's text."""
    from rag.retriever import HybridRetriever
    from rag.sentences import sentences

    passage = HybridRetriever(sample_store, k=8, candidates=50).retrieve(FERRY)[0].passage
    return sentences(passage.text)[0]


def test_a_true_sentence_is_shown_with_an_exact_quote(sample_store):
    true = supported_sentence(sample_store)
    answer = chain_of(sample_store, f"{true} [1]").invoke(FERRY)
    assert answer.claims[0].text == true
    assert answer.citations[0].quote == true
    assert (answer.status, answer.model) == ("answered", "fake:model")


def test_the_sentence_that_most_likely_answers_is_added_if_the_model_left_it_out(sample_store, chain):
    best = chain.invoke(Query(FERRY, now=NOW)).claims[0]
    beside = supported_sentence(sample_store)
    assert best.text != beside
    answer = chain_of(sample_store, f"{beside} [1]").invoke(FERRY)
    assert [claim.text for claim in answer.claims][:2] == [beside, best.text]
    assert any("Added: the evidence" in note for note in answer.notes)
    found = chain_of(sample_store, f"{best.text} [1]").invoke(FERRY)
    assert [claim.text for claim in found.claims] == [best.text]


def test_a_lie_is_withheld_counted_and_kept_for_audit(sample_store):
    true = supported_sentence(sample_store)
    lie = "The fire killed 4,321 passengers from Brazil."
    answer = chain_of(sample_store, f"{true} [1] {lie} [1]").invoke(FERRY)
    assert lie not in answer.text
    assert lie in answer.raw_text
    assert answer.status == "partial"
    assert any("1 sentence withheld" in note for note in answer.notes)


def test_a_sentence_without_or_with_an_invented_citation_gets_the_right_one(sample_store):
    true = supported_sentence(sample_store)
    answer = chain_of(sample_store, f"{true} [99]").invoke(FERRY)
    assert answer.citations[0].quote == true
    assert any("[99] names no passage" in reason for reason in answer.claims[0].reasons)


def test_lenient_shows_the_lie_marked(sample_store):
    answer = chain_of(sample_store, "The fire killed 4,321 passengers. [1]", lenient=True).invoke(FERRY)
    assert answer.claims[0].verdict == "unsupported"
    assert answer.status == "partial"


def test_if_nothing_survives_the_readers_evidence_is_shown_and_said_so(sample_store):
    answer = chain_of(sample_store, "The fire killed 4,321 passengers from Brazil. [1]").invoke(FERRY)
    assert answer.claims
    assert all("4,321" not in claim.text for claim in answer.claims)
    assert any("built-in reader" in note for note in answer.notes)


def test_a_refusal_of_the_model_is_an_abstention(sample_store):
    answer = chain_of(sample_store, REFUSAL).invoke(FERRY)
    assert answer.status == "abstained"


def test_a_model_that_fails_leaves_the_readers_evidence_and_a_note(sample_store):
    broken = Broken(messages=iter([]))
    answer = AnswerChain(sample_store, Settings(_env_file=None, chat_model="fake:model"), broken).invoke(FERRY)
    assert answer.claims
    assert any("connection refused" in note for note in answer.notes)


def test_the_prompt_numbers_passages_with_outlet_and_date(sample_store):
    chain = chain_of(sample_store, REFUSAL)
    chain.invoke(FERRY)
    prompt = chain._model.prompts[0][-1].text
    assert '<passage number="1" outlet="Aldria Wire" date="12 June 2025">' in prompt
    assert prompt.endswith(f"Question: {FERRY}")


def test_a_window_that_was_set_and_holds_nothing_says_what_is_nearest_outside(chain):
    window = TimeWindow(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    answer = chain.invoke(Query(FERRY, window=window))
    assert (answer.status, answer.window, answer.retrieved) == ("abstained", window, ())
    (note,) = answer.notes
    assert note.startswith("No article was published then. Nearest at other times: “")
    assert "errie" in note or "erry" in note


def test_a_model_that_goes_in_circles_is_shown_once(sample_store):
    true = supported_sentence(sample_store)
    answer = chain_of(sample_store, f"{true} [1] {true} [1] {true} [2]").invoke(FERRY)
    assert [claim.text for claim in answer.claims].count(true) == 1
