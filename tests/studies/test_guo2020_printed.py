import tomllib
from importlib.resources import files

import pytest

from manyheads.studies.guo2020_printed import AVERAGE, CLEAN, COLUMNS, printed_cost, printed_dense, printed_share


def share(kind, goal, level: int, method, *, of: tuple[str, str]) -> float | None:
    return printed_share(kind, goal=goal, level=level, method=method, domain=of[0], score=of[1])


def test_tables_1_to_4_stand_where_the_paper_prints_them() -> None:
    assert share("universal", "untargeted", 5, "mta", of=("dslr", "fooling_ratio")) == pytest.approx(0.9149)
    assert share("universal", "untargeted", 10, "gap", of=("webcam", "accuracy")) == pytest.approx(0.0348)
    assert share("universal", "targeted", 10, "mta", of=("dslr", "target_accuracy")) == 1.0
    assert share("per_instance", "untargeted", 5, "gap", of=(AVERAGE, "fooling_ratio")) == pytest.approx(0.7946)
    assert share("per_instance", "targeted", 5, "gap", of=("webcam", "target_accuracy")) == pytest.approx(0.4599)


def test_what_the_paper_has_not_is_none() -> None:
    assert share("universal", "untargeted", 7, "mta", of=("dslr", "fooling_ratio")) is None
    assert share("universal", "untargeted", 5, "mta", of=("first", "fooling_ratio")) is None
    assert printed_dense("universal", method="gap", victim="mtan", task="depth", score="absolute_error") is None


def test_tables_5_and_6_are_in_our_units() -> None:
    def number(attack: str, method, victim: str, task: str, score: str) -> float | None:
        return printed_dense(attack, method=method, victim=victim, task=task, score=score)

    assert number(CLEAN, None, "dmtl", "segmentation", "miou_per_image") == pytest.approx(0.1863)
    assert number("per_instance", "mta", "dmtl", "depth", "relative_error") == 0.6045
    assert number("universal", "gap", "dmtl", "normals", "mean_angle") == 69.45
    assert number("universal", "mta", "mtan", "normals", "within_30") == pytest.approx(0.3057)


def test_every_column_has_all_its_numbers() -> None:
    for task, score in COLUMNS:
        for attack, method in (
            (CLEAN, None),
            *((kind, one) for kind in ("universal", "per_instance") for one in ("gap", "mta")),
        ):
            assert printed_dense(attack, method=method, victim="dmtl", task=task, score=score) is not None


def test_table_7_has_parameters_and_times() -> None:
    assert printed_cost("universal", method="mta") == (0.62, 137)
    assert printed_cost("per_instance", method="gap") == (3.77, 342)


def test_sources_are_named() -> None:
    text = files("manyheads.studies").joinpath("printed", "guo2020.toml").read_text(encoding="utf-8")
    assert set(tomllib.loads(text)["tables"]) == {"guo2020_office31", "guo2020_nyuv2", "guo2020_cost"}
