"""The wheel holds everything that is needed at run time, and works where only the wheel is installed."""

import os
import re
import shutil
import site
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "manyheads"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = re.search(r'__version__ = "(.+)"', (PACKAGE / "__init__.py").read_text(encoding="utf-8"))[1]
OPTIONAL = {"beartype", "foolbox", "hypothesis", "pytest", "timm", "torchvision"}

LOAD_EVERYTHING = """
import importlib, pkgutil, sys, manyheads
names = [module.name for module in pkgutil.walk_packages(manyheads.__path__, "manyheads.")]
for name in names:
    importlib.import_module(name)
print(manyheads.__file__, len(names), *sys.modules, sep="\\n")
"""
READ_DATA_FILES = """
from importlib.resources import files
from manyheads.tasks import maps
table = (files("manyheads.studies") / "printed" / "hyun2024_table2.csv").read_text(encoding="utf-8")
print(maps.load("mnist/prime").names, len(table.splitlines()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the tree, so that no build output lands in the tree or comes from it."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    # Without isolation the build takes the environment's own setuptools and needs no package index.
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", str(copy))
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment that holds the wheel.

    The dependencies are those of the environment that runs the tests, reached through a .pth file: they come from the
    same constraints, and fetching PyTorch once more would take minutes. That file comes last on the path and brings no
    editable install with it, so that `manyheads` can only be the wheel's.
    """
    home = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(home, with_pip=False)
    interpreter = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(interpreter)]
    call(*pip, "install", "--no-index", "--no-deps", str(wheel))
    purelib = Path(call(str(interpreter), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (purelib / "dependencies.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return interpreter


def call(*command: str, folder: Path | None = None) -> str:
    """Run a command without the caller's PYTHONPATH, which would let the tree stand in for the wheel."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    written = {path.relative_to(ROOT / "src").as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    written = {name for name in written if "__pycache__" not in name}
    assert {"manyheads/py.typed", "manyheads/studies/printed/hyun2024_table2.csv"} <= written
    assert written <= set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_says_who_may_use_it_and_which_version_it_is(wheel: Path) -> None:
    packed = zipfile.ZipFile(wheel)
    information = f"manyheads-{VERSION}.dist-info"
    assert "MIT License" in packed.read(f"{information}/licenses/LICENSE").decode()
    assert "License-Expression: MIT" in packed.read(f"{information}/METADATA").decode()


def test_the_installed_command_answers(python: Path, tmp_path: Path) -> None:
    assert "study" in call(str(python.parent / "manyheads"), "--help", folder=tmp_path)


def test_the_installed_package_needs_no_extra(python: Path, tmp_path: Path) -> None:
    where, count, *loaded = call(str(python), "-c", LOAD_EVERYTHING, folder=tmp_path).splitlines()
    assert Path(where).is_relative_to(python.parents[1])
    assert int(count) > 20
    assert OPTIONAL & set(loaded) == set()


def test_the_installed_package_finds_its_data_files(python: Path, tmp_path: Path) -> None:
    names, lines = call(str(python), "-c", READ_DATA_FILES, folder=tmp_path).rsplit(maxsplit=1)
    assert "prime" in names
    assert int(lines) == 161


def test_the_changelog_describes_this_version() -> None:
    released = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert released[0] == VERSION


def test_every_dependency_has_a_tested_version() -> None:
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in declared} - {"manyheads"}
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert names <= set(pinned)
