import polars as pl

from manyheads.studies.mao2020_figures import over_eps, vulnerability
from manyheads.studies.mao2020_measured import Measured


def curves() -> pl.DataFrame:
    """Two seeds of a model that grows from one to two tasks, and of pixels in another setting."""
    rows = []
    for seed in (0, 1):
        where = {"setting": "streets", "model": "s", "seed": seed}
        for number in (1, 4):
            norm = {"number": number, "measured": 1.0 + seed, "predicted": 2.0, "n": 5}
            rows += [{**where, "over": "pixels", "draw": draw, **norm} for draw in (0, 1)]
            hits = {"number": number, "draw": 0, "attack": "fgsm", "accuracy": 0.5, "n": 10}
            rows.append({**where, "over": "pixel accuracy", **hits})
        rows.append({**where, "over": "tasks", "number": 1, "measured": 9.0, "predicted": 9.0})
        for model in ("s", "s d"):
            for number in range(1, len(model.split()) + 1):
                norm = {"measured": float(number), "predicted": 3.0}
                where = {"setting": "rooms", "model": model, "seed": seed, "over": "tasks"}
                rows.append({**where, "number": number, **norm})
    return pl.DataFrame(rows, infer_schema_length=None)


def test_figure_four_shows_means_over_draws_with_the_spread_over_seeds() -> None:
    pixels, _ = vulnerability(Measured(pl.DataFrame(), curves())).tables
    assert [row.labels[0] for row in pixels.rows] == ["1", "4"]
    measured, predicted, accuracy = pixels.rows[0].cells
    assert (measured.value, measured.low, measured.high, measured.seeds) == (1.5, 1.0, 2.0, 2)
    assert predicted.value == 2.0
    assert (accuracy.value, accuracy.n) == (0.5, 10)


def test_every_model_that_grew_is_shown_with_all_its_tasks_and_no_other_setting() -> None:
    section = vulnerability(Measured(pl.DataFrame(), curves()))
    tasks = section.tables[1]
    assert [row.labels[0] for row in tasks.rows] == ["s", "sd"]
    assert [row.cells[0].value for row in tasks.rows] == [1.0, 2.0]
    assert len(section.pictures) == 3


def test_figure_five_has_one_panel_per_task() -> None:
    rows = [
        {
            "model": model, "threat": "multi-task", "attack": "pgd", "eps": eps, "norm": "Linf", "condition": condition,
            "score": score, "task": task, "value": 0.5, "n": 3, "low": 0.4, "high": 0.6, "setting": "x", "seed": 0,
        }
        for model in ("s", "s d") for eps in (0.1, 0.2) for condition in ("clean", "attacked")
        for task, score in (("segmentation", "miou"), ("depth", "absolute_error"))[: len(model.split())]
    ]  # fmt: skip
    section = over_eps(Measured(pl.DataFrame(rows), pl.DataFrame()))
    assert [picture.says.split()[0] for picture in section.pictures] == ["segmentation", "depth"]
    assert all(b"<svg" in picture.svg for picture in section.pictures)
