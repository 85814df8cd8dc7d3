"""What the documents show runs, and what they point at exists.

Every ```python block runs, as a doctest where it starts with a prompt; so does every ```sh or ```console block marked
`run` behind the language. A Python block that cannot run says why: ```python not-run: needs a GPU. The blocks of a page
run in their order, in one empty folder, and its Python blocks share their names.
"""

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)#?([^)\s]*)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NAMED_PATH = re.compile(r"`((?:src|tests|docs|benchmarks|\.ci)/[\w./-]+)`")
SHELLS = ("sh", "console")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, with the line its code starts on."""

    page: Path
    line: int
    language: str
    remark: str
    code: str

    @property
    def runs(self) -> bool:
        """Whether it is executed; a remark `not-run:` needs its reason."""
        if self.language == "python":
            return not re.fullmatch(r"not-run: \S.*", self.remark)
        return self.language in SHELLS and self.remark == "run"


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start(3)) + 1, found[1], found[2].strip(), found[3])
        for found in FENCED.finditer(text)
    ]


def running(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.runs]


def run_python(block: Block, names: dict[str, object]) -> None:
    if block.code.startswith(">>>"):
        run_doctest(block, names)
        return
    lines_before = "\n" * (block.line - 1)  # so that a traceback shows the page's own line
    exec(compile(lines_before + block.code, str(block.page), "exec"), names)  # noqa: S102 (our own pages)


def run_doctest(block: Block, names: dict[str, object]) -> None:
    example = doctest.DocTestParser().get_doctest(block.code, names, block.page.name, str(block.page), block.line - 1)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    outcome = runner.run(example, out=report.append, clear_globs=False)
    names.update(example.globs)
    assert outcome.attempted, f"no example in {block}"
    assert not outcome.failed, "".join(report)


def run_shell(block: Block, names: dict[str, object]) -> None:  # noqa: ARG001 (called like the others)
    typed = [line.removeprefix("$ ") for line in block.code.splitlines() if line.startswith("$ ")]
    script = "\n".join(typed) if block.language == "console" else block.code
    assert script.strip(), f"no command in {block}"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    where = f"{block.page.name}, line {block.line}"
    assert done.returncode == 0, f"{where}:\n{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def links(page: Path) -> list[tuple[Path, str]]:
    """Files (and headings in them, or nothing) that a page links to."""
    found = LINK.findall(page.read_text(encoding="utf-8"))
    return [((page.parent / target).resolve() if target else page, heading) for target, heading in found]


def leads_somewhere(target: Path, heading: str) -> bool:
    if not heading:
        return target.exists()
    titles = HEADING.findall(target.read_text(encoding="utf-8")) if target.is_file() else []
    return heading in [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]


RUNNERS: dict[str, Callable[[Block, dict[str, object]], None]] = {
    "python": run_python,
    **dict.fromkeys(SHELLS, run_shell),
}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.is_file() and running(page)], ids=lambda page: page.name
)
def test_what_a_page_shows_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__page__"}
    for block in running(page):
        RUNNERS[block.language](block, names)


@pytest.mark.parametrize("language", ["python", "sh"])
def test_the_readme_shows_something_that_runs(language: str) -> None:
    shown = {"sh": SHELLS, "python": ("python",)}[language]
    assert [block for block in running(ROOT / "README.md") if block.language in shown]


def test_the_docs_show_something_that_runs() -> None:
    assert sum(len(running(page)) for page in PAGES if page.is_relative_to(ROOT / "docs")) > 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = [(target, heading) for target, heading in links(page) if not leads_somewhere(target, heading)]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    found = NAMED_PATH.findall(page.read_text(encoding="utf-8"))
    named = [name for name in found if "/DATASET/" not in name]  # that one stands for any data set
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {target for target, _ in links(index)}
    assert {page for page in PAGES if page.is_relative_to(index.parent)} <= linked | {index}


def test_the_contributing_guide_places_every_package() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    packages = [path.parent.name for path in (ROOT / "src" / "manyheads").glob("*/__init__.py")]
    assert len(packages) > 5
    assert [name for name in packages if f"`{name}/`" not in guide] == []
