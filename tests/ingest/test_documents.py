import io
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import docx
import pytest
from pypdf import PdfReader, PdfWriter

from ingest.loaders import load
from ingest.loaders.source import Options, Source
from ingest.report import Problem
from rag.schema import Article

TITLE = "Market moves to the north quay"
LEAD = "The harbour council voted on Tuesday to move the fish market."
REST = "Stall holders will pay the same rent until the end of next year."


MAY_3 = datetime(2024, 5, 3, tzinfo=UTC)


def read(folder: Path, name: str, content: bytes, **source: object):
    path = folder / name
    path.write_bytes(content)
    return list(load(Source(path, f"in/{name}", **source)))


def one(folder: Path, name: str, content: bytes, **source: object) -> Article:
    (article,) = read(folder, name, content, **source)
    assert isinstance(article, Article), article
    return article


def reason(folder: Path, name: str, content: bytes) -> str:
    (problem,) = read(folder, name, content)
    assert isinstance(problem, Problem), problem
    assert (problem.where, problem.lost) == (f"in/{name}", True)
    return problem.reason


def pdf(*pages: tuple[str, ...], about: str = "") -> bytes:
    """Write a PDF by hand: one font, one content stream a page, a line of text for each string."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {count} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, lines in enumerate(pages):
        shown = " ".join(f"({line}) Tj T*" for line in lines)
        content = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET"
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ]
    objects.append(f"<< {about} >>")
    data, starts = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        starts.append(len(data))
        data += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    table = "".join(f"{start:010d} 00000 n \n" for start in starts)
    size = len(objects) + 1
    return data + (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {size} /Root 1 0 R /Info {len(objects)} 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    ).encode("latin-1")


def encrypted(data: bytes, password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(password, owner_password="owner", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def word(*paragraphs: str, title: str = "", author: str = "") -> bytes:
    document = docx.Document()
    document.core_properties.title = title
    document.core_properties.author = author
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def repacked(data: bytes, changed: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            new.writestr(name, changed.get(name, old.read(name)))
    return file.getvalue()


# -- PDF -----------------------------------------------------------------------------------------------


def test_pdf_gives_its_text_and_author(tmp_path):
    article = one(tmp_path, "a.pdf", pdf((TITLE, LEAD, REST), about="/Author (Lena Moss)"))
    assert (article.title, article.text) == (TITLE, f"{LEAD}\n\n{REST}")
    assert (article.authors, article.source, article.url) == (("Lena Moss",), "", "")


def test_pages_of_a_pdf_follow_each_other(tmp_path):
    article = one(tmp_path, "a.pdf", pdf((TITLE, LEAD), (REST,), ("The lease was signed at noon.",)))
    assert article.text == f"{LEAD}\n\n{REST}\n\nThe lease was signed at noon."


def test_pdf_gives_the_title_that_it_states(tmp_path):
    article = one(tmp_path, "a.pdf", pdf((LEAD, REST), about="/Title (Fish market to move)"))
    assert (article.title, article.title_inferred) == ("Fish market to move", False)


def test_date_of_a_pdf_is_not_that_of_the_news(tmp_path):
    dated = pdf((TITLE, LEAD), about="/CreationDate (D:20240503120000Z) /ModDate (D:20240503120000Z)")
    article = one(tmp_path, "a.pdf", dated)
    assert (article.published_at, article.modified_at) == (None, None)


def test_pdf_that_was_fetched_keeps_its_address(tmp_path):
    address = "https://gull.example/a.pdf"
    assert one(tmp_path, "a.pdf", pdf((TITLE, LEAD)), url=address).url == address


@pytest.mark.parametrize("password", ["secret", ""])
def test_encrypted_pdf_is_a_problem_or_opens_without_a_password(tmp_path, password):
    (item,) = read(tmp_path, "a.pdf", encrypted(pdf((TITLE, LEAD)), password))
    if password or isinstance(item, Problem):
        assert item == Problem("in/a.pdf", "is encrypted: save it without a password")
    else:
        assert item.text == LEAD


def test_damaged_pdf_is_a_problem(tmp_path):
    whole = pdf((TITLE, LEAD, REST))
    for damaged in (whole[:300], whole[: len(whole) // 2], b"%PDF-1.4 and nothing more", b"no PDF", bytes(range(256))):
        assert "is no readable PDF" in reason(tmp_path, "a.pdf", damaged)


def test_pdf_whose_pages_form_a_circle_is_a_problem(tmp_path):
    circle = pdf((TITLE, LEAD)).replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")
    assert "is no readable PDF" in reason(tmp_path, "a.pdf", circle)


def test_pdf_without_text_is_a_problem_with_a_cure(tmp_path):
    assert "run text recognition" in reason(tmp_path, "a.pdf", pdf((), ()))


@pytest.mark.parametrize("name", ["a.pdf", "a.docx"])
def test_empty_document_is_a_problem(tmp_path, name):
    assert reason(tmp_path, name, b"") == "is empty: nothing to add"


# -- Word ----------------------------------------------------------------------------------------------


def test_word_file_gives_title_author_and_paragraphs(tmp_path):
    article = one(tmp_path, "a.docx", word(LEAD, "", REST, title=TITLE, author="Lena Moss"))
    assert (article.title, article.text, article.authors) == (TITLE, f"{LEAD}\n\n{REST}", ("Lena Moss",))
    assert (article.published_at, article.source, article.title_inferred) == (None, "", False)


def test_word_file_without_properties_takes_its_first_line_as_title(tmp_path):
    article = one(tmp_path, "a.docx", word(TITLE, LEAD, REST))
    assert (article.title, article.text, article.authors) == (TITLE, f"{LEAD}\n\n{REST}", ())


def test_word_file_whose_text_repeats_its_title_has_it_once(tmp_path):
    assert one(tmp_path, "a.docx", word(TITLE, LEAD, title=TITLE)).text == LEAD


def test_word_file_without_a_date_takes_the_one_of_the_options(tmp_path):
    changed = {"options": Options(dated_by_mtime=True), "modified_at": MAY_3}
    assert one(tmp_path, "a.docx", word(TITLE, LEAD), **changed).published_at == MAY_3


@pytest.mark.parametrize("paragraphs", [(), ("", "  ")])
def test_word_file_without_text_is_a_problem(tmp_path, paragraphs):
    assert reason(tmp_path, "a.docx", word(*paragraphs)) == "holds no text: nothing to add"


def test_damaged_word_file_is_a_problem(tmp_path):
    whole = word(LEAD)
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "A")
    broken = repacked(whole, {"word/document.xml": b"<w:document"})
    for damaged in (whole[: len(whole) // 2], b"PK\x03\x04 and nothing more", b"no zip", other.getvalue(), broken):
        assert "is no readable Word file" in reason(tmp_path, "a.docx", damaged)


def test_external_entity_in_a_word_file_is_not_read(tmp_path):
    (tmp_path / "secret.txt").write_text("4711")
    with zipfile.ZipFile(io.BytesIO(word(LEAD, "PLACE"))) as archive:
        xml = archive.read("word/document.xml").decode()
    start = xml.index("<w:document")
    doctype = f'<!DOCTYPE d [<!ENTITY x SYSTEM "{(tmp_path / "secret.txt").as_uri()}">]>'
    hostile = (xml[:start] + doctype + xml[start:].replace("PLACE", "&x;")).encode()
    assert "4711" not in repr(read(tmp_path, "a.docx", repacked(word(LEAD), {"word/document.xml": hostile})))


# -- packages that are not installed -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "package", "content"), [("a.pdf", "pypdf", pdf((TITLE, LEAD))), ("a.docx", "docx", word(LEAD))]
)
def test_missing_package_is_named_with_the_cure(tmp_path, monkeypatch, name, package, content):
    monkeypatch.setitem(sys.modules, package, None)
    assert reason(tmp_path, name, content) == "needs one more package: pip install 'pressmark[documents]'"
