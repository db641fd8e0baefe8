"""Tiny files in each public layout, written for these tests."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import pytest

from eval.adapters import (
    FORMS,
    RetrievalQuestion,
    adapt,
    graded_ndcg_at_k,
    graded_rankings,
    judge_cases,
    load_retrieval,
    retrieval_questions,
    write_adapted,
)
from eval.datasets import Evidence, check_quotes, load_questions
from ingest.loaders import load
from ingest.loaders.source import Source
from rag.errors import DatasetError


@pytest.fixture
def lines(tmp_path):
    def write(name, *records, end="\n"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = end.join(x if isinstance(x, str) else json.dumps(x) for x in records)
        path.write_bytes(text.encode())
        return path

    return write


def only(items):
    (item,) = items
    return item


def quotes(question):
    return [item.quote for item in question.evidence]


# -- what all forms share ------------------------------------------------------------------------


def test_unknown_forms_and_splits_are_told(tmp_path):
    with pytest.raises(DatasetError, match=r"no form 'squid'.*choose alce, beir, multihop-rag"):
        adapt("squid", tmp_path)
    with pytest.raises(DatasetError, match="no split 'train'"):
        adapt("squad", tmp_path, split="train")


@pytest.mark.parametrize("form", FORMS)
def test_a_missing_file_is_told(form, tmp_path):
    with pytest.raises(DatasetError, match="none"):
        adapt(form, tmp_path / "none" / "none.json")


# -- SQuAD ---------------------------------------------------------------------------------------

FERRY = "Nine people died. The ferry burned for hours.  It had left Port Selwyn at noon."


def answer(text, context=FERRY):
    return {"text": text, "answer_start": context.index(text)}


def asked(id_, question, *answers, **more):
    return {"id": id_, "question": question, "answers": list(answers), **more}


@pytest.fixture
def squad(lines):
    def write(*qas, context=FERRY, title="Port_Selwyn%21"):
        paragraphs = [{"context": context, "qas": list(qas)}]
        return lines("squad.json", {"version": "v2.0", "data": [{"title": title, "paragraphs": paragraphs}]})

    return write


def test_a_paragraph_is_an_article_and_the_sentence_of_the_answer_is_evidence(squad):
    found = adapt("squad", squad(asked("q1", "Where had it left?", answer("Port Selwyn"))), split="test")
    article = only(found.articles)
    assert (article.title, article.url, article.source, article.published_at) == ("Port Selwyn!", "", "", None)
    assert article.text == FERRY.replace("  ", " ")
    question = only(found.questions)
    assert question.answers == (("Port Selwyn",),)
    assert question.evidence == (Evidence(article.id, "It had left Port Selwyn at noon."),)
    assert (question.id, question.tags, question.split, found.remarks) == ("q1", ("where",), "test", ())


def test_answers_of_all_annotators_are_aliases_and_each_sentence_they_stand_in_is_quoted(squad):
    path = squad(asked("q1", "How bad?", answer("Nine people"), answer("burned for hours"), answer("Nine people")))
    question = only(adapt("squad", path).questions)
    assert question.answers == (("Nine people", "burned for hours"),)
    assert quotes(question) == ["Nine people died.", "The ferry burned for hours."]


def test_an_answer_at_the_very_start_and_at_the_very_end(squad):
    path = squad(asked("a", "How many?", answer("Nine")), asked("b", "When?", answer("noon.")))
    first, last = adapt("squad", path).questions
    assert (first.answers, quotes(first)) == ((("Nine",),), ["Nine people died."])
    assert (last.answers, quotes(last)) == ((("noon.",),), ["It had left Port Selwyn at noon."])


def test_an_answer_over_two_sentences_is_quoted_with_both(squad):
    question = only(adapt("squad", squad(asked("q1", "What?", answer("hours.  It had left")))).questions)
    assert question.answers == (("hours. It had left",),)
    assert quotes(question) == ["The ferry burned for hours. It had left Port Selwyn at noon."]


def test_places_are_followed_into_the_archives_form_of_the_text(squad):
    context = "\ufeffThe cafe\u0301\u200b  was\tfull. \r\n\r\nThe cafe\u0301 was empty."
    item = asked("q1", "What was empty?", {"text": "cafe\u0301 was", "answer_start": context.rindex("cafe")})
    found = adapt("squad", squad(item, context=context))
    assert only(found.articles).text == "The café was full.\n\nThe café was empty."
    assert only(found.questions).answers == (("café was",),)
    assert quotes(only(found.questions)) == ["The café was empty."]


def test_a_part_of_a_word_counts_with_its_word_too(squad):
    context = "It is a German-speaking town."
    found = adapt("squad", squad(asked("q1", "What is spoken?", answer("German", context)), context=context))
    assert only(found.questions).answers == (("German", "German-speaking"),)
    assert found.remarks == ("questions whose answers are parts of words; the whole words count too: 1",)


def test_an_answer_without_a_word_is_left_out(squad):
    context = "Ten - or more - died."
    path = squad(
        asked("a", "What?", answer("-", context)), asked("b", "How many?", answer("Ten", context)), context=context
    )
    found = adapt("squad", path)
    assert [question.id for question in found.questions] == ["b"]
    assert "neither letter nor figure: 1" in only(found.remarks)


def test_unanswerable_questions_have_neither_answers_nor_evidence(squad):
    plausible = {"plausible_answers": [answer("noon")]}
    found = adapt("squad", squad(asked("q1", "When did it dock?", is_impossible=True, **plausible)))
    question = only(found.questions)
    assert (question.answerable, question.answers, question.evidence) == (False, (), ())
    assert "own paragraph" in only(found.remarks)


def test_the_same_paragraph_twice_is_one_article_with_the_same_id_in_any_file(lines):
    paragraph = {"context": FERRY, "qas": [asked("a", "How many?", answer("Nine"))]}
    again = {"context": FERRY, "qas": [asked("b", "When?", answer("noon"))]}
    other = {"context": "Rain fell.", "qas": [asked("c", "What fell?", answer("Rain", "Rain fell."))]}
    data = [{"title": "Ferry", "paragraphs": [other, paragraph, again]}]
    both = adapt("squad", lines("one.json", {"data": data}))
    alone = adapt("squad", lines("two.json", {"data": [{"title": "Ferry", "paragraphs": [paragraph]}]}))
    assert len(both.articles) == 2
    assert only(alone.articles).id == both.articles[1].id == both.questions[2].evidence[0].article_id


def test_every_bad_place_of_a_squad_file_is_named(lines):
    good = asked("a", "How many?", answer("Nine"))
    qas = [
        good,
        good,
        asked("c", "What?", {"text": "Nine", "answer_start": 3}),
        asked("d", "What?"),
        asked("e", "What?", answer("Nine"), is_impossible=True),
    ]
    broken = {"context": FERRY, "qas": [{"id": "f", "answers": []}]}
    data = [{"paragraphs": [{"context": FERRY, "qas": qas}, broken]}, {"title": "x"}]
    with pytest.raises(DatasetError, match="6 bad places") as caught:
        adapt("squad", lines("squad.json", {"data": data}))
    for part in (
        "document 1 paragraph 1 question 2: the id 'a' is already on document 1 paragraph 1 question 1",
        "question 3: answer_start 3 does not point at 'Nine'",
        "question 4: has no answers and is not marked is_impossible",
        "question 5: is marked is_impossible and has answers",
        "document 1 paragraph 2: qas.0.question: Field required",
        "document 2: paragraphs: Field required",
    ):
        assert part in str(caught.value)


def test_at_most_twenty_bad_places_are_shown(squad):
    with pytest.raises(DatasetError) as caught:
        adapt("squad", squad(*[asked(str(n), "What?") for n in range(25)]))
    assert str(caught.value).count(" question ") == 20
    assert "and 5 more" in str(caught.value)


def test_another_layout_and_other_text_are_told(lines):
    with pytest.raises(DatasetError, match="not in SQuAD's layout"):
        adapt("squad", lines("a.json", ["x"]))
    with pytest.raises(DatasetError, match="is not JSON"):
        adapt("squad", lines("b.json", '{"data": ['))


# -- files for ingest and eval -------------------------------------------------------------------


def test_written_files_are_read_back_as_they_were(squad, tmp_path):
    # The second paragraph looks like a page's furniture, which ingest drops from a page: it must stay.
    context = "Nine “people” died.\n\nShare this article\n\nAdvertisement"
    found = adapt(
        "squad",
        squad(
            asked("a", "How many?", answer("Nine", context)),
            asked("b", "When?", is_impossible=True),
            asked("c", "Share what?", answer("this article", context)),
            context=context,
        ),
    )
    write_adapted(found, tmp_path / "new" / "q.jsonl", tmp_path / "a.jsonl")
    questions = load_questions(tmp_path / "new" / "q.jsonl")
    articles = list(load(Source(tmp_path / "a.jsonl", "a.jsonl")))
    assert tuple(questions) == found.questions
    assert tuple(articles) == found.articles
    assert check_quotes(questions, {article.id: article.text for article in articles}) == []


def test_articles_need_an_ending_that_ingest_reads(squad, tmp_path):
    found = adapt("squad", squad(asked("a", "How many?", answer("Nine"))))
    with pytest.raises(DatasetError, match=r"end its name in \.jsonl"):
        write_adapted(found, tmp_path / "q.jsonl", tmp_path / "articles.txt")
    with pytest.raises(DatasetError, match="cannot be written"):
        write_adapted(found, tmp_path, tmp_path / "a.jsonl")


# -- MultiHop-RAG --------------------------------------------------------------------------------

CORPUS = [
    {
        "title": "Ferry burns",
        "author": "Ana Bell",
        "source": "The Herald",
        "published_at": "2023-10-05T22:01:35+00:00",
        "category": "news",
        "url": "https://herald.example/ferry?utm_source=rss",
        "body": "A ferry burned. The chief knew.\n\nNine people died.",
    },
    {
        "title": "Line fined",
        "author": None,
        "source": "The Post",
        "published_at": "2023-11-01T00:00:00+00:00",
        "category": "business",
        "url": "https://post.example/fine",
        "body": "Sorrel Line was fined.",
    },
]
HERALD, POST = (article["url"] for article in CORPUS)


def hop(query, answer, kind, *facts):
    evidence = [{"fact": fact, "url": url, "title": "-", "source": "-"} for fact, url in facts]
    return {"query": query, "answer": answer, "question_type": f"{kind}_query", "evidence_list": evidence}


@pytest.fixture
def multihop(lines):
    def write(*queries):
        lines("corpus.json", json.dumps(CORPUS))
        return lines("MultiHopRAG.json", json.dumps(queries))

    return write


def test_facts_become_quotes_as_their_article_writes_them(multihop):
    facts = [("The chief knew. Nine people died.", HERALD), ("Sorrel Line was fined.", POST)]
    found = adapt("multihop-rag", multihop(hop("Which company was fined?", "Sorrel Line", "inference", *facts)))
    herald, post = found.articles
    assert (herald.title, herald.source, herald.authors, herald.section) == (
        "Ferry burns",
        "The Herald",
        ("Ana Bell",),
        "news",
    )
    assert herald.published_at == datetime(2023, 10, 5, 22, 1, 35, tzinfo=UTC)
    assert herald.url == HERALD
    question = only(found.questions)
    assert question.evidence == (
        Evidence(herald.id, "The chief knew.\n\nNine people died."),
        Evidence(post.id, "Sorrel Line was fined."),
    )
    assert (question.id, question.answers) == ("multihop-1", (("Sorrel Line",),))
    assert question.tags == ("who", "inference")


def test_articles_have_the_ids_that_ingest_gives_the_corpus(multihop, tmp_path):
    found = adapt("multihop-rag", multihop(hop("Who?", "Sorrel Line", "inference", ("A ferry burned.", HERALD))))
    read = list(load(Source(tmp_path / "corpus.json", "corpus.json")))
    assert [article.id for article in read] == [article.id for article in found.articles]


def test_kinds_of_questions_are_tagged_and_null_ones_are_unanswerable(multihop):
    fact = ("Nine people died.", HERALD)
    queries = [
        hop("Do both say so?", "no", "comparison", fact),
        hop("Was the report consistent or not?", "Consistent", "temporal", fact),
        hop("How many died, in both?", "Nine", "comparison", fact),
        hop("Who won?", "Insufficient information.", "null"),
    ]
    questions = adapt("multihop-rag", multihop(*queries).parent).questions
    assert [question.tags for question in questions] == [
        ("yes-no", "comparison"),
        ("yes-no", "temporal"),
        ("number", "comparison"),
        ("who", "null"),
    ]
    assert [question.answers for question in questions] == [(("no",),), (("Consistent",),), (("Nine",),), ()]
    assert [question.answerable for question in questions] == [True, True, True, False]


def test_yes_is_written_one_way(multihop):
    fact = ("Nine people died.", HERALD)
    question = only(adapt("multihop-rag", multihop(hop("Did they?", "Yes", "temporal", fact))).questions)
    assert question.answers == (("yes",),)


def test_what_cannot_be_quoted_is_counted(multihop):
    queries = [
        hop("Who?", "Lee", "inference", ("Ten people died.", HERALD), ("A ferry burned.", HERALD)),
        hop("Who?", "Lee", "inference", ("A ferry burned.", "https://other.example/x")),
    ]
    found = adapt("multihop-rag", multihop(*queries))
    assert quotes(only(found.questions)) == ["A ferry burned."]
    assert found.remarks == (
        "facts left out, as their article does not say them word for word: 1",
        "facts left out, as their article is not in the corpus: 1",
        "questions left out, as none of their facts could be quoted: 1",
        "questions of which no quote holds the answer in so many words: 1",
    )


def test_of_two_articles_with_one_address_the_first_stays(multihop, lines):
    path = multihop(hop("Who?", "Nine", "inference", ("Nine people died.", HERALD)))
    lines("corpus.json", json.dumps([*CORPUS, CORPUS[0] | {"body": "Ten people died."}]))
    found = adapt("multihop-rag", path)
    assert [article.title for article in found.articles] == ["Ferry burns", "Line fined"]
    assert found.remarks == ("articles left out, as an earlier one has their address: 1",)


def test_our_cut_as_json_lines_is_read_too(lines):
    lines("cut_articles.jsonl", {"url": HERALD, "title": "Ferry", "text": "A ferry burned."})
    record = {"id": "7", "question": "What burned?", "type": "inference_query", "answer": "A ferry"}
    path = lines("cut_questions.jsonl", record | {"facts": ["A ferry burned."], "urls": [HERALD]})
    question = only(adapt("multihop-rag", path).questions)
    assert (question.id, quotes(question)) == ("multihop-7", ["A ferry burned."])


def test_bad_records_of_multihop_are_named(multihop, lines):
    broken = hop("Who?", "Lee", "inference", ("A ferry burned.", HERALD))
    del broken["answer"]
    queries = [broken, hop("Who?", "Lee", "bridge"), hop("Who?", "Lee", "inference"), "x"]
    with pytest.raises(DatasetError, match="4 bad places") as caught:
        adapt("multihop-rag", multihop(*queries))
    for part in (
        "record 1: answer: Field required",
        "record 2: question_type: Input should be",
        "record 3: evidence_list is missing or empty",
        "record 4: Input should be",
    ):
        assert part in str(caught.value)
    lines("corpus.json", json.dumps([{"title": "no body", "url": HERALD}, CORPUS[0]]))
    with pytest.raises(DatasetError, match="record 1: text: is empty"):
        adapt("multihop-rag", lines("MultiHopRAG.json", "[]"))


def test_a_missing_corpus_is_told(lines):
    with pytest.raises(DatasetError, match=r"put corpus\.json into its folder"):
        adapt("multihop-rag", lines("MultiHopRAG.json", "[]"))


def test_for_the_search_all_articles_of_evidence_are_relevant(multihop):
    facts = [("A ferry burned.", HERALD), ("Nine people died.", HERALD), ("Sorrel Line was fined.", POST)]
    found = adapt("multihop-rag", multihop(hop("Who?", "Lee", "inference", *facts), hop("Who?", "-", "null")))
    question = only(retrieval_questions(found.questions))
    assert question.relevant == {article.id: 1 for article in found.articles}
    assert "all of them are needed" in found.remarks[0]


# -- BEIR ----------------------------------------------------------------------------------------


@pytest.fixture
def beir(lines):
    def write(*qrels, corpus=(), queries=()):
        documents = [
            {"_id": "d1", "title": "Ferries", "text": "A ferry burned.", "metadata": {}},
            {"_id": "d2", "title": "", "text": "It rained on the coast. All day."},
            {"_id": "d3", "title": "Only a title", "text": ""},
        ]
        lines("set/corpus.jsonl", *documents, *corpus)
        lines("set/queries.jsonl", {"_id": "q1", "text": "What  burned?"}, {"_id": "q2", "text": "Rain?"}, *queries)
        return lines("set/qrels/test.tsv", "query-id\tcorpus-id\tscore", *qrels).parent.parent

    return write


def test_judgements_become_questions_for_the_search(beir):
    found = adapt("beir", beir("q1\td1\t2", "q1\td2\t1", "q1\td3\t0", "q2\td2\t1", "q2\tgone\t1"), split="test")
    assert found.questions == ()
    assert found.retrieval == (
        RetrievalQuestion("q1", "What burned?", {"d1": 2, "d2": 1}, (), "test"),
        RetrievalQuestion("q2", "Rain?", {"d2": 1, "gone": 1}, (), "test"),
    )
    assert [(article.id, article.title, article.text) for article in found.articles] == [
        ("d1", "Ferries", "A ferry burned."),
        ("d2", "It rained on the coast", "It rained on the coast. All day."),
        ("d3", "Only a title", "Only a title"),
    ]
    assert found.remarks == ("relevant documents that are not in the corpus; they count as not found: 1",)


def test_another_file_of_judgements_can_be_named(beir, lines):
    beir("q1\td1\t1")
    found = adapt("beir", lines("set/qrels/dev.tsv", "query-id\tcorpus-id\tscore", "q2\td2\t1", end="\r\n"))
    assert only(found.retrieval).id == "q2"


def test_a_question_that_is_a_document_is_taken_out_of_its_own_result(beir):
    folder = beir("d1\td2\t1", "d1\td1\t1", queries=[{"_id": "d1", "text": "A ferry burned."}])
    question = only(adapt("beir", folder).retrieval)
    assert (question.relevant, question.ignored) == ({"d2": 1}, ("d1",))
    assert graded_rankings([question], lambda _: ["d1", "d2"])[0].ranked == ("d2",)


def test_questions_without_a_relevant_document_and_empty_documents_are_counted(beir):
    found = adapt("beir", beir("q1\td1\t-1", "q2\td2\t1", corpus=[{"_id": "d4", "title": None, "text": " "}]))
    assert found.remarks == (
        "documents left out, as they have neither title nor text: 1",
        "questions left out, as no document is relevant to them: 1",
    )


def test_bad_lines_of_beir_are_named(beir):
    with pytest.raises(DatasetError, match="3 bad places") as caught:
        adapt("beir", beir("q1\td1", "q9\td1\t1", "q1\td1\t0.5"))
    for part in ("line 2: needs query-id", "line 3: the query 'q9' is not in", "line 4: needs query-id"):
        assert part in str(caught.value)
    with pytest.raises(DatasetError, match=r"line 4: _id: Field required\n.*line 5: the id 'd1' is already on line 1"):
        adapt("beir", beir("q1\td1\t1", corpus=[{"text": "x"}, {"_id": "d1", "text": "x"}]))


def test_missing_judgements_are_told_with_those_there_are(beir):
    folder = beir("q1\td1\t1")
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "dev.tsv")
    with pytest.raises(DatasetError, match=r"one of its qrels \(dev\.tsv\)"):
        adapt("beir", folder)


def test_questions_for_the_search_are_written_and_read_back(beir, tmp_path):
    found = adapt("beir", beir("q1\td1\t2", "q2\td2\t1"))
    write_adapted(found, tmp_path / "q.jsonl", tmp_path / "a.jsonl")
    assert tuple(load_retrieval(tmp_path / "q.jsonl", split="dev")) == found.retrieval
    assert tuple(load(Source(tmp_path / "a.jsonl", "a.jsonl"))) == found.articles
    with pytest.raises(DatasetError, match="no question of the split 'test'"):
        load_retrieval(tmp_path / "q.jsonl", split="test")


def test_bad_questions_for_the_search_are_named(lines):
    good = {"id": "a", "question": "x?", "relevant": {"d": 1}, "split": "dev"}
    path = lines("q.jsonl", good, good, good | {"id": "b", "relevant": {}}, good | {"id": "c", "relevant": {"d": 0}})
    with pytest.raises(DatasetError, match="3 bad places") as caught:
        load_retrieval(path)
    for part in ("line 2: the id 'a'", "line 3: relevant: ", "line 4: relevant.d: "):
        assert part in str(caught.value)


def test_an_article_counts_once_at_its_best_place():
    question = RetrievalQuestion("q", "x?", {"a": 1}, (), "dev")
    assert only(graded_rankings([question], lambda _: ["b", "a", "b", "a"])).ranked == ("b", "a")


def test_graded_ndcg_by_hand():
    question = RetrievalQuestion("q", "x?", {"a": 2, "b": 1, "c": 1}, (), "dev")
    ranking = only(graded_rankings([question], lambda _: ["b", "x", "a"]))
    ideal = 2 + 1 / math.log2(3) + 1 / 2
    assert graded_ndcg_at_k(ranking, k=10) == pytest.approx((1 + 2 / 2) / ideal)
    assert graded_ndcg_at_k(ranking, k=1) == pytest.approx(1 / 2)
    assert graded_ndcg_at_k(only(graded_rankings([question], lambda _: [])), k=3) == 0
    assert graded_ndcg_at_k(only(graded_rankings([question], lambda _: "abc")), k=3) == 1
    with pytest.raises(ValueError, match="k is 0"):
        graded_ndcg_at_k(ranking, k=0)


# -- RealTime QA ---------------------------------------------------------------------------------

QUIZ = {
    "question_id": "20220617_0",
    "question_date": "2022/06/16",
    "question_source": "CNN",
    "question_url": "https://quiz.example/june-16",
    "question_sentence": "What comes back?",
    "choices": ["“Friends”", "“Squid Game”"],
    "answer": ["1"],
    "evidence": 'Netflix said “<a href="https://news.example/squid">Squid Game</a>” is coming back. It is popular.',
}
STORY = {"url": "https://news.example/squid#top", "text": "It is official.\n\nSquid Game is back.", "authors": ["Al"]}


def results(*texts, id_="20220617_0"):
    return {"question_id": id_, "search_time": "2022/06/17/16:34", "search_result": list(texts)}


def test_a_quiz_alone_is_asked_on_its_day_over_its_own_explanation(lines):
    found = adapt("realtimeqa", lines("20220617_qa.jsonl", QUIZ))
    question, article = only(found.questions), only(found.articles)
    assert question.question == "What comes back?"
    assert question.now == datetime(2022, 6, 16, 23, 59, 59, tzinfo=UTC)
    assert question.answers == (("“Squid Game”",),)
    assert question.evidence == (Evidence("realtimeqa-20220617_0", "Netflix said “Squid Game” is coming back."),)
    assert (article.source, article.url) == ("CNN", "https://quiz.example/june-16")
    assert article.published_at == datetime(2022, 6, 16, tzinfo=UTC)
    assert found.remarks == (
        "questions without texts found beside them; the archive is only what the quizzes explain: 1",
    )


def test_the_linked_article_is_evidence_before_the_explanation(lines):
    path = lines("20220617_qa.jsonl", QUIZ)
    lines("20220617_gold.jsonl", results(STORY | {"publish_date": "2022/06/12"}))
    found_again = {"url": "https://news.example/squid", "title": "Squid Game is back", "text": "An advertisement."}
    lines("20220617_gcs.jsonl", results(found_again, {"url": "https://o.example", "title": "x", "text": "Squid Game?"}))
    found = adapt("realtimeqa", path.parent)
    linked, other = found.articles
    assert quotes(only(found.questions)) == ["Squid Game is back."]
    assert (linked.title, linked.authors, linked.title_inferred) == ("Squid Game is back", ("Al",), False)
    assert linked.published_at == datetime(2022, 6, 12, tzinfo=UTC)
    assert other.published_at is None
    assert found.remarks == ()


def test_a_text_found_is_evidence_only_where_nothing_else_is(lines):
    found = adapt("realtimeqa", lines("w_qa.jsonl", QUIZ | {"evidence": "", "search_result": [STORY]}))
    question = only(found.questions)
    assert (quotes(question), question.tags) == (["Squid Game is back."], ("what", "distant"))
    assert "right or not: 1" in only(found.remarks)


def test_quizzes_that_cannot_be_asked_without_choices_are_left_out(lines):
    none = QUIZ | {"question_id": "b", "choices": ["“Friends”", "None of the above"]}
    silent = QUIZ | {"question_id": "c", "choices": ["x", "Lost"]}
    found = adapt("realtimeqa", lines("20220617_qa.jsonl", QUIZ, none, silent))
    assert [question.id for question in found.questions] == ["20220617_0"]
    assert "questions left out, as their answer is none of the choices: 1" in found.remarks
    assert "questions left out, as neither explanation nor texts found say the answer: 1" in found.remarks
    with pytest.raises(DatasetError, match=r"no question that could be taken over\.\n  questions without"):
        adapt("realtimeqa", lines("20220617_qa.jsonl", none))


def test_bad_quizzes_are_named_by_line(lines):
    public = {name: value for name, value in QUIZ.items() if name != "answer"}
    path = lines(
        "20220617_qa.jsonl",
        public,
        "{",
        QUIZ,
        "",
        QUIZ,
        QUIZ | {"question_id": "d", "answer": ["2"]},
        QUIZ | {"question_id": "e", "question_date": "soon"},
        QUIZ | {"question_id": "f", "answer": []},
    )
    with pytest.raises(DatasetError, match="6 bad places") as caught:
        adapt("realtimeqa", path)
    for part in (
        "line 1: answer: Field required",
        "line 2: not JSON",
        "line 5: the id '20220617_0' is already on line 3",
        "line 6: answer ['2'] is no place in the 2 choices",
        "line 7: question_date 'soon' is no date",
        "line 8: answer is empty",
    ):
        assert part in str(caught.value)


def test_a_folder_without_weeks_is_told(tmp_path):
    with pytest.raises(DatasetError, match=r"no file like 20220617_qa\.jsonl"):
        adapt("realtimeqa", tmp_path)


# -- RGB -----------------------------------------------------------------------------------------

CUP = {
    "id": 0,
    "query": "Who won the cup, and when?",
    "answer": ["Lee", ["May 3", "3 May"]],
    "positive": ["Lee won. It was close.", "On 3 May Lee lifted the cup."],
    "negative": ["It rained.", "Tickets are here."],
}


def test_parts_of_an_answer_are_groups_and_each_passage_is_an_article(lines):
    found = adapt("rgb", lines("en.json", "\ufeff" + json.dumps(CUP), "", end="\r\n"))
    question = only(found.questions)
    assert (question.id, question.answers) == ("rgb-0", (("Lee",), ("May 3", "3 May")))
    assert quotes(question) == ["Lee won.", "On 3 May Lee lifted the cup."]
    assert [article.text for article in found.articles] == [*CUP["positive"], *CUP["negative"]]
    assert all(article.title_inferred and article.url == "" for article in found.articles)


def test_passages_by_part_and_false_passages(lines):
    by_part = CUP | {"positive": [["Lee won."], ["It was on May 3."]], "positive_wrong": ["Kim won."], "answer": "Lee"}
    found = adapt("rgb", lines("en_int.json", by_part))
    assert quotes(only(found.questions)) == ["Lee won."]
    assert "Kim won." not in [article.text for article in found.articles]
    assert found.remarks == ("passages with a false answer left out: 1",)


def test_an_answer_inside_other_words_is_no_evidence(lines):
    found = adapt("rgb", lines("en.json", CUP, CUP | {"id": 1, "answer": "7", "positive": ["170 came."]}))
    assert [question.id for question in found.questions] == ["rgb-0"]
    assert "no positive passage holds their answer on whole tokens: 1" in only(found.remarks)


def test_an_alias_over_two_sentences_is_quoted_with_both(lines):
    found = adapt("rgb", lines("en.json", CUP | {"answer": "close Tickets", "positive": ["Near. So close. Tickets."]}))
    assert quotes(only(found.questions)) == ["So close. Tickets."]


def test_bad_lines_of_rgb_are_named(lines):
    with pytest.raises(DatasetError, match="3 bad places") as caught:
        adapt("rgb", lines("en.json", CUP, CUP, CUP | {"id": 1, "answer": []}, {"id": 2, "query": "x?", "answer": "x"}))
    for part in ("line 2: the id '0'", "line 3: answer is empty", "line 4: positive: Field required"):
        assert part in str(caught.value)


# -- ALCE ----------------------------------------------------------------------------------------

DOCS = [
    {"id": "1", "title": "Ferries", "text": "The Solenne drifted. She sank in March.", "score": "1.0"},
    {"id": "2", "title": "Ferries", "text": "The Corin sank too."},
]


def test_asqa_parts_need_a_doc_that_holds_them(lines):
    pairs = [{"question": "-", "short_answers": answers} for answers in (["Solenne", "MV Solenne"], ["Bree"])]
    record = {"sample_id": "-7", "question": "Which ferry sank?", "qa_pairs": pairs, "docs": DOCS, "answer": "Long."}
    found = adapt("alce", lines("asqa.json", json.dumps([record])))
    question = only(found.questions)
    assert (question.id, question.answers) == ("-7", (("Solenne", "MV Solenne"),))
    assert quotes(question) == ["The Solenne drifted."]
    assert [article.title for article in found.articles] == ["Ferries", "Ferries"]
    assert found.remarks == ("parts of answers left out, as no doc of their question holds them: 1",)


def test_qampari_and_a_file_of_results(lines):
    record = {"id": "a", "question": "Which ferries sank?", "answers": [["Corin"], ["Solenne"]], "docs": DOCS}
    question = only(adapt("alce", lines("r.json", {"args": {}, "data": [record]})).questions)
    assert question.answers == (("Corin",), ("Solenne",))
    assert quotes(question) == ["The Corin sank too.", "The Solenne drifted."]


def test_long_answers_and_answers_in_no_doc_are_left_out(lines):
    eli5 = {"question": "Why?", "answer": "Because.", "claims": ["It is so."], "docs": DOCS}
    unknown = {"question": "Who?", "short_answers": ["Bree"], "docs": DOCS}
    with pytest.raises(DatasetError, match="no question") as caught:
        adapt("alce", lines("eli5.json", json.dumps([eli5, unknown])))
    assert "long answer only: 1" in str(caught.value)
    assert "no doc holds a part of their answer: 1" in str(caught.value)


def test_bad_records_of_alce_are_named(lines):
    with pytest.raises(DatasetError, match=r"record 1: docs: Field required"):
        adapt("alce", lines("a.json", json.dumps([{"question": "x?"}])))


# -- labels for judges ---------------------------------------------------------------------------


def test_labels_in_json_lines(lines):
    path = lines(
        "wice_dev.jsonl",
        {"claim": "It sank.", "doc": "The ferry sank.", "label": 1, "group": "g "},
        {"claim": "It flew.", "doc": "The ferry sank.", "label": False, "group": "g "},
    )
    first, second = judge_cases(path)
    # As it is: which half of the data a case falls into depends on it.
    assert (first.claim, first.text, first.supported, first.group) == ("It sank.", "The ferry sank.", True, "g ")
    assert second.supported is False


def test_claims_about_the_same_text_are_one_group(lines):
    rows = [{"hypothesis": "a", "premise": text, "label": "neutral"} for text in ("x", "x", "y")]
    groups = [case.group for case in judge_cases(lines("nli.jsonl", *rows))]
    assert groups[0] == groups[1] != groups[2]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("a.csv", ["\ufeffClaim,Document,Label", '"It, too, sank.",The ferry sank.,Supported']),
        ("a.csv", ["claim;text;label", "It, too, sank.;The ferry sank.;1.0"]),
        ("a.tsv", ["claim\tcontext\tgold_label", "It, too, sank.\tThe ferry sank.\tentailment"]),
    ],
)
def test_labels_in_tables(name, rows, lines):
    case = only(judge_cases(lines(name, *rows, "", end="\r\n")))
    assert (case.claim, case.text, case.supported) == ("It, too, sank.", "The ferry sank.", True)


def test_a_long_document_over_several_lines_fits_into_a_cell(lines):
    text = "A line.\n" * 30_000
    case = only(judge_cases(lines("a.csv", "claim,doc,label", f'x,"{text}",not_entailment')))
    assert (case.text, case.supported) == (text, False)


def test_columns_can_be_named(lines):
    row = {"claim": "wrong", "fact": "It sank.", "source": ["One.", "Two."], "ok": "yes", "topic": "sea"}
    names = {"claim": "fact", "text": "source", "label": "OK", "group": "topic"}
    case = only(judge_cases(lines("a.jsonl", row), columns=names))
    assert (case.claim, case.text, case.supported, case.group) == ("It sank.", "One.\n\nTwo.", True, "sea")
    with pytest.raises(DatasetError, match="no column 'document' to name: choose of claim, text, label, group"):
        judge_cases(lines("a.jsonl", row), columns={"document": "source"})


def test_bad_labels_are_named_by_line(lines):
    good = {"claim": "a", "doc": "b", "label": 1}
    path = lines(
        "a.jsonl",
        good,
        {"claim": "a", "label": 1},
        good | {"label": "maybe"},
        good | {"label": 2},
        "[1",
        good | {"claim": " "},
        "7",
    )
    with pytest.raises(DatasetError, match="6 bad places") as caught:
        judge_cases(path)
    for part in (
        "line 2: text is missing or empty (usual columns: text, doc,",
        "it has claim, label",
        "line 3: label 'maybe' is not known",
        "line 4: label 2: in files of natural language inference 0 is often entailment",
        "line 5: not JSON",
        "line 6: claim is missing or empty",
        "line 7: Input should be",
    ):
        assert part in str(caught.value)


def test_bad_rows_of_a_table_are_named(lines):
    with pytest.raises(DatasetError, match="line 3: has more cells than the header"):
        judge_cases(lines("a.csv", "claim,doc,label", "a,b,1", "a,b, c,1"))
    with pytest.raises(DatasetError, match="line 2: is no CSV"):
        judge_cases(lines("a.csv", "claim,doc,label", 'a,"b,1'))
    with pytest.raises(DatasetError, match="has no case"):
        judge_cases(lines("a.csv", "claim,doc,label"))


SOURCES = [
    {"source_id": "1", "task_type": "Summary", "source": "CNN/DM", "source_info": "A ferry burned."},
    {"source_id": "2", "task_type": "QA", "source_info": {"question": "What?", "passages": "passage 1:It rained.\n\n"}},
    {"source_id": "3", "task_type": "Data2txt", "source_info": {"name": "Café Sol", "stars": 3.0}},
]


def response(id_, source_id, *spans, **more):
    labels = [{"start": 0, "end": 1, "text": span, "label_type": "Evident Conflict"} for span in spans]
    record = {"id": id_, "source_id": source_id, "model": "m", "labels": labels, "split": "test", "quality": "good"}
    return record | {"response": f"Answer {id_}."} | more


def test_a_response_of_ragtruth_is_supported_without_labelled_spans(lines):
    folder = lines("source_info.jsonl", *SOURCES).parent
    lines(
        "response.jsonl",
        response("a", "1"),
        response("b", "1", "ten"),
        response("c", "2", quality="truncated"),
        response("d", "2"),
        response("e", "3", split="train"),
    )
    cases = judge_cases(folder)
    assert [(case.claim, case.supported, case.group) for case in cases] == [
        ("Answer a.", True, "1"),
        ("Answer b.", False, "1"),
        ("Answer d.", True, "2"),
        ("Answer e.", True, "3"),
    ]
    assert [case.text for case in cases][::3] == ["A ferry burned.", '{\n "name": "Café Sol",\n "stars": 3.0\n}']
    assert cases[2].text == "passage 1:It rained.\n\n"
    assert [case.claim for case in judge_cases(folder / "response.jsonl", split="train")] == ["Answer e."]
    with pytest.raises(DatasetError, match="no case of the split 'dev'"):
        judge_cases(folder, "ragtruth", split="dev")


def test_bad_lines_of_ragtruth_are_named(lines):
    folder = lines("source_info.jsonl", *SOURCES).parent
    unlabelled = response("d", "1")
    del unlabelled["labels"]
    lines("response.jsonl", response("a", "1"), response("a", "1"), response("c", "9"), unlabelled)
    with pytest.raises(DatasetError, match="3 bad places") as caught:
        judge_cases(folder)
    for part in ("line 2: the id 'a'", "line 3: the source_id '9' is not in", "line 4: labels: Field required"):
        assert part in str(caught.value)


def test_columns_of_ragtruth_cannot_be_named(tmp_path):
    with pytest.raises(DatasetError, match="name columns for the form claims only"):
        judge_cases(tmp_path, "ragtruth", columns={"claim": "response"})


def test_an_unknown_form_of_labels_is_told(tmp_path):
    with pytest.raises(DatasetError, match="no form 'fever' of labels: choose claims or ragtruth"):
        judge_cases(tmp_path / "x.jsonl", "fever")
