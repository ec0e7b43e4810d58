"""The files around the package agree with each other, and the tests run under the settings they count on."""

from __future__ import annotations

import configparser
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import tinytorch

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it on 3.10

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = {"plots", "files", "serve", "observe", "plans", "onnx", "scale", "course", "bench", "test", "dev"}
PLATFORMS = {"linux": ("Linux", "posix"), "darwin": ("Darwin", "posix"), "win32": ("Windows", "nt")}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
CONSTRAINT = re.compile(r"[a-z0-9][a-z0-9._-]*==[0-9][a-z0-9.]*( ; [^@:/#]+)?")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pyproject() -> dict:
    return tomllib.loads(read("pyproject.toml"))


@pytest.fixture(scope="module")
def settings() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(read("settings.ini"))
    return parser["DEFAULT"]


def environments() -> Iterator[dict[str, str]]:
    """The marker environments that the project claims to install in."""
    for version in PYTHONS:
        for platform, (system, name) in PLATFORMS.items():
            yield {
                "python_version": version,
                "python_full_version": f"{version}.9",
                "sys_platform": platform,
                "platform_system": system,
                "os_name": name,
                "platform_machine": "x86_64",
                "platform_python_implementation": "CPython",
                "implementation_name": "cpython",
            }


def applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment)


def requirements(project: dict) -> list[Requirement]:
    """Everything the project asks for, its own extras left out."""
    texts = [*project["dependencies"], *(text for extra in project["optional-dependencies"].values() for text in extra)]
    every = [Requirement(text) for text in texts]
    return [requirement for requirement in every if canonicalize_name(requirement.name) != project["name"]]


def test_both_versions_of_nbdev_read_the_same(pyproject: dict, settings: configparser.SectionProxy) -> None:
    nbdev = pyproject["tool"]["nbdev"]
    assert settings["nbs_path"] == nbdev["nbs_path"]
    assert settings["lib_path"] == nbdev["lib_path"]
    assert settings["allowed_cell_metadata_keys"].split() == nbdev["allowed_cell_metadata_keys"] == ["nbgrader", "tags"]
    assert settings.getboolean("update_pyproject") is nbdev["update_pyproject"] is False


def test_both_versions_of_nbdev_write_the_same_index(pyproject: dict, settings: configparser.SectionProxy) -> None:
    """nbdev 3 takes the address of the documentation from the project's URLs; the index holds it."""
    assert not {"Documentation", "Repository", "Source"} & set(pyproject["project"].get("urls", {}))
    assert (settings["doc_host"], settings["doc_baseurl"], settings["git_url"]) == ("", "/", "")
    assert settings["branch"] == pyproject["tool"]["nbdev"].get("branch", "main")


def test_settings_repeat_the_project(pyproject: dict, settings: configparser.SectionProxy) -> None:
    project = pyproject["project"]
    assert settings["lib_name"] == project["name"] == "tinytorch-mlops"
    assert settings["description"] == project["description"]
    assert settings["requirements"].split() == project["dependencies"]
    assert project["requires-python"] == f">={settings['min_python']}"
    assert project["license"].lower() == settings["license"]


def test_the_version_is_said_once_and_repeated_rightly(pyproject: dict, settings: configparser.SectionProxy) -> None:
    assert pyproject["project"]["dynamic"] == ["version"]
    assert pyproject["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "tinytorch.__version__"}
    assert settings["version"] == tinytorch.__version__


def test_the_base_install_is_numpy_alone(pyproject: dict) -> None:
    assert [Requirement(text).name for text in pyproject["project"]["dependencies"]] == ["numpy"]


def test_the_extras_are_the_promised_ones(pyproject: dict) -> None:
    extras = pyproject["project"]["optional-dependencies"]
    assert set(extras) == EXTRAS
    inner = [Requirement(text) for text in extras["dev"] if text.startswith("tinytorch-mlops")]
    assert [requirement.extras for requirement in inner] == [{"test", "course", "plots", "onnx", "serve", "observe"}]


def test_constraints_are_names_and_exact_versions() -> None:
    lines = read("constraints.txt").splitlines()
    assert [line for line in lines if not CONSTRAINT.fullmatch(line)] == []
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0])


def test_constraints_fix_every_requirement_everywhere(pyproject: dict) -> None:
    """On each Python and platform exactly one line speaks for each requirement, and its version is in range."""
    fixed = [Requirement(line) for line in read("constraints.txt").splitlines()]
    wrong = []
    for environment in environments():
        chosen: dict[str, list[str]] = {}
        for line in fixed:
            if applies(line, environment):
                chosen.setdefault(canonicalize_name(line.name), []).append(str(line.specifier).removeprefix("=="))
        for wanted in requirements(pyproject["project"]):
            versions = chosen.get(canonicalize_name(wanted.name), [])
            suits = len(versions) == 1 and wanted.specifier.contains(versions[0], prereleases=True)
            if applies(wanted, environment) and not suits:
                wrong.append((str(wanted), environment["python_version"], environment["sys_platform"], versions))
    assert wrong == []


def test_the_build_tool_is_fixed_too() -> None:
    """The Makefile builds without isolation, with the setuptools of constraints.txt."""
    assert re.search(r"^setuptools==", read("constraints.txt"), flags=re.MULTILINE)


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "tinytorch/py.typed"])
def test_the_file_stands(name: str) -> None:
    assert (ROOT / name).is_file()


def test_git_keeps_arrays_binary_and_shows_notebooks_as_text() -> None:
    lines = read(".gitattributes").splitlines()
    assert {"* text=auto eol=lf", "*.npz binary"} <= set(lines)
    assert any(line.startswith("*.ipynb") and "diff=jupytext" in line for line in lines)


@pytest.mark.parametrize("part", ["core", "stats", "datasets", "mlops", "checks"])
def test_the_changelog_begins_with_what_is_unreleased_and_names_every_part(part: str) -> None:
    text = read("CHANGELOG.md")
    headings = re.findall(r"^## \[(.+?)\]", text, flags=re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert f"`tinytorch.{part}`" in text


@pytest.mark.parametrize("target", ["demo", "test", "lab", "bench", "bench-peers", "drills", "lint", "help"])
def test_the_makefile_offers(target: str) -> None:
    assert re.search(rf"^{target}:", read("Makefile"), flags=re.MULTILINE)


def test_source_files_end_their_lines_in_one_way() -> None:
    paths = [path for folder in ("tinytorch", "tests") for path in (ROOT / folder).rglob("*.py")]
    assert paths
    assert [path.name for path in paths if b"\r" in path.read_bytes()] == []


def test_a_warning_from_the_package_is_an_error_here() -> None:
    with pytest.raises(RuntimeWarning, match="overflow"):
        warnings.warn_explicit("overflow", RuntimeWarning, "x.py", 1, module="tinytorch.stats.example")


def test_a_warning_from_elsewhere_is_none() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.warn_explicit("overflow", RuntimeWarning, "x.py", 1, module="elsewhere")
    assert len(caught) == 1


def test_hypothesis_takes_its_time_and_repeats_itself() -> None:
    assert hypothesis.settings.default.deadline is None
    assert hypothesis.settings.default.derandomize


def test_a_plain_run_leaves_the_drills_out(pyproject: dict, request: pytest.FixtureRequest) -> None:
    options = pyproject["tool"]["pytest"]["ini_options"]["addopts"]
    assert options[options.index("-m") + 1] == "not drill"
    assert request.config.option.markexpr == "not drill"
