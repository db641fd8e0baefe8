import numpy as np
import pytest

from rag.evidence import candidate_sentences
from rag.reader import read, shipped_model
from rag.retriever import HybridRetriever
from rag.schema import Passage, RetrievedPassage


def found(text, id_="a", start=0, rank=1):
    passage = Passage(f"{id_}#{start}", id_, "1", 0, start, start + len(text), text, "Ferry fire")
    return RetrievedPassage(passage=passage, score=1.0, rank=rank, similarity=0.5, story_id=id_)


def test_sentences_of_overlapping_passages_are_read_once():
    candidates = candidate_sentences([found("One ran. Two hid.", start=0), found("Two hid. Three lay.", start=9)])
    assert [(c.text, c.start, c.end) for c in candidates] == [
        ("One ran.", 0, 8),
        ("Two hid.", 9, 17),
        ("Three lay.", 18, 28),
    ]


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("Roke ran back. He shut the valve.", 0),
        ("Roke ran back. “So he shut the valve,” Vasterholt said.", 0),
        ("Roke ran back. Vasterholt praised him.", 15),
        ("Roke ran back. The crew shut the valve.", 15),
    ],
)
def test_a_sentence_with_a_pronoun_before_any_name_takes_the_one_before_along(text, context):
    assert candidate_sentences([found(text)])[1].context_start == context


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("The paper said he was paid. He was not.", 39),
        ("The paper said he was paid. He was not, as a long inquiry found in June.", 27),
        ("The paper said he was paid.\n\nHe was not.", 27),
        ("The paper said he was paid. Rain fell.", 27),
    ],
)
def test_a_short_afterthought_goes_with_the_sentence_it_may_turn_round(text, end):
    assert candidate_sentences([found(text)])[0].context_end == end


def test_no_passages_give_no_confidence(sample_store):
    reading = read("Who?", [], embedder=sample_store.embeddings, counts=sample_store.archive)
    assert (reading.sentences, reading.confidence) == ((), 0.0)


def test_the_sentence_with_the_answer_leads(sample_store):
    retriever = HybridRetriever(sample_store, k=8, candidates=50)
    question = "How many people died in total in the Kestrel floods, by the final count?"
    reading = read(
        question, retriever.retrieve(question), embedder=sample_store.embeddings, counts=sample_store.archive
    )
    assert any("ourteen" in sentence.text for sentence in reading.sentences[:3])
    assert [s.score for s in reading.sentences] == sorted((s.score for s in reading.sentences), reverse=True)
    assert reading.confidence > shipped_model().abstain_below


def test_a_question_about_something_else_is_less_sure(sample_store):
    retriever = HybridRetriever(sample_store, k=8, candidates=50)

    def confidence(question):
        passages = retriever.retrieve(question)
        return read(question, passages, embedder=sample_store.embeddings, counts=sample_store.archive).confidence

    assert confidence("Who won the men's tennis final in Melbourne?") < confidence(
        "Who is the governor of the Bank of Aldria?"
    )


def test_a_passage_longer_than_the_model_reads_is_no_error(sample_store):
    long = " ".join(f"Sentence number {n} is about rain and wind." for n in range(100))
    reading = read("What is it about?", [found(long)], embedder=sample_store.embeddings, counts=sample_store.archive)
    assert len(reading.sentences) == 100
    assert all(np.isfinite(sentence.score) for sentence in reading.sentences)
