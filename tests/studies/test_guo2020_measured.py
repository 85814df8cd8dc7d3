from pathlib import Path

import polars as pl
import pytest

from manyheads.reports import Cell
from manyheads.studies.guo2020_measured import Found, Question, difference, found, printed_in
from manyheads.studies.guo2020_settings import GeneratorRuns, settings
from manyheads.studies.guo2020_wishes import Wish

WISH = Wish("office31", "universal", "mta", level=5)
ROOMS = Wish("nyuv2", "universal", "mta", level=5)


def row(value: float, *, seed: int = 0, model: str = "dslr", wish: Wish = WISH, threat: str | None = None) -> dict:
    return {
        "wish": f"{wish.data}/{wish.title}",
        "seed": seed,
        "model": model,
        "threat": threat or model,
        "attack": "mta",
        "condition": "attacked",
        "score": "accuracy",
        "task": threat or "object",
        "value": value,
        "low": value / 2,
        "high": (1 + value) / 2,
        "n": 20,
    }


@pytest.fixture
def runs(tmp_path: Path) -> GeneratorRuns:
    return GeneratorRuns(study="s", settings=settings("quick"), data_root=tmp_path, folder=tmp_path)


@pytest.fixture
def measured(runs: GeneratorRuns) -> Found:
    rows = [row(0.2, seed=1), row(0.4), row(0.6, model="amazon"), row(0.8, model="amazon", seed=1)]
    rows.append(row(0.1, model="webcam"))
    rows += [row(0.9, model=model, wish=ROOMS, threat="depth") for model in ("dmtl", "mtan")]
    return Found(runs, (0, 1), pl.DataFrame(rows))


def asked(domain: str) -> Question:
    return Question(WISH, "mta", "accuracy", domain)


def test_several_seeds_give_mean_lowest_and_highest(measured: Found) -> None:
    cell = measured.cell(asked("dslr"))
    assert (cell.value, cell.low, cell.high) == pytest.approx((0.3, 0.2, 0.4))
    assert (cell.seeds, cell.n) == (2, 20)


def test_one_seed_keeps_its_interval(measured: Found) -> None:
    cell = measured.cell(asked("webcam"))
    assert (cell.value, cell.low, cell.high, cell.seeds) == (0.1, 0.05, 0.55, 1)


def test_averages_are_made_seed_by_seed(measured: Found) -> None:
    both = [asked("dslr"), asked("amazon")]
    assert measured.means(both) == pytest.approx([0.5, 0.5])
    assert measured.average(both).value == pytest.approx(0.5)
    assert measured.average(both).n == 20


def test_what_was_not_measured_is_an_empty_cell(measured: Found) -> None:
    assert measured.cell(asked("nowhere")) == Cell()
    assert measured.means([asked("dslr"), asked("nowhere")]) == []
    assert measured.average([asked("nowhere")]) == Cell()


def test_a_dense_task_is_asked_of_the_model_that_is_named(measured: Found) -> None:
    question = Question(ROOMS, "mta", "accuracy", "depth", victim="mtan")
    assert [one["model"] for one in measured.rows(question)] == ["mtan"]


def test_differences_are_said_with_their_spread() -> None:
    def written(value: float) -> str:
        return f"{value:+.1f}"

    assert difference([2.0], [0.5], written=written) == "+1.5 (1 seed)"
    assert difference([2.0, 1.0], [0.0, 2.0], written=written) == "+0.5 (from -1.0 to +2.0 over 2 seeds)"


def test_a_papers_number_is_laid_beside() -> None:
    assert printed_in(Cell(value=0.5, n=2), 0.4).printed == 0.4
    assert printed_in(Cell(value=0.5, n=2), None).printed is None


def test_runs_that_are_not_finished_are_refused(runs: GeneratorRuns) -> None:
    with pytest.raises(FileNotFoundError, match="has no scores yet; run the study first"):
        found([WISH], runs, seeds=[0])
