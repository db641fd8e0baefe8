from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rag.errors import NotFoundError
from rag.ingests import IngestRecord
from rag.schema import Article, Passage, TimeWindow

NOW = datetime(2025, 9, 1, tzinfo=UTC)


def article(id_="a", version="1", text="Rain fell on Tuesday.", **fields):
    return Article(id=id_, version=version, title=fields.pop("title", "Weather"), text=text, **fields)


def passage(of, index=0):
    return Passage(f"{of.id}@{of.version}#{index}", of.id, of.version, index, 0, len(of.text), of.text, of.title)


def add(archive, *articles, story="s"):
    for item in articles:
        archive.add_pending([(item, story)], now=NOW)
        archive.mark_indexed(item, [passage(item)])


def test_an_article_comes_back_as_it_was(archive):
    whole = article(
        source="Selwyn Courier",
        url="https://x.example/1",
        published_at=datetime(2025, 6, 1, 8, tzinfo=UTC),
        authors=("Ana Šimić", "林玉清"),
        section="Local",
        kind="teaser",
        truncated=True,
        correction="Corrected.",
        title_inferred=True,
    )
    add(archive, whole)
    assert archive.article("a") == whole


def test_a_pending_article_is_not_found_by_anybody_but_resume(archive):
    archive.add_pending([(article(), "s")], now=NOW)
    assert archive.articles() == []
    assert archive.full_text.search("rain", limit=5) == []
    assert archive.known_version("a") is None
    assert archive.pending() == [article()]


def test_a_new_version_replaces_the_passages_and_keeps_the_old_text(archive):
    add(archive, article(text="Three people died."), article(version="2", text="Four people died."))
    assert [id_ for id_, _ in archive.full_text.search("people", limit=5)] == ["a@2#0"]
    assert archive.article("a", "1").text == "Three people died."
    assert archive.orphans() == ["a@1#0"]


def test_of_two_pending_versions_the_later_one_stays(archive):
    first, second = article(), article(version="2", text="Hail fell.")
    archive.add_pending([(first, "s")], now=NOW)
    archive.add_pending([(second, "s")], now=NOW + timedelta(seconds=1))
    archive.mark_indexed(second, [passage(second)])
    archive.mark_indexed(first, [passage(first)])  # by a process that was slower
    assert archive.article("a") == second
    assert archive.passage_ids() == ["a@2#0"]
    assert archive.orphans() == ["a@1#0"]
    assert archive.pending() == []


def test_an_article_deleted_while_it_was_indexed_stays_deleted(archive):
    archive.add_pending([(article(), "s")], now=NOW)
    archive.delete_article("a")
    archive.mark_indexed(article(), [passage(article())])
    assert (archive.passage_ids(), archive.orphans()) == ([], ["a@1#0"])


def test_a_deleted_article_leaves_full_text_and_lists(archive):
    add(archive, article())
    archive.delete_article("a")
    assert archive.full_text.search("rain", limit=5) == []
    assert archive.orphans() == ["a@1#0"]
    with pytest.raises(NotFoundError, match="'a'"):
        archive.article("a")
    with pytest.raises(NotFoundError):
        archive.delete_article("a")


def test_full_text_search_is_filtered_by_window_and_outlet(archive):
    june = article("june", source="Wire", published_at=datetime(2025, 6, 1, tzinfo=UTC))
    july = article("july", source="Post", published_at=datetime(2025, 7, 1, tzinfo=UTC))
    undated = article("undated", source="Wire")
    add(archive, june, july, undated)

    def found(**filters):
        return sorted(id_ for id_, _ in archive.full_text.search("rain", limit=5, **filters))

    window = TimeWindow(since=datetime(2025, 6, 1, tzinfo=UTC), until=datetime(2025, 7, 1, tzinfo=UTC))
    assert found() == ["july@1#0", "june@1#0", "undated@1#0"]
    assert found(window=window) == ["june@1#0"]
    assert found(sources=["Wire"]) == ["june@1#0", "undated@1#0"]
    assert archive.count_in(window) == 1


@pytest.mark.parametrize("query", ["", "?!", '"', "rain OR", "NEAR(", "rain* -fell", "title:rain", "a'b"])
def test_no_question_is_a_syntax_error_for_the_full_text(archive, query):
    add(archive, article())
    archive.full_text.search(query, limit=5)


def test_diacritics_and_chinese_characters_are_found(archive):
    add(
        archive,
        article("k", text="Zdeněk Kovářík conducts."),
        article("l", text="Engineer Lin Yu-ching (林玉清) left."),
    )
    assert [id_ for id_, _ in archive.full_text.search("Kovarik", limit=5)] == ["k@1#0"]
    assert [id_ for id_, _ in archive.full_text.search("林玉清", limit=5)] == ["l@1#0"]


def test_a_failed_transaction_leaves_nothing(archive):
    def fail():
        with archive.transaction():
            archive.set_fact("x", "y")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert archive.fact("x") == ""


def test_the_first_report_leads_its_story_and_names_the_copies(archive):
    first = article("w", source="Wire", published_at=datetime(2025, 6, 1, 8, tzinfo=UTC))
    copy = article("c", source="Courier", published_at=datetime(2025, 6, 1, 12, tzinfo=UTC))
    add(archive, copy, first, story="s1")
    cards = archive.stories.cards(["c"])
    assert (cards["w"].leads, cards["c"].leads) == (True, False)
    assert cards["w"].also_in == ("Courier",)


def test_status_counts_current_articles_and_names_the_newest(archive):
    old = article("o", title="Old", source="Wire", published_at=datetime(2025, 6, 1, tzinfo=UTC))
    add(archive, old, article("n", title="New", published_at=datetime(2025, 7, 1, tzinfo=UTC)), article("u"))
    archive.record_ingest(NOW)
    status = archive.status()
    assert (status.articles, status.passages, status.newest_title, status.last_ingest_at) == (3, 3, "New", NOW)
    assert status.sources == ("Wire",)


def test_a_rare_word_and_one_in_the_title_count_more(archive):
    add(
        archive,
        article("often", text="Rain fell."),
        article("rare", text="Hail fell."),
        article("again", text="Rain fell."),
        article("title", title="Rain", text="It fell."),
    )
    assert [id_ for id_, _ in archive.full_text.search("hail rain", limit=3)] == ["rare@1#0", "title@1#0", "again@1#0"]


def test_words_are_counted_in_all_their_forms(archive):
    add(archive, article("a", text="Rain fell."), article("b", text="It rained."), article("c", text="It was dry."))
    assert archive.full_text.document_frequencies(["rain", "dry", "snow"]) == ({"rain": 2, "dry": 1, "snow": 0}, 3)


def test_a_part_of_a_title_is_found_whatever_its_case_and_signs(archive):
    add(archive, article("a", title="Rain: 100% of it"), article("b", title="Rain: 1000 of it"))
    assert [found.id for found in archive.articles(search="RAIN: 100%")] == ["a"]
    assert archive.articles(search="rain\0") == []


def test_ids_are_sorted_by_code_point(archive):
    add(archive, *(article(id_) for id_ in ("b", "B", "a", "é", "_")))
    assert archive.passage_ids() == ["B@1#0", "_@1#0", "a@1#0", "b@1#0", "é@1#0"]


def test_an_article_stored_again_is_replaced(archive):
    archive.add_pending([(article(text="Old."), "s")], now=NOW)
    archive.add_pending([(article(text="New."), "t")], now=NOW)
    assert [found.text for found in archive.pending()] == ["New."]
    assert archive.stories.texts(["a"]) == [("New.", "t")]


def test_nothing_is_found_by_no_ids(archive):
    assert archive.passages([]) == archive.stories.cards([]) == archive.stories.sharing_bands([], apart_from="a") == {}
    assert archive.stories.texts([]) == []


def test_a_part_of_a_transaction_is_undone_with_all_of_it(archive):
    def fail():
        with archive.transaction():
            archive.set_fact("first", "1")
            with archive.transaction():
                archive.set_fact("second", "2")
                assert archive.fact("first") == "1"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert archive.fact("first") == archive.fact("second") == ""


def test_many_threads_write_and_lose_nothing(archive):
    def count(_):
        with archive.transaction():
            archive.set_fact("count", str(int(archive.fact("count") or 0) + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(40)))
    assert archive.fact("count") == "40"


def test_ingests_are_listed_newest_first_whatever_was_noted_since(archive):
    first, second = (IngestRecord(id_, "x", "running", NOW) for id_ in ("1", "2"))
    for record in (first, second, replace(first, state="done")):
        archive.ingests.put(record)
    assert [(record.id, record.state) for record in archive.ingests.latest(5)] == [("2", "running"), ("1", "done")]
    assert archive.ingests.get("1").state == "done"


def test_a_question_that_quotes_inexactly_is_searched_by_the_words_too(archive):
    add(archive, article("a", text="The harbour bridge closed."), article("b", text="A bridge far from the harbour."))
    asked = archive.full_text.search('Who closed the "bridge of harbour"?', limit=5)
    assert {id_ for id_, _ in asked} == {"a@1#0", "b@1#0"}
    assert [id_ for id_, _ in archive.full_text.search('"harbour bridge"', limit=5)] == ["a@1#0"]
