"""The shipped sample archive and questions hold what the evals count on."""

from collections import Counter

import pytest

from eval.datasets import check_quotes, load_questions
from eval.sample import DESCRIPTIVE, QUESTIONS, sample_articles
from ingest.report import Problem

ARTICLES = list(sample_articles())
EVERY = load_questions(QUESTIONS)
DESCRIBED = load_questions(DESCRIPTIVE)


def test_every_article_is_read():
    assert not [item for item in ARTICLES if isinstance(item, Problem)]
    assert sum(article.kind == "article" for article in ARTICLES) >= 45
    assert len({article.source for article in ARTICLES}) == 5
    assert all(article.published_at for article in ARTICLES)


def test_every_gold_quote_is_in_its_article():
    assert check_quotes([*EVERY, *DESCRIBED], {article.id: article.text for article in ARTICLES}) == []


def test_questions_that_describe_instead_of_naming():
    assert Counter(question.split for question in DESCRIBED) == {"dev": 30, "test": 30}
    assert sum(not question.answerable for question in DESCRIBED) >= 12
    assert not {question.question for question in DESCRIBED} & {question.question for question in EVERY}


def test_numbers_of_questions():
    unanswerable = [question for question in EVERY if not question.answerable]
    assert len(EVERY) >= 120
    assert len(unanswerable) >= 30
    assert sum("close-miss" in question.tags for question in unanswerable) >= 15
    assert sum("follow-up" in question.tags for question in EVERY) >= 15
    assert Counter(question.split for question in EVERY) == {"dev": 75, "test": 75}


@pytest.mark.parametrize(
    "tag",
    ["who", "what", "when", "where", "why", "how many", "list", "latest", "time-window", "conflict", "attribution"],
)
def test_every_kind_of_question_is_in_both_halves(tag):
    assert {question.split for question in EVERY if tag in question.tags} == {"dev", "test"}


def test_what_the_archive_holds_on_purpose():
    assert any(article.retracted for article in ARTICLES)
    assert any(article.correction and not article.retracted for article in ARTICLES)
    assert any(article.section == "Opinion" for article in ARTICLES)
    assert any(article.kind == "teaser" and article.truncated for article in ARTICLES)
    text = "\n".join(article.text for article in ARTICLES)
    assert "Zdeněk Kovářík" in text
    assert "林玉清" in text
    assert "Ines Halloran" in text
    assert "Patrick Halloran" in text
