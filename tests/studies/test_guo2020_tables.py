from pathlib import Path

import polars as pl
import pytest

from manyheads.studies.guo2020_measured import Found
from manyheads.studies.guo2020_settings import GeneratorRuns, settings
from manyheads.studies.guo2020_tables import classifiers, wishes

DOMAINS = ("amazon", "dslr", "webcam")
VALUES = {"gap": 0.5, "mta": 0.6, "noise": 0.1, "pgd-10": 0.9}


@pytest.fixture
def measured(tmp_path: Path) -> Found:
    """Per-instance, untargeted: each attack has its own value, a little less on webcam; two seeds, the same twice."""
    rows = []
    for wish in wishes("per_instance", goal="untargeted"):
        attacks = ("mta", "noise", "pgd-10") if wish.is_reference else (wish.method,)
        for attack in attacks:
            for domain in DOMAINS:
                named = {"wish": f"{wish.data}/{wish.title}", "model": domain, "threat": domain, "attack": attack}
                value = VALUES[attack] - (0.3 if domain == "webcam" and attack == "mta" else 0)
                for condition, score in (
                    ("attacked", "fooling_ratio"),
                    ("attacked", "accuracy"),
                    ("clean", "accuracy"),
                ):
                    counted = {"value": value, "low": 0.0, "high": 1.0, "n": 50, "task": "object"}
                    named |= {"condition": condition, "score": score}
                    rows += [{**named, **counted, "seed": seed} for seed in (0, 1)]
    runs = GeneratorRuns(study="s", settings=settings("quick"), data_root=tmp_path, folder=tmp_path)
    return Found(runs, (0, 1), pl.DataFrame(rows))


def test_the_section_lays_the_paper_beside_every_row_of_its_own(measured: Found) -> None:
    section = classifiers(measured, number=3, kind="per_instance", goal="untargeted")
    (table,) = section.tables
    assert section.title == "Table 3: per instance perturbations, untargeted"
    rows = {row.labels: row.cells for row in table.rows}
    assert list(rows) == [
        ("0", "clean"),
        *((f"{level}/255", name) for level in (10, 5) for name in ("GAP", "MTA", "noise", "pgd-10")),
    ]
    gap, noise = rows["5/255", "GAP"], rows["5/255", "noise"]
    assert [cell.value for cell in gap[:3]] == [0.5, 0.5, 0.5]
    assert [cell.printed for cell in gap[:4]] == pytest.approx([0.8213, 0.6553, 0.9072, 0.7946])
    assert [cell.printed for cell in noise] == [None] * 8
    assert noise[0].value == 0.1
    assert rows["0", "clean"][0].value is None
    assert rows["0", "clean"][4].printed == 0.7872


def test_methods_are_compared_whichever_wins(measured: Found) -> None:
    said = classifiers(measured, number=3, kind="per_instance", goal="untargeted").text[0]
    assert "+0.0 (from +0.0 to +0.0 over 2 seeds) at ε 5/255; paper +2.1" in said


def test_without_galleries_there_is_no_picture(measured: Found) -> None:
    (measured.runs.folder / "s").mkdir(exist_ok=True)
    assert classifiers(measured, number=3, kind="per_instance", goal="untargeted").pictures == ()
