"""Random numbers that belong to an example: right in distribution, the same in any batch, different everywhere else."""

import itertools

import hypothesis
import pytest
import scipy.stats
import torch
from hypothesis import strategies as st

from manyheads.randomness import Streams, mix, streams_for

LEAST_LIKELY = 1e-4
"""Below this probability, draws that should be uniform are not."""


def of(count: int, *, seed: int = 0, stage: str = "test") -> Streams:
    return Streams.of_examples(torch.arange(count), seed=seed, stage=stage)


def images(count: int, *, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_splitmix_by_its_published_numbers() -> None:
    # The first outputs of SplitMix64 from seed 1234567, as Vigna's reference gives them.
    increment = 0x9E3779B97F4A7C15 - 2**64
    states = 1234567 + torch.arange(1, 6) * increment
    outputs = [value % 2**64 for value in mix(states).tolist()]
    assert outputs == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize("place", range(3))
def test_uniform_numbers_are_uniform_over_examples_and_over_places(place: int) -> None:
    across = of(20_000).uniform(3)[:, place].double()
    along = of(3).uniform(20_000)[place].double()
    assert scipy.stats.kstest(across, "uniform").pvalue > LEAST_LIKELY
    assert scipy.stats.kstest(along, "uniform").pvalue > LEAST_LIKELY


def test_normal_numbers_are_normal() -> None:
    assert scipy.stats.kstest(of(20_000).normal(2)[:, 1].double(), "norm").pvalue > LEAST_LIKELY
    assert scipy.stats.kstest(of(2).normal(100, 200)[1].flatten().double(), "norm").pvalue > LEAST_LIKELY


def test_numbers_lie_where_they_should() -> None:
    drawn = of(100).uniform(1000)
    assert drawn.dtype == torch.float32
    assert 0 <= float(drawn.min()) < 1e-3
    assert 1 - 1e-3 < float(drawn.max()) < 1
    assert torch.equal((drawn * 2**24).round(), drawn * 2**24)
    assert bool(of(100).normal(1000).isfinite().all())
    assert of(4).uniform(2, 3).shape == (4, 2, 3)
    assert of(4).normal().shape == (4,)


def test_neighbours_are_unrelated() -> None:
    drawn = of(200).uniform(200).double()
    assert float(torch.corrcoef(drawn).fill_diagonal_(0).abs().max()) < 0.4
    assert abs(float(torch.corrcoef(torch.stack([drawn[:-1].flatten(), drawn[1:].flatten()]))[0, 1])) < 0.02
    assert abs(float(torch.corrcoef(torch.stack([drawn[:, :-1].flatten(), drawn[:, 1:].flatten()]))[0, 1])) < 0.02


@hypothesis.given(order=st.permutations(range(6)), kept=st.integers(1, 6))
@hypothesis.settings(deadline=None, max_examples=30)
def test_an_examples_numbers_do_not_depend_on_its_batch(order: list[int], kept: int) -> None:
    rows = torch.tensor(order[:kept])
    assert torch.equal(
        Streams.of_examples(rows, seed=3, stage="x").uniform(4), of(6, seed=3, stage="x").uniform(4)[rows]
    )
    assert torch.equal(of(6).select(rows).normal(4), of(6).normal(4)[rows])


def test_seed_stage_and_index_all_matter() -> None:
    drawn = [of(2, seed=seed, stage=stage).uniform(5) for seed in (0, 1) for stage in ("train", "attack")]
    numbers = torch.cat(drawn).flatten().tolist()
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("label", [0, -1, 7, 2**31, 2**62, 2**64 + 5, "attack", "", "ε"])
def test_any_label_forks(label: int | str) -> None:
    forked = of(3).fork(label)
    assert torch.equal(forked.uniform(2), of(3).fork(label).uniform(2))
    assert not torch.equal(forked.uniform(2), of(3).uniform(2))


def test_forks_differ_from_each_other_and_from_their_parent() -> None:
    parent = of(3)
    family = [parent, *(parent.fork(label) for label in (0, 1, -1, 2**62, "a", "b")), parent.fork(0).fork(1)]
    family += [parent.fork(1).fork(0)]
    drawn = [stream.uniform(8).flatten().tolist() for stream in family]
    assert len(set(itertools.chain(*drawn))) == sum(len(numbers) for numbers in drawn)


def test_an_image_keeps_its_numbers_in_any_batch() -> None:
    image = images(6)
    together = Streams.of_images(image, generator()).uniform(3)
    alone = [Streams.of_images(image[row : row + 1], generator()).uniform(3) for row in range(6)]
    assert torch.equal(torch.cat(alone), together)
    order = torch.tensor([4, 1, 5, 0])
    assert torch.equal(Streams.of_images(image[order], generator()).uniform(3), together[order])


def test_other_images_other_numbers() -> None:
    image = images(1).repeat(4, 1, 1, 1)
    image[1, 2, 3, 3] += 1e-3  # one pixel
    image[2] = image[0].flip(2)  # the same pixels elsewhere
    image[3, 0, 0, 0], image[3, 0, 0, 1] = image[0, 0, 0, 1], image[0, 0, 0, 0]
    drawn = Streams.of_images(image, generator()).uniform(1)
    assert len(set(drawn.flatten().tolist())) == 4


def test_equal_images_in_one_batch_are_told_apart() -> None:
    image = images(3)[torch.tensor([0, 1, 0, 2, 0, 1])]
    drawn = Streams.of_images(image, generator()).uniform(1)
    assert len(set(drawn.flatten().tolist())) == 6
    first = Streams.of_images(images(3), generator()).uniform(1)
    assert torch.equal(drawn[torch.tensor([0, 1, 3])], first)


def test_an_images_numbers_do_not_depend_on_its_precision_or_its_graph() -> None:
    image = images(2)
    expected = Streams.of_images(image, generator()).uniform(3)
    assert torch.equal(Streams.of_images(image.double(), generator()).uniform(3), expected)
    assert torch.equal(Streams.of_images(image.clone().requires_grad_(), generator()).uniform(3), expected)


def test_a_generator_gives_new_numbers_each_time_it_is_used() -> None:
    image, rng = images(2), generator()
    first, second = (Streams.of_images(image, rng).uniform(3) for _ in range(2))
    assert not torch.equal(first, second)


def test_with_a_generator_the_global_one_is_left_alone() -> None:
    before = torch.get_rng_state()
    of(3).fork("x").normal(4)
    Streams.of_images(images(2), generator()).uniform(4)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_generator_the_global_seed_decides() -> None:
    drawn = []
    with torch.random.fork_rng():
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            drawn.append(Streams.of_images(images(2)).uniform(3))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_streams_are_made_from_whatever_the_caller_has() -> None:
    image, ready = images(3), of(3)
    assert torch.equal(streams_for(image, ready).uniform(2), ready.uniform(2))
    assert torch.equal(streams_for(image, generator()).uniform(2), Streams.of_images(image, generator()).uniform(2))
    assert len(streams_for(image, None)) == 3


def test_streams_must_be_as_many_as_the_images() -> None:
    with pytest.raises(ValueError, match="got 2 streams for 3 images"):
        streams_for(images(3), of(2))


def test_streams_move_between_devices_without_changing() -> None:
    assert torch.equal(of(3).to(torch.device("cpu")).seeds, of(3).seeds)
