import re

import numpy as np
import pytest

from rag.evidence import candidate_sentences
from rag.features import SENTENCE_FEATURES, sentence_features
from rag.reader import Reading, read, read_sentences, reranked, shipped_model
from rag.retriever import HybridRetriever
from rag.schema import Passage, RetrievedPassage
from rag.span_model import Encoded, shipped_network


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


@pytest.mark.parametrize(
    ("text", "sentence", "quoted"),
    [
        (
            'Roke spoke on Monday. "The valve stuck," he said. "It was old."',
            2,
            '"The valve stuck," he said. "It was old."',
        ),
        ('"It was old." Roke said so twice. Rain fell.', 0, '"It was old." Roke said so twice.'),
        ('"It was old. It stuck," Roke said. Rain fell.', 0, '"It was old. It stuck," Roke said.'),
        ('"It was old," Roke said. Rain fell.', 0, '"It was old," Roke said.'),
        ('Rain fell. "Old valves stick."', 1, '"Old valves stick."'),
    ],
)
def test_a_quotation_comes_with_who_says_it(text, sentence, quoted):
    candidate = candidate_sentences([found(text)])[sentence]
    assert text[candidate.context_start : candidate.context_end] == quoted


class Marked:
    """A network that finds one word wherever it stands, and nothing else."""

    def __init__(self, word):
        self.word = word

    def read(self, triples):
        out = []
        for _, _, passage in triples:
            spans = [match.span() for match in re.finditer(r"\w+", passage)]
            rows = np.full((len(spans) + 1, 3), -4.0)
            rows[0, :2] = 0.0
            for row, (start, end) in enumerate(spans, start=1):
                if passage[start:end] == self.word:
                    rows[row] = 4.0
            out.append((Encoded(np.zeros(len(rows)), np.zeros(len(rows)), 1, np.array(spans)), rows))
        return out


class NoCounts:
    def document_frequencies(self, words):
        return dict.fromkeys(words, 1), 10


def test_spans_are_offsets_into_the_article():
    item = found("Rain fell. Roke ran.", start=100)
    candidates = candidate_sentences([item])
    readings = read_sentences("Who ran?", candidates, Marked("Roke"))
    assert [(r.answer.start, r.answer.end, r.answer.score) for r in readings][1] == (111, 115, 8.0)
    assert readings[0].span < 0 < readings[1].span
    assert readings[1].evidence > readings[0].evidence


def test_stories_that_give_the_same_answer_agree():
    items = [found("Roke ran.", id_="a"), found("It was Roke.", id_="b"), found("Amund stayed.", id_="c")]
    candidates = candidate_sentences(items)
    readings = read_sentences("Who ran?", candidates, Marked("Roke"))
    column = SENTENCE_FEATURES.index("agreement")
    rows = sentence_features("Who ran?", candidates, readings, idf={})
    assert rows[0, column] == rows[1, column] > 0.99
    assert rows[2, column] == 0
    named = sentence_features("Did Roke run?", candidates, readings, idf={})
    assert named[0, column] == 0  # both only repeat the question


def test_the_sentence_with_the_span_leads():
    items = [found("Roke ran.", id_="a"), found("Rain fell.", id_="b")]
    one = read("Who ran?", items, network=Marked("Roke"), counts=NoCounts())
    assert one.sentences[0].text == "Roke ran."
    assert one.sentences[0].answer.start == 0
    assert 0 <= one.confidence <= 1


def test_passages_are_ranked_anew_by_their_likeliest_span():
    items = [
        found("Rain fell.", id_="a", rank=1),
        found("Hail fell.", id_="b", rank=2),
        found("Snow fell. Roke ran.", id_="c", rank=3),
        found("It was 4.", id_="d", rank=4),
    ]
    reading = read("Who ran?", items, network=Marked("Roke"), counts=NoCounts())
    assert [(item.passage.article_id, item.rank) for item in reranked(items, reading)][:3] == [
        ("c", 1),
        ("a", 2),
        ("b", 3),
    ]
    assert [item.rank for item in items] == [1, 2, 3, 4]


def test_passages_without_a_reading_keep_their_order():
    items = [found("Rain fell.", id_="a", rank=1), found("Roke ran.", id_="b", rank=2)]
    nothing = Reading((), 0.0)
    assert reranked(items, nothing) == items
    assert reranked([], nothing) == []


def test_no_passages_give_no_confidence(sample_store):
    reading = read("Who?", [], network=shipped_network(), counts=sample_store.archive.full_text)
    assert (reading.sentences, reading.confidence) == ((), 0.0)


def test_the_sentence_with_the_answer_leads(sample_store):
    retriever = HybridRetriever(sample_store, k=8, candidates=50)
    question = "How many people died in total in the Kestrel floods, by the final count?"
    reading = read(
        question, retriever.retrieve(question), network=shipped_network(), counts=sample_store.archive.full_text
    )
    assert any("ourteen" in sentence.text for sentence in reading.sentences[:3])
    assert [s.score for s in reading.sentences] == sorted((s.score for s in reading.sentences), reverse=True)
    assert reading.confidence > shipped_model().abstain_below


def test_a_question_about_something_else_is_less_sure(sample_store):
    retriever = HybridRetriever(sample_store, k=8, candidates=50)

    def confidence(question):
        passages = retriever.retrieve(question)
        return read(question, passages, network=shipped_network(), counts=sample_store.archive.full_text).confidence

    assert confidence("Who won the men's tennis final in Melbourne?") < confidence(
        "Who is the governor of the Bank of Aldria?"
    )


def test_a_passage_longer_than_the_model_reads_is_no_error(sample_store):
    long = " ".join(f"Sentence number {n} is about rain and wind." for n in range(100))
    reading = read("What is it about?", [found(long)], network=shipped_network(), counts=sample_store.archive.full_text)
    assert len(reading.sentences) == 100
    assert all(np.isfinite(sentence.score) for sentence in reading.sentences)
