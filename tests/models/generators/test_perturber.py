"""Universal perturbations are one for all images of a task and computed once; per instance each image has its own."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from manyheads.models import (
    PerInstance,
    Perturber,
    Universal,
    gap_generator,
    load_weights,
    mta_generator,
    save_weights,
    seeded,
)

TASKS = ("segmentation", "depth")
SIZE = (17, 22)


def universal(seed: int = 0, **options) -> Universal:
    generator = seeded(lambda: mta_generator(TASKS, width=4, blocks=1), seed=0)
    return Universal(generator, size=SIZE, seed=seed, **options)


def per_instance() -> PerInstance:
    return PerInstance(seeded(lambda: mta_generator(TASKS, width=4, blocks=1), seed=0))


def images(count: int = 3) -> Tensor:
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(count))


def encoded(perturber: Perturber) -> list[int]:
    """How many images each run of the shared encoder was given."""
    counts: list[int] = []
    perturber.generator.encoders["shared"].register_forward_hook(lambda _, given, __: counts.append(len(given[0])))
    return counts


def test_all_images_of_a_task_get_one_perturbation() -> None:
    raw = universal().raw({"segmentation": images(3), "depth": images(2)})
    assert {task: tuple(found.shape) for task, found in raw.items()} == {
        "segmentation": (3, 3, *SIZE),
        "depth": (2, 3, *SIZE),
    }
    assert all((found == found[:1]).all() for found in raw.values())


def test_a_universal_perturbation_does_not_depend_on_the_images() -> None:
    perturber = universal()
    assert torch.equal(perturber.raw({"depth": images(1)})["depth"], perturber.raw({"depth": images(2)})["depth"][:1])


def test_a_universal_perturbation_is_what_the_generator_makes_of_the_task_s_pattern() -> None:
    perturber = universal()
    found = perturber.raw(dict.fromkeys(TASKS, images()))
    for row, task in enumerate(TASKS):
        made = perturber.generator.perturb(perturber.patterns[row : row + 1], task)
        assert torch.equal(found[task][:1], made)


def test_universal_perturbations_are_computed_once_for_the_whole_batch() -> None:
    perturber = universal()
    counts = encoded(perturber)
    perturber.raw(dict.fromkeys(TASKS, images(5)))
    assert counts == [1, 1]


def test_tasks_with_one_pattern_are_encoded_once() -> None:
    perturber = universal(patterns=dict.fromkeys(TASKS, "all"))
    counts = encoded(perturber)
    found = perturber.raw(dict.fromkeys(TASKS, images(5)))
    assert counts == [1]
    assert perturber.patterns.shape == (1, 3, *SIZE)
    assert torch.equal(found["depth"][:1], perturber.generator.perturb(perturber.patterns, "depth"))


def test_patterns_are_uniform_and_their_own() -> None:
    first, second = universal().patterns
    assert not torch.allclose(first, second)
    assert (first >= 0).all()
    assert (first < 1).all()
    assert first.min() < 0.01
    assert first.max() > 0.99
    assert first.mean().item() == pytest.approx(0.5, abs=0.03)
    assert first.var().item() == pytest.approx(1 / 12, rel=0.1)


def test_a_pattern_depends_on_the_seed_and_its_name_alone() -> None:
    torch.manual_seed(5)
    generator = gap_generator(("normals", "depth"), width=2, blocks=0)
    assert torch.equal(universal(seed=3).patterns[1], Universal(generator, size=SIZE, seed=3).patterns[1])
    assert not torch.equal(universal(seed=3).patterns, universal(seed=4).patterns)


def test_patterns_are_kept_with_the_weights_and_not_trained(tmp_path: Path) -> None:
    one, other = universal(seed=0), universal(seed=1)
    save_weights(one, tmp_path / "perturber.safetensors")
    load_weights(other, tmp_path / "perturber.safetensors")
    assert torch.equal(one.patterns, other.patterns)
    assert not [name for name, _ in one.named_parameters() if "pattern" in name]


def test_per_instance_each_image_gets_what_the_generator_makes_of_it() -> None:
    perturber, image = per_instance(), images(3)
    found = perturber.raw(dict.fromkeys(TASKS, image))
    assert all(torch.equal(found[task], perturber.generator.perturb(image, task)) for task in TASKS)
    assert not torch.allclose(found["depth"][0], found["depth"][1])


def test_per_instance_tasks_with_the_same_images_are_encoded_once() -> None:
    perturber = per_instance()
    counts = encoded(perturber)
    perturber.raw(dict.fromkeys(TASKS, images(3)))
    assert counts == [3]


@pytest.mark.parametrize("make", [universal, per_instance])
def test_calling_a_perturber_gives_the_raw_perturbations(make) -> None:
    perturber, image = make(), images()
    assert torch.equal(perturber({"depth": image})["depth"], perturber.raw({"depth": image})["depth"])


@pytest.mark.parametrize("make", [universal, per_instance])
def test_a_perturber_has_its_generator_s_tasks_and_parameters(make) -> None:
    perturber = make()
    assert perturber.tasks == TASKS
    assert sum(value.numel() for value in perturber.parameters()) == perturber.generator.parameter_counts().total


@pytest.mark.parametrize("make", [universal, per_instance])
def test_an_unknown_task_is_refused(make) -> None:
    with pytest.raises(ValueError, match="no decoder for 'edges'"):
        make().raw({"edges": images()})


@pytest.mark.parametrize("shape", [(3, 17, 23), (1, 17, 22)])
def test_images_of_another_form_than_the_pattern_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=f"for images of 3×17×22, got {'×'.join(map(str, shape))}"):
        universal().raw({"depth": torch.rand(2, *shape)})


@pytest.mark.parametrize("patterns", [{}, {"depth": "all"}, {"depth": "a", "segmentation": "b", "edges": "c"}])
def test_patterns_of_other_tasks_are_refused(patterns: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="each of segmentation, depth needs a pattern's name"):
        universal(patterns=patterns)
