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
        "rag/data/reader.json",
        "rag/data/reader.safetensors",
        "rag/data/reader.safetensors.sha256",
        "eval/data/sample/articles.jsonl",
        "eval/data/sample/questions.jsonl",
        "eval/data/sample/descriptive.jsonl",
    ):
        assert (ROOT / path).is_file()
