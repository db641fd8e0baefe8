from datetime import UTC, datetime

from ingest.stories import assign, containment, shingles
from rag.schema import Article

NOW = datetime(2025, 9, 1, tzinfo=UTC)
FIRST = (
    "A fire broke out in the engine room of the ferry on Thursday morning. The crew put it out within forty minutes. "
    "Nobody was badly hurt, the coast guard said. The ship was towed into port by two tugs in the afternoon."
)
EDITED = FIRST.replace("on Thursday morning", "early on Thursday") + " Relatives waited on the quay."
FOLLOW_UP = (
    "Investigators said a cracked fuel line caused the fire on the ferry last week. The owner will inspect its three "
    "other ships. The coast guard praised the crew, which had put the fire out before help arrived."
)


def article(id_, text):
    return Article(id=id_, version=str(len(text)), title="Ferry", text=text)


def put(archive, item):
    story = assign(item, archive)
    archive.add_pending([(item, story)], now=NOW)
    archive.mark_indexed(item, [])
    return story


def test_an_edited_copy_joins_the_story(archive):
    assert put(archive, article("one", FIRST)) == "one"
    assert put(archive, article("two", EDITED)) == "one"


def test_a_follow_up_report_is_a_story_of_its_own(archive):
    put(archive, article("one", FIRST))
    assert put(archive, article("two", FOLLOW_UP)) == "two"


def test_the_same_article_again_keeps_its_story(archive):
    put(archive, article("one", FIRST))
    put(archive, article("two", EDITED))
    assert put(archive, article("two", EDITED + " More.")) == "one"


def test_empty_texts_are_no_copies_of_each_other(archive):
    assert put(archive, article("one", "")) == "one"
    assert put(archive, article("two", "")) == "two"


def test_containment_is_the_share_of_the_smaller_set():
    assert containment(frozenset("ab"), frozenset("abcd")) == 1.0
    assert containment(frozenset("ab"), frozenset("bc")) == 0.5
    assert containment(frozenset(), frozenset("a")) == 0.0
    assert shingles("One two three four") == {"one two three", "two three four"}
