"""The rules of STYLE.md that a machine can check; each exception stands in a list here, with its reason."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "manyheads"
SOURCES = sorted(PACKAGE.rglob("*.py"))
CODE = sorted(path for folder in ("src", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
WRITTEN = (".py", ".md", ".toml", ".txt", ".csv", ".html", ".css", ".json", ".cfg", ".yaml", ".yml")

LONGEST_FILE, LONGEST_FUNCTION, MOST_PARAMETERS = 250, 40, 7
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base"}
MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:home|root|work|tmp|mnt|media|Users|private|var/folders)/\w")

# What breaks a rule all the same -> why. The keys are paths, with the function's name behind a colon.
LONG_FILES: dict[str, str] = {
    "src/manyheads/experiments/__init__.py": "it lists what the package offers, each name on a line of its own",
    "src/manyheads/reports/__init__.py": "it lists what the package offers, each name on a line of its own",
}
LONG_FUNCTIONS: dict[str, str] = {}
MANY_PARAMETERS: dict[str, str] = {}
WITHOUT_TEST_FILE = {
    "src/manyheads/types.py": "it only names shapes; every test uses them",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, Function))


def body_length(function: Function) -> int:
    """Lines from the first statement to the last, the docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return function.end_lineno - body[0].lineno + 1 if body else 0


def parameters(function: Function) -> list[ast.arg]:
    """All of a function's parameters but `self` and `cls`."""
    arguments = function.args
    ordered = [*arguments.posonlyargs, *arguments.args]
    starred = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    named = [argument for argument in ordered if argument.arg not in {"self", "cls"}]
    return [*named, *arguments.kwonlyargs, *starred]


def public(scope: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, ast.stmt, ast.stmt | None]]:
    """Public names of a module and its classes, each with its statement and the statement that follows."""
    for node, following in zip(scope.body, [*scope.body[1:], None], strict=True):
        for name in names_bound_by(node):
            if not name.startswith("_") or name == "__call__":
                yield prefix + name, node, following
                if isinstance(node, ast.ClassDef):
                    yield from public(node, prefix=f"{prefix}{name}.")


def names_bound_by(node: ast.stmt) -> list[str]:
    if isinstance(node, Function | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def is_documented(node: ast.stmt, following: ast.stmt | None, *, inside_class: bool) -> bool:
    """Functions and classes by docstring, module constants by a string below; a class says what its fields are."""
    if isinstance(node, Function | ast.ClassDef):
        return ast.get_docstring(node) is not None or is_overload(node)
    is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
    return inside_class or (is_text and isinstance(following.value.value, str))


def is_overload(node: ast.stmt) -> bool:
    return any("overload" in ast.unparse(decorator) for decorator in getattr(node, "decorator_list", []))


def undocumented(path: Path) -> list[str]:
    tree = tree_of(path)
    missing = [] if ast.get_docstring(tree) else [f"{short(path)}: the module itself"]
    for name, node, following in public(tree):
        if not is_documented(node, following, inside_class="." in name):
            missing.append(f"{short(path)}:{node.lineno}: {name}")
    return missing


def unannotated(path: Path) -> list[str]:
    found = [(name, node) for name, node, _ in public(tree_of(path)) if isinstance(node, Function)]
    return [
        f"{short(path)}:{node.lineno}: {name}"
        for name, node in found
        if node.returns is None or any(argument.annotation is None for argument in parameters(node))
    ]


def texts() -> list[Path]:
    """Every file that is written by hand or packaged, without environments, runs and caches."""
    folders = [ROOT / name for name in ("src", "tests", "benchmarks", "docs", ".ci")]
    inside = [path for folder in folders for path in folder.rglob("*") if path.suffix in WRITTEN or path.name == "run"]
    beside = [path for path in ROOT.iterdir() if path.suffix in WRITTEN or path.name == "Makefile"]
    return sorted(path for path in inside + beside if path.is_file() and ".egg-info" not in short(path))


def found_beyond(limit: int, sizes: dict[str, int]) -> dict[str, int]:
    return {name: size for name, size in sizes.items() if size > limit}


def test_there_is_code_to_check() -> None:
    assert len(SOURCES) > 10
    assert len(texts()) > len(CODE)


def test_files_are_short() -> None:
    lengths = {short(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    too_long = found_beyond(LONGEST_FILE, lengths)
    assert too_long.keys() == LONG_FILES.keys(), f"over {LONGEST_FILE} lines, or listed without need: {too_long}"


def test_functions_are_short() -> None:
    lengths = {f"{short(path)}:{function.name}": body_length(function) for path in CODE for function in functions(path)}
    too_long = found_beyond(LONGEST_FUNCTION, lengths)
    assert too_long.keys() == LONG_FUNCTIONS.keys(), (
        f"over {LONGEST_FUNCTION} lines, or listed without need: {too_long}"
    )


def test_functions_take_few_parameters() -> None:
    counts = {f"{short(path)}:{each.name}": len(parameters(each)) for path in SOURCES for each in functions(path)}
    too_many = found_beyond(MOST_PARAMETERS, counts)
    assert too_many.keys() == MANY_PARAMETERS.keys(), f"over {MOST_PARAMETERS}, or listed without need: {too_many}"


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_public_names_are_documented(path: Path) -> None:
    assert undocumented(path) == []


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_public_functions_are_annotated(path: Path) -> None:
    assert unannotated(path) == []


def test_names_say_what_is_inside() -> None:
    vague = [short(path) for path in PACKAGE.rglob("*") if path.stem.strip("_") in VAGUE_NAMES]
    assert vague == [], "name the one idea that the file holds"


def test_annotations_are_real_objects() -> None:
    future = [short(path) for path in CODE for node in ast.walk(tree_of(path)) if is_future_import(node)]
    assert future == [], "shapes are checked at run time, so annotations must not be strings"


def is_future_import(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def test_every_module_has_a_test_file_of_its_name() -> None:
    modules = [path for path in SOURCES if path.name != "__init__.py"]
    mirrored = {path: ROOT / "tests" / path.relative_to(PACKAGE).with_name(f"test_{path.name}") for path in modules}
    alone = {short(path) for path, test in mirrored.items() if not test.is_file()}
    assert alone == set(WITHOUT_TEST_FILE), "add the test file, or the module to the list with a reason"


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    lines = [(path, line) for path in texts() for line in path.read_text(encoding="utf-8").splitlines()]
    assert [f"{short(path)}: {line.strip()}" for path, line in lines if MACHINE_PATH.search(line)] == []


def test_help_is_printed_without_loading_torch() -> None:
    script = "import contextlib, sys\nfrom manyheads.cli import main\n"
    script += "with contextlib.suppress(SystemExit):\n    main(['--help'])\n"
    script += "print('torch was loaded' if 'torch' in sys.modules else 'torch was not loaded')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "manyheads" in done.stdout
    assert done.stdout.splitlines()[-1] == "torch was not loaded"
