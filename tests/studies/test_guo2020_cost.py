import json
from pathlib import Path

import pytest

from manyheads.studies.guo2020_cost import Cost, cost_section, costs, measure_costs


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, str], Cost]:
    return {(cost.kind, cost.method): cost for cost in measure_costs(size=(16, 24), repeats=2)}


def test_parameters_are_the_printed_ones_within_two_percent(measured: dict) -> None:
    printed = {
        ("universal", "gap"): 1.64,
        ("universal", "mta"): 0.62,
        ("per_instance", "gap"): 3.77,
        ("per_instance", "mta"): 1.33,
    }
    assert {key: cost.parameters / 1e6 for key, cost in measured.items()} == pytest.approx(printed, rel=0.02)


def test_a_shared_encoder_needs_a_little_more_than_a_third(measured: dict) -> None:
    for kind, most in (("universal", 0.39), ("per_instance", 0.36)):
        share = measured[kind, "mta"].parameters / measured[kind, "gap"].parameters
        assert 1 / 3 < share < most


def test_every_repetition_is_kept_but_the_first(measured: dict) -> None:
    assert all(len(cost.milliseconds) == 2 for cost in measured.values())
    assert all(time > 0 for cost in measured.values() for time in cost.milliseconds)


def test_costs_are_measured_once(tmp_path: Path) -> None:
    path = tmp_path / "study" / "table7.json"
    first = costs(path, size=(16, 24), repeats=1)
    assert costs(path, size=(16, 24), repeats=1) == first
    assert json.loads(path.read_text())["size"] == [16, 24]


def test_the_table_has_ours_beside_the_papers(tmp_path: Path) -> None:
    path = tmp_path / "table7.json"
    content = [
        {"kind": kind, "method": method, "parameters": count, "milliseconds": times}
        for kind in ("universal", "per_instance")
        for method, count, times in (("gap", 1_600_000, [30.0, 20.0, 40.0]), ("mta", 800_000, [12.0, 9.0, 15.0]))
    ]
    path.write_text(json.dumps({"threads": 1, "size": [288, 384], "costs": content}))
    section = cost_section(path)
    assert "universal 0.50 of the parameters (paper 0.38) and 0.40 of the time (paper 0.36)" in section.text[1]
    first = section.tables[0].rows[0]
    assert first.labels == ("universal", "GAP")
    assert (first.cells[0].value, first.cells[0].printed) == (1.6, 1.64)
    assert (first.cells[1].value, first.cells[1].low, first.cells[1].high) == (30.0, 20.0, 40.0)
