import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.errors import NotFoundError
from rag.store import take_lock
from tests.postgres import PASSWORD
from ui.cli import app, main

TEXT = (
    "The city council of Brackwater voted on Tuesday to close the old bridge. Engineers had found cracks in two of "
    "its pillars. Repairs will cost 3.4 million crowns, said mayor Alva Brandt. The bridge reopens in spring."
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    (folder / "news.jsonl").write_text(
        json.dumps({"id": "b1", "title": "Bridge closes", "text": TEXT, "source": "Courier", "date": "2025-07-01"})
        + "\nnot json\n"
    )
    home = folder / "home"
    report = run("--home", str(home), "ingest", str(folder / "news.jsonl"), "--json")
    assert report.exit_code == 0
    assert json.loads(report.stdout)["added"] == 1
    assert "line 2" in json.loads(report.stdout)["problems"][0]["where"]
    return str(home)


def run(*arguments):
    return CliRunner().invoke(app, list(arguments))


def test_ask_prints_the_answer_as_text_and_as_json(home):
    question = "How much will the repairs of the bridge in Brackwater cost?"
    text = run("ask", question, "--home", home)
    assert text.exit_code == 0
    assert "3.4 million crowns" in text.stdout
    assert "[1] Courier, 1 July 2025" in text.stdout
    answer = json.loads(run("--home", home, "ask", question, "--json").stdout)
    assert answer["citations"][0]["quote"] in TEXT


def test_search_lists_passages_with_outlet_and_date(home):
    found = run("search", "cracks in the pillars", "--home", home)
    assert "1. Bridge closes" in found.stdout
    assert "Courier, 1 July 2025" in found.stdout
    assert json.loads(run("search", "cracks", "--home", home, "--json").stdout)[0]["passage"]["article_id"] == "b1"
    assert "Nothing found" in run("search", "cracks", "--home", home, "--until", "2020-01-01").stdout


def test_articles_are_listed_and_shown(home):
    assert "b1  1 July 2025  Courier: Bridge closes" in run("articles", "list", "--home", home).stdout
    assert TEXT in run("articles", "show", "b1", "--home", home).stdout
    assert isinstance(run("articles", "show", "zz", "--home", home).exception, NotFoundError)


def test_a_deleted_article_is_gone(home, tmp_path):
    (tmp_path / "x.txt").write_text("Snow fell on the Isle of Sorrel for nine days, and the harbour stayed shut.")
    run("ingest", str(tmp_path / "x.txt"), "--home", home)
    listed = json.loads(run("articles", "list", "--home", home, "--json").stdout)
    (id_,) = [article["id"] for article in listed if article["id"] != "b1"]
    assert run("articles", "delete", id_, "--home", home).exit_code == 0
    assert id_ not in run("articles", "list", "--home", home).stdout


def test_doctor_finds_everything_well(home):
    checks = json.loads(run("doctor", "--home", home, "--json").stdout)
    assert {check["name"] for check in checks} >= {"versions", "embedding model", "disk", "archive", "lock", "index"}
    assert all(check["ok"] for check in checks)


def test_doctor_looks_at_an_archive_in_postgres(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("PRESSMARK_ARCHIVE_URL", postgres.address())
    (tmp_path / "x.txt").write_text("Snow fell on the Isle of Sorrel for nine days, and the harbour stayed shut.")
    home = str(tmp_path / "home")
    assert run("ingest", str(tmp_path / "x.txt"), "--home", home).exit_code == 0
    checks = json.loads(run("doctor", "--home", home, "--json").stdout)
    assert all(check["ok"] for check in checks)
    (archive,) = (check["detail"] for check in checks if check["name"] == "archive")
    assert archive.startswith("1 articles, 1 passages, 1 stories in postgresql+psycopg://press:***@127.0.0.1")
    monkeypatch.setenv("PRESSMARK_ARCHIVE_URL", f"postgresql://press:{PASSWORD}@127.0.0.1:9/news")
    failed = run("doctor", "--home", home)
    assert failed.exit_code == 1
    assert "FAIL archive" in failed.stdout
    assert PASSWORD not in failed.stdout


def test_doctor_tries_the_chat_model(home, monkeypatch):
    assert "built-in reader" in run("doctor", "--chat", "--home", home).stdout
    monkeypatch.setenv("PRESSMARK_CHAT_MODEL", "openai:any")
    monkeypatch.setenv("PRESSMARK_CHAT_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("PRESSMARK_CHAT_API_KEY", "x")
    failed = run("doctor", "--chat", "--home", home)
    assert failed.exit_code == 1
    assert "FAIL chat model: openai:any: The chat model failed" in failed.stdout


def test_a_date_that_is_none_is_refused(home):
    refused = run("search", "bridge", "--home", home, "--since", "last tuesday")
    assert refused.exit_code == 2
    assert "2025-06-01" in refused.stderr


def test_eval_of_an_empty_home_says_what_to_do(tmp_path):
    refused = run("eval", "run", "--home", str(tmp_path))
    assert refused.exit_code == 2
    assert "ingest" in refused.stderr


def test_eval_names_gold_that_the_archive_does_not_hold(home, tmp_path):
    question = {
        "id": "q1", "question": "What did the council of Brackwater vote to close?", "history": [],
        "now": "2025-09-01", "answerable": True, "answers": [["bridge"]], "window": None, "tags": ["what"],
        "evidence": [{"article_id": "b1", "quote": "voted on Tuesday to close the old bridge"}], "split": "dev",
    }  # fmt: skip
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps(question))
    fits = run("eval", "run", str(path), "--home", home)
    assert fits.exit_code == 0
    assert "do not fit" not in fits.stderr
    question["evidence"][0]["quote"] = "voted to build a new bridge"
    path.write_text(json.dumps(question))
    misfits = run("eval", "run", str(path), "--home", home)
    assert "do not fit this archive: q1" in misfits.stderr


def test_the_search_alone_is_measured_and_questions_may_be_drawn(home, tmp_path):
    path = tmp_path / "relevant.jsonl"
    line = {"id": "q1", "question": "What did the council of Brackwater close?", "relevant": {"b1": 1}, "split": "dev"}
    path.write_text(json.dumps(line))
    found = run("eval", "search", str(path), "--home", home)
    assert found.exit_code == 0, found.stderr
    assert [row.split()[1] for row in found.stdout.splitlines() if row.startswith(("dense", "bm25", "fused"))] == [
        "1.000"
    ] * 3

    lines = [
        {"id": f"q{number}", "question": f"Who is number {number}?", "answerable": False, "answers": [], "evidence": [],
         "tags": ["who"], "split": "dev"}
        for number in range(5)
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, lines)))
    drawn = run("eval", "run", str(path), "--home", home, "--sample", "2", "--parallel", "2", "--judge", "none")
    assert drawn.stdout.startswith("2 questions"), drawn.stderr


def test_values_of_a_grid_are_read_before_anything_is_asked(home, tmp_path):
    path = tmp_path / "questions.jsonl"
    line = {"id": "q", "question": "Who?", "answerable": False, "answers": [], "evidence": [], "tags": []}
    path.write_text(json.dumps(line | {"split": "dev"}))
    bad = run("eval", "sweep", str(path), "--home", home, "--grid", "k=2,abc")
    assert "k=2" not in bad.stderr.splitlines()
    assert "PRESSMARK_K" in str(bad.exception)
    assert run("eval", "sweep", str(path), "--home", home, "--grid", "k=2", "--grid", "k=4").exit_code == 2


def test_an_expected_failure_is_one_line_without_a_trace(home, capsys, monkeypatch):
    lock = take_lock(Path(home))
    monkeypatch.setattr(sys, "argv", ["pressmark", "--home", home, "ask", "Why?"])
    with pytest.raises(SystemExit) as stopped:
        main()
    lock.release()
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert f"process {os.getpid()}" in error
    assert "Traceback" not in error


def test_help_is_quick_and_names_every_command():
    shown = subprocess.run([sys.executable, "-m", "ui.cli", "--help"], capture_output=True, text=True, check=True)
    for name in ("demo", "ingest", "ask", "search", "serve", "articles", "eval", "doctor"):
        assert name in shown.stdout


def test_a_file_of_questions_is_not_drafted_over_and_a_run_is_kept_before_it_is_written_elsewhere(home, tmp_path):
    path = tmp_path / "reviewed.jsonl"
    path.write_text("{}")
    refused = run("eval", "draft", str(path), "--home", home)
    assert refused.exit_code == 2
    assert path.read_text() == "{}"

    line = {
        "id": "kept",
        "question": "Who?",
        "answerable": False,
        "answers": [],
        "evidence": [],
        "tags": [],
        "split": "dev",
    }
    path.write_text(json.dumps(line))
    before = len(run("eval", "runs", "--home", home).stdout.splitlines())
    (tmp_path / "file").write_text("")
    failed = run(
        "eval", "run", str(path), "--home", home, "--judge", "none", "--out", str(tmp_path / "file" / "run.json")
    )
    assert "choose another place" in str(failed.exception)
    assert len(run("eval", "runs", "--home", home).stdout.splitlines()) == before + 1
