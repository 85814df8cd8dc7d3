"""A seed decides the weights and touches nothing else."""

import torch

from manyheads.models import SmallConvNet, WideResNet, seeded


def weights(seed: int) -> torch.Tensor:
    """All weights of a small network."""
    return torch.nn.utils.parameters_to_vector(seeded(SmallConvNet, seed=seed).parameters())


def test_a_seed_decides_the_weights() -> None:
    first = weights(3)
    torch.rand(5)
    assert torch.equal(first, weights(3))
    assert not torch.equal(first, weights(4))


def test_building_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    seeded(SmallConvNet, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_explicit_initialisation_follows_the_seed_too() -> None:
    first, second = (seeded(lambda: WideResNet(depth=10, widen=1), seed=0).stem.weight for _ in range(2))
    assert torch.equal(first, second)


def test_weights_are_drawn_on_the_processor_whatever_the_default_device() -> None:
    with torch.device("meta"):
        model = seeded(SmallConvNet, seed=3)
    assert torch.equal(torch.nn.utils.parameters_to_vector(model.parameters()), weights(3))
