from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import env_example, load_settings


def test_the_shipped_env_example_is_what_the_settings_say():
    shipped = Path(__file__).parents[2] / ".env.example"
    assert shipped.read_text(encoding="utf-8") == env_example()


def test_the_environment_is_read(monkeypatch):
    monkeypatch.setenv("PRESSMARK_K", "5")
    assert load_settings().k == 5


def test_a_value_out_of_range_is_named_with_its_variable(monkeypatch):
    monkeypatch.setenv("PRESSMARK_K", "500")
    with pytest.raises(SettingsError, match=r"PRESSMARK_K: .*500"):
        load_settings()


def test_an_unknown_name_in_the_env_file_is_an_error(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PRESSMARK_CHATMODEL=x\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="PRESSMARK_CHATMODEL"):
        load_settings()


def test_the_key_is_not_shown():
    assert "secret" not in repr(load_settings(chat_api_key="secret"))
