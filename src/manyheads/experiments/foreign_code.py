"""Code that somebody else wrote, in a Python file of their own: run, and blamed by line where it fails."""

import sys
import traceback
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, TracebackType

_LONGEST_MESSAGE = 400
_NOT_THEIRS = (Path(__file__).resolve().parents[1], Path(sys.prefix), Path(sys.base_prefix))
_FOLDERS: set[str] = set()  # those that `run_file` has put on the path for imports


class ForeignCodeError(ValueError):
    """Code that is not this package's has failed; the message says where in it, and at what."""


@dataclass(frozen=True)
class Blame:
    """For as long as the context lasts, an error belongs to somebody's own file and is told as such.

    Args:
        path: the file.
        doing: what was being done, as in "while it was loaded".

    Raises:
        ForeignCodeError: instead of whatever goes wrong inside; the original error is its cause.
    """

    path: Path
    doing: str

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell an error in one line."""
        if isinstance(error, Exception | SystemExit) and not isinstance(error, ForeignCodeError):
            told = " ".join(str(error).split())
            told = told if len(told) <= _LONGEST_MESSAGE else f"{told[:_LONGEST_MESSAGE]} ..."
            where = _place(error, path=self.path)
            raise ForeignCodeError(f"{where}: {type(error).__name__}: {told} ({self.doing})") from error


def run_file(path: Path) -> ModuleType:
    """Run somebody's file as a module of its own, which may import what lies beside it.

    What a file in another folder brought along under the name of something beside this one is forgotten before.

    Args:
        path: the file.

    Raises:
        ValueError: if it is no Python file.
        ForeignCodeError: if its code fails.
    """
    spec = spec_from_file_location(f"manyheads_foreign_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file")
    _look_beside(path.resolve().parent)
    module = sys.modules[spec.name] = module_from_spec(spec)
    with Blame(path, "while the file was loaded"):
        spec.loader.exec_module(module)
    return module


def _look_beside(folder: Path) -> None:
    """Let imports find what is in a folder, before what is in the folders of other files, and after all else."""
    earlier = [place for place in sys.path if place in _FOLDERS and place != str(folder)]
    sys.path[:] = [place for place in sys.path if place not in earlier]
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
        _FOLDERS.add(str(folder))
    sys.path.extend(earlier)
    stale = {name for name, module in sys.modules.items() if "." not in name and _hides(module, folder)}
    for name in [one for one in sys.modules if one.partition(".")[0] in stale]:
        del sys.modules[name]


def _hides(module: ModuleType, folder: Path) -> bool:
    """Tell whether a module came from the folder of another file, though this folder has one of its name."""
    file = Path(getattr(module, "__file__", None) or "")
    beside = {folder / f"{module.__name__}.py", folder / module.__name__ / "__init__.py"}
    elsewhere = file not in beside and any(str(one) in _FOLDERS for one in file.parents)
    return elsewhere and any(one.is_file() for one in beside)


def _place(error: BaseException, *, path: Path) -> str:
    """Say where somebody's own code failed: the innermost line of the file, or of one beside or below it."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}"
    folder = path.resolve().parent
    every = traceback.extract_tb(error.__traceback__)
    frames = [one for one in every if is_own(Path(one.filename).resolve(), folder=folder)]
    if not frames:
        return f"{path}"
    last = frames[-1]
    line = f" `{last.line}`" if last.line else ""
    shown = path if Path(last.filename).resolve() == path.resolve() else Path(last.filename).name
    return f"{shown}, line {last.lineno}, in {last.name}{line}"


def is_own(file: Path, *, folder: Path) -> bool:
    """Tell whether a file is the user's: in or below their folder, and neither installed nor this package's."""
    inside = file.parents
    foreign = any(folder in root.parents and root in inside for root in _NOT_THEIRS)
    return folder in inside and not foreign and "site-packages" not in file.parts
