from pathlib import Path

import pytest

from manyheads.experiments.foreign_code import Blame, ForeignCodeError, run_file


@pytest.fixture(autouse=True)
def paths_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [*__import__("sys").path])


def test_files_in_two_folders_have_their_own_neighbours(tmp_path: Path) -> None:
    folders = [tmp_path, tmp_path / "below", tmp_path / "other"]
    for width, folder in enumerate(folders):
        (folder / "bricks").mkdir(parents=True)
        (folder / "bricks" / "__init__.py").write_text("")
        (folder / "bricks" / "sizes.py").write_text(f"width = {width}\n")
        (folder / "paint.py").write_text(f"width = {width}\n")
        (folder / "own.py").write_text("import paint\nfrom bricks.sizes import width\n")
    made = [run_file(folder / "own.py") for folder in (*folders, tmp_path)]
    assert [(one.width, one.paint.width) for one in made] == [(0, 0), (1, 1), (2, 2), (0, 0)]


def test_what_is_installed_stays_loaded(tmp_path: Path) -> None:
    (tmp_path / "polars.py").write_text("width = 3\n")
    (tmp_path / "own.py").write_text("import polars\n")
    assert run_file(tmp_path / "own.py").polars is __import__("polars")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.py"):
        with pytest.raises(ValueError, match="is not a Python file"):
            run_file(path)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("from torch import nn\nnet = nn.Linear(3\n", r"own\.py, line 2: SyntaxError"),
        ("import nowhere_at_all\n", r"own\.py, line 1, in <module> .*ModuleNotFoundError.*while the file was loaded"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_blamed(tmp_path: Path, code: str, message: str) -> None:
    (tmp_path / "own.py").write_text(code)
    with pytest.raises(ForeignCodeError, match=message):
        run_file(tmp_path / "own.py")


def test_an_error_elsewhere_names_the_file_alone(tmp_path: Path) -> None:
    blame = Blame(own := tmp_path / "own.py", "meanwhile")
    with pytest.raises(ForeignCodeError, match=rf"^{own}: RuntimeError: .* \.\.\. \(meanwhile\)$"), blame:
        raise RuntimeError("long " * 100)


def test_who_stops_the_program_is_not_blamed(tmp_path: Path) -> None:
    blame = Blame(tmp_path / "own.py", "meanwhile")
    with pytest.raises(KeyboardInterrupt), blame:
        raise KeyboardInterrupt
