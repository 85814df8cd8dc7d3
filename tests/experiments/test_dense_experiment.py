from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from manyheads.attacks import FGSM, PGD
from manyheads.experiments import (
    DenseExperiment,
    DenseTraining,
    DenseTrial,
    Scenes,
    VulnerabilityPlan,
    with_auxiliaries,
)
from manyheads.threats import Linf

Make = Callable[..., DenseExperiment]
FINE = DenseTrial(FGSM(), Linf(4 / 255))


def test_a_run_lies_in_a_folder_of_its_name(tiny_dense: Make) -> None:
    assert tiny_dense(Path("there"), name="study/one").run == Path("there/study/one")


@pytest.mark.parametrize("name", ["", ".", "/somewhere", "../beside"])
def test_a_name_that_is_no_folder_inside_is_refused(tiny_dense: Make, name: str) -> None:
    with pytest.raises(ValueError, match="a run's name is a folder inside runs"):
        tiny_dense(Path("runs"), name=name)


def test_two_places_of_the_frames_are_refused(tiny_dense: Make) -> None:
    with pytest.raises(ValueError, match=r"data_root \(a\) and scenes\.root \(b\) both say where the data lies"):
        tiny_dense(Path("runs"), data_root=Path("a"), scenes=Scenes("nyuv2", root=Path("b")))


@pytest.mark.parametrize(("tasks", "found"), [((), "none"), (("depth", "depth"), "depth, depth")])
def test_no_task_or_one_twice_is_refused(tiny_dense: Make, tasks: tuple[str, ...], found: str) -> None:
    with pytest.raises(ValueError, match=f"a model has at least one task, and each once, got {found}"):
        tiny_dense(Path("runs"), tasks=tasks)


def test_an_unknown_task_is_refused_with_a_hint(tiny_dense: Make) -> None:
    with pytest.raises(ValueError, match=r"no dense task is called 'normal'; did you mean 'normals'"):
        tiny_dense(Path("runs"), tasks=("segmentation", "normal"))


@pytest.mark.parametrize("weights", [{"segmentation": 1.0}, dict.fromkeys(["segmentation", "depth", "normals"], 1.0)])
def test_weights_of_other_tasks_are_refused(tiny_dense: Make, weights: dict[str, float]) -> None:
    with pytest.raises(
        ValueError, match=r"the tasks are segmentation, depth, autoencoding; give each task one, or none"
    ):
        tiny_dense(Path("runs"), weights=weights)


@pytest.mark.parametrize("weight", [-1.0, float("inf"), float("nan")])
def test_a_weight_below_zero_or_without_end_is_refused(tiny_dense: Make, weight: float) -> None:
    with pytest.raises(ValueError, match="a loss's weight is zero or above"):
        tiny_dense(Path("runs"), weights={"segmentation": 1.0, "depth": weight, "autoencoding": 1.0})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"training": DenseTraining(epochs=0)}, r"training\.epochs=0"),
        ({"training": DenseTraining(selection_examples=0)}, r"training\.selection_examples=0"),
        ({"scenes": Scenes(test_examples=0)}, r"scenes\.test_examples=0"),
        ({"trials": {"x": replace(FINE, examples=0)}, "sweep": (), "sweep_trials": ()}, r"trials\.x\.examples=0"),
        ({"vulnerability": VulnerabilityPlan(examples=0)}, r"vulnerability\.examples=0"),
    ],
)
def test_counts_below_one_are_refused(tiny_dense: Make, changes: dict, named: str) -> None:
    with pytest.raises(ValueError, match=f"these counts have to be 1 or more, got {named}"):
        tiny_dense(Path("runs"), **changes)


def test_an_experiment_without_trials_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing would attack 'idle'; give the experiment a trial"):
        DenseExperiment("idle")


@pytest.mark.parametrize("trials", [{"a/b": FINE}, {"": FINE}, {"a b": FINE, "a-b": FINE}])
def test_names_that_no_file_could_have_are_refused(trials: dict[str, DenseTrial]) -> None:
    with pytest.raises(ValueError, match="a trial is named with letters, digits"):
        DenseExperiment("odd", trials=trials)


def test_houdini_needs_a_segmentation_as_main_task() -> None:
    houdini = DenseTrial(PGD(2, 1 / 255), Linf(4 / 255), goal="houdini")
    assert DenseExperiment("fine", trials={"houdini": houdini}).tasks[0] == "segmentation"
    with pytest.raises(ValueError, match="'houdini' raises Houdini's loss, which speaks of a segmentation"):
        DenseExperiment("odd", tasks=("depth", "segmentation"), trials={"houdini": houdini})


def test_vulnerability_over_pixels_needs_a_segmentation() -> None:
    plan = VulnerabilityPlan(pixels=(1, 2))
    with pytest.raises(ValueError, match="vulnerability over output pixels is that of a segmentation"):
        DenseExperiment("odd", tasks=("depth",), trials={"fgsm": FINE}, vulnerability=plan)


@pytest.mark.parametrize("names", [(), ("cw",)])
def test_a_sweep_of_no_trial_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"the curve over eps needs trials, got .*; trials: fgsm"):
        DenseExperiment("odd", trials={"fgsm": FINE}, sweep=(0.1,), sweep_trials=names)


@pytest.mark.parametrize("sweep", [(0.1, 0.1), (4 / 255,)])
def test_an_eps_that_stands_twice_is_refused(sweep: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="stands twice, or is that of 'fgsm' itself"):
        DenseExperiment("odd", trials={"fgsm": FINE}, sweep=sweep, sweep_trials=("fgsm",))


def test_an_eps_beyond_the_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"write 8/255, not 8"):
        DenseExperiment("odd", trials={"fgsm": FINE}, sweep=(8.0,), sweep_trials=("fgsm",))


def test_auxiliaries_share_one_weight() -> None:
    assert with_auxiliaries(["depth"], share=0.1) == {"depth": 1.0}
    assert with_auxiliaries(["depth", "normals"], share=0.1) == {"depth": 1.0, "normals": 0.1}
    four = with_auxiliaries(["a", "b", "c", "d", "e"], share=0.1)
    assert four["a"] == 1.0
    assert sum(four.values()) == pytest.approx(1.1)
