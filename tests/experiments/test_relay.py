"""What a run tells a file is shown by whoever follows it."""

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from manyheads.experiments.progress import ShownBars, bars
from manyheads.experiments.relay import ToldBars, _Tale, followed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "progress.jsonl"


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=80)


def lines(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def as_another(path: Path, **event: object) -> None:
    """Tell something as another process would."""
    with path.open("a") as file:
        file.write(json.dumps({"machine": "there", "process": -1, **event}) + "\n")


def descriptions(shown: ShownBars) -> list[tuple[str, float]]:
    return [(task.description, task.completed) for task in shown.progress.tasks]


def test_what_a_run_tells_is_shown_as_if_it_ran_here(path: Path, console: Console) -> None:
    with bars(console) as shown:
        tale = _Tale(path, shown)
        tale.read()
        told = ToldBars(path)
        told.say("begun")
        with told.bar("train") as advance:
            advance(0.504)
            tale.read()
            assert descriptions(shown) == [("train", 0.504)]
            advance(0.508)
            tale.read()
            assert descriptions(shown) == [("train", 0.504)]
        tale.read()
        assert descriptions(shown) == []
    assert lines(console)[0] == "begun"
    assert any(line.startswith("✓ train ") for line in lines(console))


def test_a_work_that_failed_goes_without_a_line(path: Path, console: Console) -> None:
    with bars(console) as shown:
        with followed([path], shown), pytest.raises(ValueError, match="broken"), ToldBars(path).bar("train"):
            raise ValueError("broken")
        assert descriptions(shown) == []
    assert not any("train" in line for line in lines(console))


def test_bars_of_a_process_that_was_lost_go_when_another_speaks(path: Path, console: Console) -> None:
    with bars(console) as shown:
        tale = _Tale(path, shown)
        path.parent.mkdir()
        as_another(path, bar="train", share=0.9)
        tale.read()
        assert descriptions(shown) == [("train", 0.9)]
        with path.open("a") as file:
            file.write('{"machine": "there", "proce')  # it was killed while writing
        tale.read()
        assert descriptions(shown) == [("train", 0.9)]
        with path.open("a") as file:
            file.write("\n")
        with ToldBars(path).bar("attack"):
            tale.read()
            assert descriptions(shown) == [("attack", 0.0)]
            tale.close()
        tale.read()
        assert descriptions(shown) == []
    assert not any("✓" in line for line in lines(console))


def test_the_file_is_gone_before_and_after(path: Path, console: Console) -> None:
    path.parent.mkdir()
    as_another(path, bar="an old tale", share=0.5)
    with bars(console) as shown, followed([path], shown):
        assert not path.exists()
        with ToldBars(path).bar("a new tale"):
            assert path.exists()
    assert not path.exists()
    assert [line.split()[:4] for line in lines(console) if "✓" in line] == [["✓", "a", "new", "tale"]]


def test_the_tale_is_read_while_the_work_goes_on(path: Path, console: Console) -> None:
    with bars(console) as shown, followed([path], shown), ToldBars(path).bar("train"):
        while not shown.progress.tasks:
            time.sleep(0.05)
        assert descriptions(shown) == [("train", 0.0)]
