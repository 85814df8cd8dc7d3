from pathlib import Path

import pytest

from manyheads.studies.guo2020_settings import GeneratorRuns, settings
from manyheads.studies.guo2020_wishes import Wish
from manyheads.threats import Linf


@pytest.fixture
def runs(tmp_path: Path) -> GeneratorRuns:
    return GeneratorRuns(study="study", settings=settings("quick"), data_root=tmp_path, folder=tmp_path / "runs")


def test_an_experiment_is_what_was_wished_for(runs: GeneratorRuns) -> None:
    wish = Wish("office31", "per_instance", "gap", level=5, goal="targeted", raised="loss")
    made = runs.experiment(wish, seed=2)
    assert made.name == "study/office31/per-instance-targeted-5--gap--loss/seed-2"
    assert (made.generator.method, made.generator.kind) == ("gap", "per_instance")
    assert (made.target, made.budget, made.seed) == ("bike_helmet", Linf(5 / 255), 2)
    assert (made.training.raised, made.references, made.transfers) == ("loss", {}, {})


def test_all_generators_attack_the_same_victims(runs: GeneratorRuns) -> None:
    wishes = [
        Wish("nyuv2", kind, method, level=5) for kind in ("universal", "per_instance") for method in ("gap", "mta")
    ]
    made = [runs.experiment(wish, seed=seed) for seed in (0, 1) for wish in wishes]
    assert {(one.victim_runs["dmtl"].name, one.victim_runs["dmtl"].seed) for one in made} == {
        ("study/nyuv2/victims/dmtl", 0)
    }
    assert all(one.victims == made[0].victims for one in made)


def test_only_the_papers_method_is_tried_on_others(runs: GeneratorRuns) -> None:
    mta, gap = (runs.experiment(Wish("nyuv2", "universal", method, level=5), seed=0) for method in ("mta", "gap"))
    assert (list(mta.transfers), list(gap.transfers)) == (["mtan"], [])
    assert mta.references
    assert not gap.references


def test_methods_differ_in_nothing_else(runs: GeneratorRuns) -> None:
    mta, gap = (runs.experiment(Wish("office31", "universal", method, level=5), seed=0) for method in ("mta", "gap"))
    assert (mta.training, mta.budget, mta.victims) == (gap.training, gap.budget, gap.victims)
    assert (mta.generator.width, mta.generator.blocks) == (gap.generator.width, gap.generator.blocks)
