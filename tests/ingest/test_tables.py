import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ingest.loaders.records
from ingest.loaders import load
from ingest.loaders.source import Options, Source
from ingest.report import Problem
from rag.schema import Article

LEAD = "The harbour council voted on Tuesday to move the fish market to the north quay."
REST = "Stall holders will pay the same rent until the end of next year, the council said."
CAFE = "The mayor met the stall holders in the café on Tuesday and signed the lease."
MAY_3 = datetime(2024, 5, 3, tzinfo=UTC)


def read(folder: Path, content: str | bytes, names: dict[str, str] | None = None, name: str = "a.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(load(Source(path, f"in/{name}", options=Options(names or {}))))


def one(folder: Path, content: str | bytes, names: dict[str, str] | None = None, name: str = "a.csv") -> Article:
    (article,) = read(folder, content, names, name)
    assert isinstance(article, Article), article
    return article


def table(*rows: tuple[str, ...], delimiter: str = ",", end: str = "\r\n") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    return file.getvalue()


def texts(items: list[Article | Problem]) -> list[str]:
    return [item.text for item in items if isinstance(item, Article)]


def places(items: list[Article | Problem]) -> list[str]:
    return [item.where for item in items if isinstance(item, Problem)]


# -- forms of a table ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "A.CSV"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_is_told_by_the_header(tmp_path, name, delimiter, end):
    rows = ("title", "text", "source"), ("Markets, quays; and more", f"{LEAD} It was 9|4; that is all.", "Gull, Post")
    article = one(tmp_path, table(*rows, delimiter=delimiter, end=end), name=name)
    assert (article.title, article.text, article.source) == (rows[1][0], rows[1][1], rows[1][2])


@pytest.mark.parametrize(
    "header",
    [
        ("id", "title", "text", "source", "url", "published_at", "authors", "section"),
        ("article_id", "headline", "content", "outlet", "link", "publish_date", "author", "category"),
        ("ID", "Title", "Body", "Publisher", "URL", "pubDate", "Author", "Section"),
        ("id", "TITLE", "maintext", "source_domain", "url", "date_publish", "authors", "section"),
    ],
)
def test_columns_are_known_by_their_usual_names(tmp_path, header):
    row = ("7", "Market moves", LEAD, "Gull", "https://gull.example/a", "2024-05-03", "Lena Moss; Bo Falk", "Local")
    article = one(tmp_path, table(header, row))
    assert (article.id, article.title, article.text, article.source) == ("7", "Market moves", LEAD, "Gull")
    assert (article.url, article.published_at, article.section) == ("https://gull.example/a", MAY_3, "Local")
    assert article.authors == ("Lena Moss", "Bo Falk")


def test_columns_are_known_by_the_names_given_in_whatever_case(tmp_path):
    names = {"title": "Überschrift", "text": "INHALT", "published_at": "Datum"}
    rows = ("überschrift", "Inhalt", "Datum", "text"), ("Market moves", LEAD, "2024-05-03", "not this")
    article = one(tmp_path, table(*rows), names)
    assert (article.title, article.text, article.published_at) == ("Market moves", LEAD, MAY_3)


def test_problem_with_named_columns_names_the_column(tmp_path):
    (problem,) = read(tmp_path, table(("title", "text"), ("Market moves", LEAD)), {"text": "inhalt"})
    assert "inhalt" in problem.reason


def test_blanks_around_the_names_in_the_header_do_no_harm(tmp_path):
    assert one(tmp_path, f"title, text , date\nMarket moves,{LEAD},2024-05-03\n").published_at == MAY_3


def test_blank_line_before_the_header_is_passed_over(tmp_path):
    assert one(tmp_path, f"\n\ntitle;text\nMarket moves;{LEAD}\n").text == LEAD


def test_delimiters_in_a_quoted_name_of_the_header_do_not_count(tmp_path):
    article = one(tmp_path, f'"title";"text";"a, b, c, d"\n"Market moves";"{LEAD}";"x"\n')
    assert (article.title, article.text) == ("Market moves", LEAD)


def test_quoted_line_breaks_quotes_and_delimiters_belong_to_the_cell(tmp_path):
    text = f'{LEAD}\n\n“{REST}” he said.\n\nIt is called "the quay", and more.'
    first, second = read(tmp_path, table(("title", "text"), ('The "new" quay, now', text), ("Other", REST)))
    assert (first.title, first.text) == ('The "new" quay, now', text)
    assert second.text == REST


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_line_breaks_of_any_system_end_a_row(tmp_path, end):
    rows = ("title", "text"), ("A", LEAD), ("B", REST)
    assert texts(read(tmp_path, table(*rows, end=end))) == [LEAD, REST]


def test_last_row_needs_no_line_break(tmp_path):
    assert one(tmp_path, f"title,text\nMarket moves,{LEAD.replace(',', '')}").text == LEAD


def test_cells_may_hold_html(tmp_path):
    assert (
        one(tmp_path, table(("title", "text"), ("A &amp; B", f"<p>{LEAD}</p><p>{REST}</p>"))).text
        == f"{LEAD}\n\n{REST}"
    )


def test_addresses_in_a_cell_stay_as_they_are(tmp_path):
    text = "The list is at https://gull.example/?a=1&section=2&copy=3 for all to read."
    assert one(tmp_path, table(("title", "text"), ("A", text))).text == text


# -- encodings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_table_is_read_in_its_encoding(tmp_path, encoding, delimiter):
    rows = ("title", "text"), ("Café – “naïve” Zürich", CAFE), ("B", f"{REST} It is où nous étions – très bien.")
    first, second = read(tmp_path, table(*rows, delimiter=delimiter).encode(encoding))
    assert (first.title, first.text) == rows[1]
    assert second.text == rows[2][1]


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_accent_at_the_very_end_is_read_in_its_encoding(tmp_path, end):
    content = f"title,text,source\nMarket moves,{LEAD},Le Café{end}"
    assert one(tmp_path, content.encode("cp1252")).source == "Le Café"


def test_accent_after_a_long_plain_beginning_is_read_in_its_encoding(tmp_path):
    rows = [("title", "text"), *((f"T{number}", f"{LEAD} " * 100) for number in range(40)), ("Last", CAFE)]
    assert texts(read(tmp_path, table(*rows).encode("cp1252")))[-1] == CAFE


def test_letter_over_the_border_of_the_head_is_read_whole(tmp_path, monkeypatch):
    content = table(("title", "text"), ("Market moves", CAFE)).encode()
    monkeypatch.setattr(ingest.loaders.tables, "_HEAD_BYTES", content.index("é".encode()) + 1)
    assert one(tmp_path, content).text == CAFE


# -- rows and files that are not as they should be -----------------------------------------------------


@pytest.mark.parametrize("content", ["", " \n\n", "\r\n"])
def test_empty_file_is_a_problem(tmp_path, content):
    assert read(tmp_path, content) == [Problem("in/a.csv", "is empty: nothing to add")]


@pytest.mark.parametrize("content", ["title,text", "title,text\n", "\ufefftitle;text\r\n\r\n"])
def test_header_alone_is_a_problem(tmp_path, content):
    assert read(tmp_path, content) == [Problem("in/a.csv", "holds no row under its header: nothing to add")]


def test_row_of_empty_cells_is_passed_over(tmp_path):
    rows = ("title", "text"), ("A", LEAD), ("", ""), ("", "", ""), ("B", REST)
    items = read(tmp_path, table(*rows))
    assert (texts(items), places(items)) == ([LEAD, REST], [])


def test_table_of_empty_rows_is_a_problem(tmp_path):
    (problem,) = read(tmp_path, table(("title", "text"), ("", ""), ("", "")))
    assert "nothing to add" in problem.reason


def test_row_with_too_many_cells_is_read_and_one_with_too_few_is_a_problem(tmp_path):
    rows = ("title", "text"), ("A", LEAD, "more", "and more"), ("B",), ("C", REST)
    items = read(tmp_path, table(*rows))
    assert (texts(items), places(items)) == ([LEAD, REST], ["in/a.csv row 2"])
    assert "has no text" in items[1].reason


def test_columns_without_names_and_with_the_same_name_do_no_harm(tmp_path):
    rows = ("", "title", "text", "", "note", "note"), ("1", "Market moves", LEAD, "x", "y", "z")
    article = one(tmp_path, table(*rows))
    assert (article.title, article.text) == ("Market moves", LEAD)


def test_row_without_text_is_a_problem_of_its_own(tmp_path):
    items = read(tmp_path, table(("title", "text"), ("A", LEAD), ("B", ""), ("C", "  "), ("D", REST)))
    assert (texts(items), places(items)) == ([LEAD, REST], ["in/a.csv row 2", "in/a.csv row 3"])


def test_table_without_a_text_column_names_the_cure(tmp_path):
    (problem,) = read(tmp_path, table(("kop", "inhoud"), ("Market moves", LEAD)))
    assert "--map text=" in problem.reason


def test_stray_nul_is_dropped(tmp_path):
    items = read(tmp_path, f"title,text\nMar\0ket,{LEAD}\nB,{CAFE}\0\n")
    assert texts(items) == [LEAD, CAFE]
    assert items[0].title == "Market"


@pytest.mark.parametrize("content", [bytes(range(256)) * 8, b"\x89PNG\r\n\x1a\n" + bytes(range(200)) * 20])
def test_binary_file_is_a_problem(tmp_path, content):
    (problem,) = read(tmp_path, content)
    assert "is not text (binary?)" in problem.reason


def test_file_that_is_not_there_is_a_problem(tmp_path):
    (problem,) = load(Source(tmp_path / "none.csv", "in/none.csv"))
    assert "cannot be read" in problem.reason


def test_unreadable_date_is_told_and_the_row_kept(tmp_path):
    doubt, article = read(tmp_path, table(("title", "text", "date"), ("A", LEAD, "03/04/2024")))
    assert (doubt.where, doubt.lost, article.published_at) == ("in/a.csv row 1", False, None)


def test_field_over_the_limit_is_a_problem_of_its_row_alone(tmp_path):
    items = read(tmp_path, table(("title", "text"), ("A", LEAD), ("B", "word " * 250_000), ("C", REST)))
    assert (texts(items), places(items)) == ([LEAD, REST], ["in/a.csv row 2"])
    assert "longer than any article" in items[1].reason


@pytest.fixture
def low_limit(monkeypatch):
    before = csv.field_size_limit()
    monkeypatch.setattr(ingest.loaders.records, "MAX_CHARS", 1000)
    yield
    csv.field_size_limit(before)


@pytest.mark.usefixtures("low_limit")
def test_field_over_the_limit_with_line_breaks_is_a_problem_of_its_row_alone(tmp_path):
    long = "The list goes on, and on.\n" * 60
    items = read(tmp_path, table(("title", "text"), ("A", LEAD), ("B", long), ("C", REST)))
    assert (texts(items), places(items)) == ([LEAD, REST], ["in/a.csv row 2"])


def test_quote_that_is_never_closed_does_not_swallow_the_rest_in_silence(tmp_path):
    items = read(tmp_path, f'title,text\nA,{LEAD}\nB,"{CAFE}\nC,{CAFE}\nD,{LEAD}\n')
    assert texts(items)[0] == LEAD
    assert places(items)


def test_ids_stay_the_same_when_a_table_is_read_again(tmp_path):
    rows = ("title", "text", "url"), ("A", LEAD, "https://gull.example/a"), ("B", REST, "")
    again = [[item.id for item in read(tmp_path, table(*rows))] for _ in range(2)]
    assert again[0] == again[1]
    assert len(set(again[0])) == 2
