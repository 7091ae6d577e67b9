"""The user's cache, where the user has a home."""

from pathlib import Path

import platformdirs
import pytest

from relight_assets.errors import ModelFileError
from relight_assets.models import remembered_hashes, store
from relight_assets.models.user_cache import user_cache


def test_it_is_in_the_home_or_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "relight_assets"


def no_home(_: str) -> Path:
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("reported", [no_home, lambda _: Path("~/.cache/relight_assets")])
def test_without_a_home_the_folder_of_the_models_must_be_named(
    reported: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RELIGHT_MODEL_DIR", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", reported)
    assert user_cache() is None
    with pytest.raises(ModelFileError, match=r"set model_dir in config/platform.yaml \(RELIGHT_MODEL_DIR\)"):
        store.model_dir()
    assert store.model_dir(tmp_path) == tmp_path
    assert remembered_hashes._remembered() == {}
    remembered_hashes._remember({"a": 1})
    assert list(tmp_path.iterdir()) == []
