from pathlib import Path

from manyheads import recipes
from manyheads.studies import demo


def test_the_demonstration_is_eight_models_of_the_digits_recipe(tmp_path: Path) -> None:
    study = demo.study(folder=tmp_path)
    assert study.folder == tmp_path / "demo"
    assert len(study.members) == 8
    assert {one.data.name for one in study.members} == {"digits"}
    assert {one.folder for one in study.members} == {tmp_path}
    assert study.members[0].run == tmp_path / "demo" / "digits" / "main-plain"
    assert study.members[-1].hidden == recipes.digits().hidden
    assert study.members[-1].training == recipes.digits().training


def test_the_paper_has_no_numbers_of_these_digits() -> None:
    printed = demo.study().printed
    assert (printed.main, printed.hidden) == ({}, {})


def test_another_seed_has_a_folder_of_its_own() -> None:
    study = demo.study(seed=3)
    assert study.folder == Path("runs/demo-seed3")
    assert {one.seed for one in study.members} == {3}
    assert {one.name.split("/")[0] for one in study.members} == {"demo-seed3"}
