import json
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = ("rag", "ingest", "ui", "eval")


def test_no_other_package_owns_our_names():
    owners = packages_distributions()
    for name in OURS:
        assert set(owners.get(name, ["pressmark"])) == {"pressmark"}


def test_the_command_line_imports_nothing_heavy():
    code = (
        "import sys, ui.cli\n"
        "heavy = {'torch', 'gradio', 'chromadb', 'langchain_core', 'langchain', 'numpy', 'pydantic', 'fastapi'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_articles_are_read_and_asked_without_torch(tmp_path):
    code = (
        "import sys; from pathlib import Path; from ingest.run import ingest\n"
        "from rag.chain import build_chain; from rag.settings import Settings\n"
        "chain = build_chain(Settings(_env_file=None, home=Path(sys.argv[1]) / 'home'))\n"
        "ingest([Path(sys.argv[1]) / 'news.jsonl'], chain.store, passage_tokens=128)\n"
        "answer = chain.invoke('Who opened the bridge?'); chain.close()\n"
        "print(answer.status, sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    record = {
        "title": "Bridge opens",
        "text": "Mayor Ana Roke opened the bridge on Tuesday.",
        "published_at": "2025-06-01",
    }
    (tmp_path / "news.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "answered []"


def test_constraints_pin_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert "torch==2.13.0" in pins
    assert all(line.count("==") == 1 and "/" not in line and "@" not in line for line in pins)


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().split()}
    for requirement in wanted:
        name = requirement.replace("==", ">").replace("<", ">").split(">")[0].split("[")[0]
        assert name.lower().replace("_", "-") in pinned, name


def test_what_the_wheel_needs_lies_in_our_packages():
    for path in (
        "rag/data/encoder.onnx",
        "rag/data/reader.json",
        "rag/data/reader.safetensors",
        "rag/data/reader.safetensors.sha256",
        "eval/data/sample/articles.jsonl",
        "eval/data/sample/questions.jsonl",
        "eval/data/sample/descriptive.jsonl",
    ):
        assert (ROOT / path).is_file()
