"""MTA shares its encoder and GAP does not; both give what encoder and decoder give by themselves."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from manyheads.models import (
    GeneratorDecoder,
    GeneratorEncoder,
    PerturbationGenerator,
    gap_generator,
    load_weights,
    mta_generator,
    save_weights,
    seeded,
)

TASKS = ("segmentation", "depth", "normals")
Make = Callable[..., PerturbationGenerator]
BOTH = pytest.mark.parametrize("make", [mta_generator, gap_generator])


def small(make: Make, tasks: tuple[str, ...] = TASKS, *, seed: int = 0) -> PerturbationGenerator:
    return seeded(lambda: make(tasks, width=4, blocks=2), seed=seed)


def images(count: int = 2, *, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, 18, 21, generator=torch.Generator().manual_seed(seed))


def runs_of(module: nn.Module) -> list[Tensor]:
    """A list that gets longer with every run of the module."""
    seen: list[Tensor] = []
    module.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    return seen


@pytest.mark.parametrize(
    ("make", "blocks", "millions"),
    [(gap_generator, 4, 1.62), (mta_generator, 4, 0.62), (gap_generator, 10, 3.70), (mta_generator, 10, 1.31)],
)
def test_generators_of_width_20_have_the_parameters_that_are_known(make: Make, blocks: int, millions: float) -> None:
    with torch.device("meta"):
        generator = make(TASKS, blocks=blocks)
    assert generator.parameter_counts().total == sum(parameter.numel() for parameter in generator.parameters())
    assert generator.parameter_counts().total / 1e6 == pytest.approx(millions, rel=0.005)


@pytest.mark.parametrize(("blocks", "printed"), [(4, {"gap": 1.64, "mta": 0.62}), (10, {"gap": 3.77, "mta": 1.33})])
def test_generators_come_within_2_percent_of_the_paper_s_table_7(blocks: int, printed: dict[str, float]) -> None:
    with torch.device("meta"):
        built = {"gap": gap_generator(TASKS, blocks=blocks), "mta": mta_generator(TASKS, blocks=blocks)}
    found = {name: generator.parameter_counts().total / 1e6 for name, generator in built.items()}
    assert found == pytest.approx(printed, rel=0.02)


def test_parameters_are_shared_by_mta_and_private_in_gap() -> None:
    shared, private = small(mta_generator).parameter_counts(), small(gap_generator).parameter_counts()
    encoder, decoder = (
        sum(parameter.numel() for parameter in part.parameters())
        for part in (GeneratorEncoder(width=4, blocks=2), GeneratorDecoder(width=4))
    )
    assert (shared.shared, dict(shared.private)) == (encoder, dict.fromkeys(TASKS, decoder))
    assert (private.shared, dict(private.private)) == (0, dict.fromkeys(TASKS, encoder + decoder))


def test_what_tasks_share_is_encoded_once_and_gives_the_same_as_part_by_part() -> None:
    generator, image = small(mta_generator), images()
    runs = runs_of(generator.encoders["shared"])
    found = generator(dict.fromkeys(TASKS, image))
    assert len(runs) == 1
    for task in TASKS:
        encoder, decoder = generator.encoders["shared"], generator.decoders[task]
        assert torch.equal(found[task], decoder(encoder(image), size=(18, 21)))
        assert torch.equal(found[task], generator.perturb(image, task))


def test_inputs_of_their_own_are_encoded_each_for_itself() -> None:
    generator, inputs = small(mta_generator), {task: images(seed=seed) for seed, task in enumerate(TASKS)}
    runs = runs_of(generator.encoders["shared"])
    found = generator(inputs)
    assert len(runs) == 3
    assert all(torch.equal(found[task], generator.perturb(image, task)) for task, image in inputs.items())


def test_gap_gives_each_task_its_own_encoder_on_shared_inputs_too() -> None:
    generator, image = small(gap_generator), images()
    runs = [runs_of(generator.encoders[task]) for task in TASKS]
    found = generator(dict.fromkeys(TASKS, image))
    assert [len(seen) for seen in runs] == [1, 1, 1]
    for task in TASKS:
        assert torch.equal(found[task], generator.decoders[task](generator.encoders[task](image), size=(18, 21)))


@BOTH
def test_each_task_has_a_perturbation_of_its_own(make: Make) -> None:
    found = small(make)(dict.fromkeys(TASKS, images()))
    assert all(not torch.allclose(found[one], found[two]) for one, two in pairwise(TASKS))


def test_gap_s_tasks_do_not_interact() -> None:
    generator = small(gap_generator)
    generator(dict.fromkeys(TASKS, images()))["depth"].square().sum().backward()
    reached = {name.split(".")[1] for name, value in generator.named_parameters() if value.grad is not None}
    assert reached == {"depth"}


@BOTH
def test_some_of_the_tasks_will_do(make: Make) -> None:
    generator, image = small(make), images()
    found = generator({"depth": image, "normals": images(3)})
    assert {task: len(raw) for task, raw in found.items()} == {"depth": 2, "normals": 3}
    assert torch.equal(found["depth"], generator(dict.fromkeys(TASKS, image))["depth"])


@BOTH
def test_weights_are_saved_and_loaded_without_copies_of_what_is_shared(make: Make, tmp_path: Path) -> None:
    one, other, image = small(make), small(make, seed=1), images()
    save_weights(one, tmp_path / "generator.safetensors")
    load_weights(other, tmp_path / "generator.safetensors")
    assert torch.equal(one.perturb(image, "normals"), other.perturb(image, "normals"))
    assert sum(value.numel() for value in one.state_dict().values()) == one.parameter_counts().total


def test_a_single_task_can_be_called_like_the_shared_encoder() -> None:
    assert small(mta_generator, ("shared",)).perturb(images(), "shared").shape == (2, 3, 18, 21)


@BOTH
def test_an_unknown_task_is_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="no decoder for 'edges'; its tasks: segmentation, depth, normals"):
        small(make).perturb(images(), "edges")


@BOTH
def test_no_task_is_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="at least one task"):
        small(make, ())


@BOTH
def test_a_task_that_stands_twice_is_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="several are called: depth"):
        small(make, ("depth", "normals", "depth"))


@BOTH
def test_a_name_that_no_task_can_have_is_refused(make: Make) -> None:
    with pytest.raises(ValueError, match="no head can be called 'road sign'"):
        small(make, ("road sign",))


@pytest.mark.parametrize("names", [(), ("depth", "normals")])
def test_encoders_that_are_neither_one_nor_the_tasks_own_are_refused(names: tuple[str, ...]) -> None:
    decoders = {task: GeneratorDecoder(width=2) for task in TASKS}
    with pytest.raises(ValueError, match="one encoder for all tasks, or one for each of segmentation, depth, normals"):
        PerturbationGenerator({name: GeneratorEncoder(width=2, blocks=0) for name in names}, decoders=decoders)
