"""The mean of several passes of a model that answers at random."""

import pytest
import torch
from torch import Tensor, nn

from manyheads.models import Averaged


class Noisy(nn.Module):
    """Doubles the image and adds noise of its own, even in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(0)
        self.passes = 0

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        self.passes += 1
        drawn = torch.randn(image.shape, generator=self.generator)
        return {"main": 2 * image.flatten(1) + drawn.flatten(1), "other": drawn.mean((1, 2, 3))}


IMAGE = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(1))


def test_outputs_are_means_over_passes_of_their_own() -> None:
    averaged = Averaged(Noisy(), times=400)
    outputs = averaged(IMAGE)
    assert averaged.model.passes == 400
    torch.testing.assert_close(outputs["main"], 2 * IMAGE.flatten(1), atol=0.25, rtol=0)
    assert float(outputs["other"].abs().max()) < 0.1


def test_one_pass_is_the_model_itself() -> None:
    once, itself = Averaged(Noisy(), times=1)(IMAGE), Noisy()(IMAGE)
    assert all(torch.equal(once[name], itself[name]) for name in itself)


def test_gradients_are_means_too() -> None:
    image = IMAGE.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(Averaged(Noisy(), times=3)(image)["main"].sum(), image)
    torch.testing.assert_close(gradient, torch.full_like(IMAGE, 2.0))


def test_it_shares_weights_and_follows_modes() -> None:
    layer = nn.Dropout()
    averaged = Averaged(layer.eval(), times=2)
    assert not averaged.training
    averaged.train()
    assert layer.training


def test_a_mean_of_no_pass_is_refused() -> None:
    with pytest.raises(ValueError, match="a mean is of at least one pass, got times=0"):
        Averaged(nn.Identity(), times=0)
