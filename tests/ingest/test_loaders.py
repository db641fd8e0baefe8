import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.loaders import load
from ingest.loaders.source import Source
from ingest.report import IngestReport, Problem
from rag.schema import Article

BODY = (
    "The harbour council voted on Tuesday to move the fish market to the north quay, ending a four-year dispute.",
    "“We have waited long enough,” said Mayor Ines Falk, who had backed the plan since the spring flood.",
    "Stall holders will pay the same rent until the end of next year, the council said in a statement.",
)
TEXT = "\n\n".join(BODY)
TEASER = (
    "Astronomers in Chile have found a comet that comes from outside the solar system, the third of its kind. It will "
    "pass the Sun in March and can be seen with a small telescope. The team of Paula Reyes first took it for a"
)
MAY_3 = datetime(2024, 5, 3, tzinfo=UTC)


def read(folder: Path, name: str, content: str | bytes) -> list[Article | Problem]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(load(Source(path, f"in/{name}")))


def one(folder: Path, name: str, content: str | bytes) -> Article:
    (article,) = read(folder, name, content)
    assert isinstance(article, Article)
    return article


def reason(folder: Path, name: str, content: str | bytes) -> str:
    (item,) = read(folder, name, content)
    assert isinstance(item, Problem)
    return f"{item.where}: {item.reason}"


def test_text_page_knows_no_outlet_and_no_date(tmp_path: Path):
    article = one(tmp_path, "a.txt", "Market moves\n" + TEXT)
    assert (article.title, article.text) == ("Market moves", TEXT)
    assert (article.source, article.url, article.published_at) == ("", "", None)


def test_text_page_with_a_teaser_gives_two_articles_with_ids_of_their_own(tmp_path: Path):
    first, second = read(tmp_path, "a.txt", TEXT + "\n" + TEASER)
    assert isinstance(first, Article)
    assert isinstance(second, Article)
    assert second.id == f"{first.id}~1"
    assert (second.kind, second.text) == ("teaser", TEASER)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_read_in_its_encoding(tmp_path: Path, encoding: str):
    page = "“Café Zürich,” said the mayor’s naïve brother, “is où nous étions – très bien.” He left. " * 3
    assert one(tmp_path, "a.txt", page.encode(encoding)).text == page.strip()


def test_markdown_front_matter_and_marks(tmp_path: Path):
    page = (
        "---\ndate: 2024-05-03\nauthor: Lena Moss\nsource: Gull Post\nurl: https://gull.example/a\n---\n"
        "# Market *moves*\n\nThe **harbour** council voted\non [Tuesday](https://x.example) to _move_ snake_case.\n\n"
        "## Later\n\n- one\n\n> It is `done`.\n"
    )
    article = one(tmp_path, "a.md", page)
    assert article.title == "Market moves"
    assert article.text == ("The harbour council voted on Tuesday to move snake_case.\n\nLater\n\none\n\nIt is done.")
    assert (article.source, article.authors, article.published_at) == ("Gull Post", ("Lena Moss",), MAY_3)


@pytest.mark.parametrize(
    "record",
    [
        {"id": "7", "title": "Market moves", "text": TEXT, "source": "Gull", "published_at": "2024-05-03"},
        {"article_id": 7, "headline": "Market moves", "content": TEXT, "outlet": "Gull", "date": 1714694400},
        {"id": 7, "title": "Market moves", "body": TEXT, "publisher": {"name": "Gull"}, "pubDate": "3 May 2024"},
        {"id": "7", "title": "Market moves", "maintext": TEXT, "source_domain": "Gull", "date_publish": "2024-05-03"},
        {"id": "7", "title": "Market moves", "text": BODY, "source": {"name": "Gull"}, "published": "20240503"},
        {"id": "7", "title": "Market moves", "text": f"<p>{'</p><p>'.join(BODY)}</p>", "source": "Gull",
         "publish_date": "2024-05-03 00:00:00"},
    ],
)  # fmt: skip
def test_each_spelling_of_a_record_gives_the_same_article(tmp_path: Path, record: dict[str, object]):
    article = one(tmp_path, "a.json", json.dumps(record))
    assert (article.id, article.title, article.source, article.published_at) == ("7", "Market moves", "Gull", MAY_3)
    assert article.text == TEXT


@pytest.mark.parametrize("authors", ["A Moss; B Falk", ["A Moss", "B Falk"], [{"name": "A Moss"}, "By B Falk"]])
def test_authors_are_names_whatever_their_form(tmp_path: Path, authors: object):
    assert one(tmp_path, "a.json", json.dumps({"text": TEXT, "author": authors})).authors == ("A Moss", "B Falk")


def test_a_json_feed_is_a_list_of_articles(tmp_path: Path):
    item = {"id": "7", "title": "Market moves", "content_html": f"<p>{'</p><p>'.join(BODY)}</p>",
            "date_published": "2024-05-03T02:00:00+02:00", "authors": [{"name": "Lena Moss"}]}  # fmt: skip
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "Gull", "items": [item, {**item, "id": "8"}]}
    first, second = read(tmp_path, "a.json", json.dumps(feed))
    assert isinstance(first, Article)
    assert isinstance(second, Article)
    assert (first.id, first.text, first.published_at, first.authors) == ("7", TEXT, MAY_3, ("Lena Moss",))
    assert second.id == "8"


@pytest.mark.parametrize("wrap", [lambda r: [r, r], lambda r: {"status": "ok", "articles": [r, r]}])
def test_lists_of_records_are_read(tmp_path: Path, wrap):
    assert len(read(tmp_path, "a.json", json.dumps(wrap({"text": TEXT})))) == 2


def test_section_correction_and_language_are_kept(tmp_path: Path):
    record = {"text": TEXT, "category": "Local", "correction_note": "Retracted: all of it", "language": "de"}
    article = one(tmp_path, "a.json", json.dumps(record))
    assert (article.section, article.retracted, article.language) == ("Local", True, "de")


def test_implausible_date_and_unusable_address_become_unknown(tmp_path: Path):
    record = {"text": TEXT, "date": "2999-01-01", "url": "javascript:alert(1)"}
    doubt, article = read(tmp_path, "a.json", json.dumps(record))
    assert isinstance(article, Article)
    assert (article.published_at, article.url) == (None, "")
    assert doubt == Problem("in/a.json", "its date 2999-01-01 is in the future: date unknown", lost=False)


def test_teaser_on_a_records_page_keeps_its_outlet_and_time_and_has_no_address(tmp_path: Path):
    record = {"id": "7", "title": "T", "text": f"{TEXT}\n\n{TEASER}", "source": "Gull", "date": "2024-05-03",
              "url": "https://gull.example/a", "author": "Lena Moss"}  # fmt: skip
    first, second = read(tmp_path, "a.json", json.dumps(record))
    assert isinstance(first, Article)
    assert isinstance(second, Article)
    assert (first.text, first.url) == (TEXT, "https://gull.example/a")
    assert (second.id, second.source, second.published_at) == ("7~1", "Gull", MAY_3)
    assert (second.url, second.authors, second.title_inferred) == ("", (), True)


def test_bad_line_is_rejected_alone(tmp_path: Path):
    good = json.dumps({"title": "T", "text": TEXT})
    items = read(tmp_path, "a.jsonl", f'{good}\n\n{{"title":\n[1]\n{{"title": "T"}}\n{good}\n')
    assert [item.where for item in items if isinstance(item, Problem)] == [
        "in/a.jsonl line 3",
        "in/a.jsonl line 4",
        "in/a.jsonl line 5",
    ]
    assert len(items) == 5


def test_linked_data_of_a_page_comes_first(tmp_path: Path):
    linked = {
        "@graph": [
            {"@type": "WebSite", "name": "x"},
            {
                "@type": ["NewsArticle"],
                "headline": "Market &amp; quay",
                "articleBody": TEXT,
                "datePublished": "2024-05-03T02:00:00+02:00",
                "author": [{"name": "Lena Moss"}],
                "publisher": {"name": "Gull Post"},
                "mainEntityOfPage": {"@id": "https://gull.example/a"},
            },
        ]
    }
    page = (
        '<html lang="en-GB"><head><meta property="og:title" content="Other">'
        f'<script type="application/ld+json">{json.dumps(linked)}</script></head><body><p>Menu</p></body></html>'
    )
    article = one(tmp_path, "a.html", page)
    assert (article.title, article.text, article.source) == ("Market & quay", TEXT, "Gull Post")
    assert (article.published_at, article.authors, article.url) == (MAY_3, ("Lena Moss",), "https://gull.example/a")


def test_page_without_linked_data_is_read_from_its_tags_and_body(tmp_path: Path):
    page = (
        '<html><head><meta property="og:site_name" content="Gull Post">'
        '<meta property="og:title" content="Market moves">'
        '<link rel="canonical" href="https://gull.example/a"></head><body><nav>Home</nav><article><h1>Market moves</h1>'
        f'<time datetime="2024-05-03">3 May</time><p>{"</p><p>".join(BODY)}</p></article></body></html>'
    )
    article = one(tmp_path, "a.htm", page)
    assert (article.title, article.text, article.source) == ("Market moves", TEXT, "Gull Post")
    assert (article.published_at, article.url) == (MAY_3, "https://gull.example/a")


def test_date_in_the_footer_of_a_page_is_not_its_publication(tmp_path: Path):
    article = f"<article><h1>T</h1><p>{'</p><p>'.join(BODY)}</p></article>"
    page = f"<html><body>{article}<footer>March 3, 2020</footer></body></html>"
    assert one(tmp_path, "a.html", page).published_at is None


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "", "in/a.txt: is empty"),
        ("a.txt", bytes(range(256)) * 8, "in/a.txt: is not text"),
        ("a.txt", "© 2024 Gull Post", "has no text"),
        ("a.md", "---\na: [\n---\nText.", "front matter that is not YAML"),
        ("a.json", "{", "is not JSON"),
        ("a.json", "[]", "empty list"),
        ("a.json", "[3]", "in/a.json record 1: is no object but int"),
        ("a.json", '{"title": "T"}', "has no text: give it one of the fields text, content, body, maintext"),
        ("a.json", "[" * 100_000, "is not JSON"),
        ("a.jsonl", "\n", "is empty"),
        ("a.jsonl", "[\n{}\n]", "name it .json"),
        ("a.html", "<html><body></body></html>", "shows no article text"),
        ("a.png", "x", "is of no known kind"),
    ],
)
def test_unreadable_input_is_rejected_with_the_reason(tmp_path: Path, name: str, content: str | bytes, expected: str):
    assert expected in reason(tmp_path, name, content)


def test_file_over_the_limit_is_rejected_unread(tmp_path: Path):
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(50 * 1024 * 1024 + 1)
    (item,) = load(Source(path, "a.txt"))
    assert isinstance(item, Problem)
    assert "over 50 MB" in item.reason


def test_report_for_a_person_counts_and_names_the_rejected():
    report = IngestReport(2, 1, 0, 1, 9, (Problem("a.jsonl line 3", "is not JSON: mend it"),), 1.25, rejected=1)
    assert report.to_text() == (
        "2 added, 1 updated, 0 unchanged (1 teaser); 9 passages in 1.2 s.\n"
        "1 rejected:\n"
        "  a.jsonl line 3: is not JSON: mend it"
    )
