from dataclasses import replace
from pathlib import Path

import pytest

from manyheads.attacks import FGSM, PGD
from manyheads.experiments import DenseTrial, VulnerabilityPlan
from manyheads.studies.mao2020_models import Measurements, Model, Runs
from manyheads.studies.mao2020_settings import small_rooms
from manyheads.threats import Linf

ONE = DenseTrial(FGSM(), Linf(0.1))
OTHER = DenseTrial(PGD(), Linf(0.1))
PAIR = Model(("segmentation", "depth"), share=0.1)
PIXELS = VulnerabilityPlan(pixels=(1, 4), attacks={"fgsm": FGSM()})


def test_a_model_of_one_task_is_the_same_whatever_the_share() -> None:
    assert Model(("depth",), share=0.1) == Model(("depth",))
    assert Model(("depth",)).title == "depth--plain"


def test_names_tell_models_apart_on_every_disk() -> None:
    models = [PAIR, replace(PAIR, share=None), replace(PAIR, share=0.01), replace(PAIR, hardened=True)]
    models += [Model(("segmentation", "euclidean_depth"), share=0.1), Model(PAIR.tasks[::-1], share=0.1)]
    assert len({model.title.lower() for model in models}) == len(models)


def test_an_experiment_holds_what_its_name_says() -> None:
    setting = small_rooms()
    wanted = Measurements({"fgsm": ONE}, sweep=(0.05,), swept=("fgsm",), vulnerability=PIXELS)
    runs = Runs(study="x", data_root=Path("data"), folder=Path("kept"), measurements={(setting.name, PAIR): wanted})
    made = runs.experiment(PAIR, setting=setting, seed=4)
    assert made.run == Path(f"kept/x/{setting.name}/segmentation+depth--share-0.1--plain/seed-4")
    assert made.weights == {"segmentation": 1.0, "depth": 0.1}
    assert (made.tasks, made.seed, made.data_root) == (PAIR.tasks, 4, Path("data"))
    assert (made.trials, made.sweep, made.sweep_trials) == ({"fgsm": ONE}, (0.05,), ("fgsm",))
    assert made.vulnerability == PIXELS
    assert made.training == setting.plain


def test_equal_weights_are_left_to_the_experiment_and_hardening_to_the_setting() -> None:
    setting, model = small_rooms(), replace(PAIR, share=None, hardened=True)
    wanted = {(setting.name, model): Measurements({"fgsm": ONE})}
    made = Runs(study="x", data_root=None, folder=Path(), measurements=wanted).experiment(
        model, setting=setting, seed=0
    )
    assert made.weights == {}
    assert made.training == setting.hardened


def test_measurements_are_joined() -> None:
    joined = Measurements({"a": ONE}, sweep=(0.2,), swept=("a",)) | Measurements({"a": ONE, "b": OTHER}, sweep=(0.1,))
    assert joined == Measurements({"a": ONE, "b": OTHER}, sweep=(0.1, 0.2), swept=("a",))


def test_a_plan_with_output_pixels_holds_the_one_without() -> None:
    tasks_alone, both = (
        Measurements({}, vulnerability=replace(PIXELS, pixels=(), attacks={})),
        Measurements({}, vulnerability=PIXELS),
    )
    assert (tasks_alone | both) == (both | tasks_alone) == (both | both) == (both | Measurements({})) == both


def test_two_wishes_under_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two parts want a of one model, but not the same"):
        Measurements({"a": ONE}) | Measurements({"a": OTHER})


def test_two_plans_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="two parts want the vulnerability of one model, but not the same"):
        Measurements({}, vulnerability=PIXELS) | Measurements({}, vulnerability=replace(PIXELS, examples=3))
