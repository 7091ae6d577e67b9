"""The files of a new project, as this package comes with them: a configuration that is all defaults."""

from importlib.resources import files

DAGSTER_YAML = "config/dagster.yaml"

# Their place in a project, and in the package, where a name with a dot in front would be easily left out.
_FILES = {
    "config/platform.yaml": "config/platform.yaml",
    "config/mvp_config.yaml": "config/mvp_config.yaml",
    DAGSTER_YAML: "config/dagster.yaml",
    "workspace.yaml": "workspace.yaml",
    ".gitignore": "gitignore",
    "README.md": "README.md",
}
FOLDERS = ("config", "data")
"""The folders of a new project."""


def project_files() -> dict[str, bytes]:
    """The content of each file of a new project, by its path in the project's folder."""
    return {name: project_file(name) for name in _FILES}


def project_file(name: str) -> bytes:
    """The content of one of them.  Raises KeyError for a name that is not among them."""
    return files("relight_assets.config").joinpath("project_template", _FILES[name]).read_bytes()
