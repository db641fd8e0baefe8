import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag.archive import Archive
from rag.archive_tables import SCHEMA_VERSION
from rag.database import Database
from rag.errors import SettingsError, StoreError
from rag.settings import Settings
from rag.store import open_archive
from tests.postgres import PASSWORD

OLD = Path(__file__).parents[1] / "data" / "archives"
SECRET = "seven-herons"


def old_archive(path, version):
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((OLD / f"v{version}.sql").read_text(encoding="utf-8"))


def columns(path):
    """Return the columns of each table, and the keys and indexes."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT t.type, t.name, c.name FROM sqlite_schema t LEFT JOIN pragma_table_info(t.name) c "
            "WHERE t.name NOT LIKE '%pressmark_schema%'"
        )
        return {tuple(row) for row in found}


# -- SQLite: files of all ages -----------------------------------------------------------------------


def test_a_file_that_is_no_archive_is_refused_with_the_cure(tmp_path):
    path = tmp_path / "archive.sqlite"
    path.write_bytes(b"not a database, but long enough to look like one" * 20)
    with pytest.raises(StoreError, match=r"not a Pressmark archive .*--home"):
        Archive.open(path)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_old_archive_loses_nothing(tmp_path, version):
    path = tmp_path / "archive.sqlite"
    old_archive(path, version)
    for _ in range(2):  # it opens again, too
        with closing(Archive.open(path)) as archive:
            article = archive.article("a")
            assert (article.text, article.authors) == ("Four people died, Kovářík said.", ("Ana Šimić",))
            assert archive.article("a", "1").text == "Three people died."
            assert [item.id for item in archive.pending()] == ["b"]
            assert [id_ for id_, _ in archive.full_text.search("Kovarik", limit=5)] == ["a@2#0"]
            assert archive.orphans() == ["a@1#0"]
            assert archive.stories.sharing_bands(["band"], apart_from="") == {"a": ["band"]}
            assert archive.fact("last_ingest") == "1756684803"
            assert archive.files.stamp("/news/a.jsonl") == ("12:34" if version > 1 else "")
            assert [problem.reason for problem in archive.files.problems()] == ["no text"] * (version > 1)
            assert (article.modified_at is not None) == (version > 1)
            assert [feedback.reason for feedback in archive.feedback.all()] == ["good"] * (version > 2)
            assert archive.served.since(datetime(2025, 1, 1, tzinfo=UTC)).claims == 2 * (version > 2)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_old_archive_becomes_what_a_new_one_is(tmp_path, version):
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    old_archive(old, version)
    Archive.open(old).close()
    Archive.open(new).close()
    assert columns(old) == columns(new)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_an_upgrade_that_fails_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "archive.sqlite"
    old_archive(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE served (at INTEGER)")  # in the way of the last revision
    before = columns(path)
    with pytest.raises(StoreError):
        Archive.open(path)
    assert columns(path) == before


def test_the_schema_is_the_last_revision():
    from alembic.script import ScriptDirectory

    from rag.migrations import alembic_config

    assert ScriptDirectory.from_config(alembic_config(None)).get_heads() == [f"{SCHEMA_VERSION:04}"]


def test_an_archive_of_a_newer_schema_is_refused(tmp_path):
    path = tmp_path / "archive.sqlite"
    Archive.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer"):
        Archive.open(path)


def test_an_archive_that_is_up_to_date_opens_without_alembic(tmp_path):
    path = tmp_path / "archive.sqlite"
    Archive.open(path).close()
    code = (
        "import sys; from pathlib import Path; from rag.archive import Archive\n"
        "assert 'sqlalchemy' not in sys.modules\n"
        f"Archive.open(Path({str(path)!r})).close(); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_reader_does_not_wait_for_a_writer(tmp_path):
    with closing(Archive.open(tmp_path / "archive.sqlite")) as archive, archive.transaction():
        archive.set_fact("x", "1")
        seen = []
        reader = threading.Thread(target=lambda: seen.append(archive.fact("x")))
        reader.start()
        reader.join(10)
        assert seen == [""]


def test_rows_are_written_in_a_transaction_only(tmp_path):
    with closing(Database.open(tmp_path / "archive.sqlite")) as db, pytest.raises(RuntimeError, match="transaction"):
        db.execute("DELETE FROM facts")


def test_a_statement_that_fails_names_the_archive(tmp_path):
    with closing(Database.open(tmp_path / "archive.sqlite")) as db, pytest.raises(StoreError, match="no such table"):
        db.rows("SELECT 1 FROM nowhere")


# -- PostgreSQL --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nonsense", "is no address"),
        (f"postgresql://u:{SECRET}@h:port/db", "is no address"),
        (f"mysql://u:{SECRET}@h/db", "'mysql'"),
        (f"sqlite:///{SECRET}", "'sqlite'"),
    ],
)
def test_an_address_of_no_postgres_is_refused(address, said):
    with pytest.raises(SettingsError, match=f"PRESSMARK_ARCHIVE_URL.*{said}") as caught:
        Archive.connect(address)
    assert SECRET not in str(caught.value)


def test_without_the_driver_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match=r"pip install 'pressmark\[postgres\]'"):
        Archive.connect(f"postgresql://u:{SECRET}@127.0.0.1/db")


@pytest.mark.parametrize("query", ["", f"?password={SECRET}"])
def test_a_server_that_does_not_answer_is_an_error_without_the_password(query):
    pytest.importorskip("psycopg")
    address = f"postgresql+psycopg://press:{SECRET}@127.0.0.1:9/news{query}"
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:9/news .*PRESSMARK_ARCHIVE_URL") as caught:
        Archive.connect(address)
    assert SECRET not in str(caught.value)
    settings = Settings(_env_file=None, archive_url=address)
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_the_settings_choose_the_database(postgres, tmp_path):
    address = postgres.address()
    with closing(open_archive(Settings(_env_file=None, home=tmp_path, archive_url=address))) as archive:
        archive.set_fact("x", "1")
    with closing(Archive.connect(address)) as again:
        assert again.fact("x") == "1"
    assert not (tmp_path / "archive.sqlite").exists()


def test_a_newer_schema_in_postgres_is_refused(postgres):
    address = postgres.address()
    with closing(Database.connect(address)) as db, db.transaction():
        db.execute("UPDATE pressmark_schema SET version_num = '0099'")
    with pytest.raises(StoreError, match="newer Pressmark") as caught:
        Archive.connect(address)
    assert PASSWORD not in str(caught.value)


def test_a_database_that_cannot_hold_all_letters_is_refused(postgres):
    postgres.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreError, match="LATIN1"):
        Archive.connect(f"postgresql://press@127.0.0.1:{postgres.port}/latin")


def test_a_killed_server_leaves_nothing_half_written_and_is_used_again(postgres):
    def interrupted(archive):
        with archive.transaction():
            archive.set_fact("half", "1")
            postgres.kill()
            archive.set_fact("written", "1")

    with closing(Archive.connect(postgres.address())) as archive:
        archive.set_fact("before", "1")
        with pytest.raises(StoreError, match="whether the server runs") as caught:
            interrupted(archive)
        with pytest.raises(StoreError, match="whether the server runs") as again:
            archive.fact("before")
        assert PASSWORD not in f"{caught.value} {again.value}"
        postgres.start()
        assert (archive.fact("before"), archive.fact("half"), archive.fact("written")) == ("1", "", "")
        archive.set_fact("after", "1")
        assert archive.fact("after") == "1"


WRITER = """
import sys
from datetime import UTC, datetime
from rag.archive import Archive
from rag.schema import Article, Passage
archive = Archive.connect(sys.argv[1])
for n in range(30):
    article = Article(id=f"a{n % 5}", version=f"{sys.argv[2]}-{n}", title="T", text="Rain fell.")
    archive.add_pending([(article, "s")], now=datetime.now(UTC))
    passage = Passage(f"{article.id}#{n}", article.id, article.version, 0, 0, 10, "Rain fell.", "T")
    archive.mark_indexed(article, [passage])
    archive.files.found([("/f", article.id)], run=n)
    with archive.transaction():
        archive.set_fact("count", str(int(archive.fact("count") or 0) + 1))
"""


def test_processes_that_write_at_once_lose_nothing(postgres):
    address = postgres.address()
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, address, str(number)]) for number in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with closing(Archive.connect(address)) as archive:
        assert archive.fact("count") == "90"
        assert archive.article_count() == archive.passage_count() == 5
        assert archive.full_text.document_frequencies(["rain"]) == ({"rain": 5}, 5)
        assert archive.pending() == []
