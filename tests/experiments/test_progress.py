import io

import pytest
from rich.console import Console

from manyheads.experiments import bars


def shown_by(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=80)


def test_a_finished_bar_leaves_a_line_with_its_time(console: Console) -> None:
    with bars(console) as shown:
        with shown.bar("train [tiny]") as advance:
            advance(0.5)
            assert shown.progress.tasks[0].completed == 0.5
        assert shown.progress.tasks == []
    assert "✓ train [tiny] 0." in shown_by(console)


def test_a_bar_whose_work_failed_goes_without_a_line(console: Console) -> None:
    with bars(console) as shown:
        with pytest.raises(ValueError, match="broken"), shown.bar("train"):
            raise ValueError("broken")
        assert shown.progress.tasks == []
    assert "train" not in shown_by(console)


def test_what_is_said_stands_as_it_is_on_one_line(console: Console) -> None:
    text = "finished " + "[long]" * 30
    with bars(console) as shown:
        shown.say(text)
    assert text in shown_by(console).splitlines()
