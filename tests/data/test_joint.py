"""Several loaders in one step: each of its own length, none of them starved."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from manyheads.data import InMemory, Joint, Loader, is_joint, part


def loader(count: int, *, batch_size: int = 2, shuffle: bool = True) -> Loader:
    images = torch.zeros(count, 1, 2, 2, dtype=torch.uint8)
    return Loader(InMemory(images, torch.arange(count) % 2, ("a", "b")), batch_size=batch_size, shuffle=shuffle)


def seen(joint: Joint, name: str) -> list[int]:
    return [index for batch in joint for index in part(batch, name)["index"].tolist()]


class Nothing(Loader):
    """A loader that has run out."""

    def __len__(self) -> int:
        return 0


def test_a_step_has_a_batch_of_every_loader() -> None:
    first = next(iter(Joint({"amazon": loader(6), "dslr": loader(4, batch_size=3)})))
    keys = ("image", "label", "index", "stream")
    assert sorted(first) == sorted(f"{name}/{key}" for name in ("amazon", "dslr") for key in keys)
    assert (len(first["amazon/image"]), len(first["dslr/image"])) == (2, 3)


@settings(max_examples=10)
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=3), batch_size=st.integers(1, 4))
def test_an_epoch_is_as_long_as_the_longest_loader_and_gives_all_of_it(counts: list[int], batch_size: int) -> None:
    joint = Joint({str(place): loader(count, batch_size=batch_size) for place, count in enumerate(counts)})
    assert len(joint) == len(list(joint)) == -(-max(counts) // batch_size)
    longest = counts.index(max(counts))
    assert sorted(seen(joint, str(longest))) == list(range(max(counts)))


def test_a_shorter_loader_begins_again_in_a_new_order_and_starves_no_example() -> None:
    joint = Joint({"long": loader(40), "short": loader(10)})
    found = seen(joint, "short")
    assert Counter(found) == dict.fromkeys(range(10), 4)
    passes = {tuple(found[start : start + 10]) for start in range(0, 40, 10)}
    assert len(passes) == 4


def test_every_epoch_has_orders_of_its_own_and_the_same_ones_again() -> None:
    joint = Joint({"long": loader(20), "short": loader(8)})
    orders = []
    for epoch in (0, 1, 2, 1):
        joint.set_epoch(epoch)
        orders.append(tuple(seen(joint, "short")))
    assert len(set(orders)) == 3
    assert orders[1] == orders[3]


def test_no_pass_of_a_short_loader_is_repeated_in_a_later_epoch() -> None:
    joint, streams = Joint({"long": loader(20), "short": loader(8)}), []
    for epoch in range(3):
        joint.set_epoch(epoch)
        streams += [seed for batch in joint for seed in part(batch, "short")["stream"].tolist()]
    assert len(set(streams)) == len(streams)


def test_a_part_is_what_its_loader_gives() -> None:
    alone, joint = loader(6), Joint({"amazon": loader(6), "dslr": loader(2)})
    for expected, batch in zip(alone, joint, strict=True):
        found = part(batch, "amazon")
        assert found.keys() == expected.keys()
        assert all(torch.equal(value, found[key]) for key, value in expected.items())


def test_a_loader_may_stand_under_two_names() -> None:
    one = loader(6)
    for batch in Joint({"first": one, "second": one}):
        assert torch.equal(batch["first/index"], batch["second/index"])


def test_a_joint_batch_is_told_from_a_plain_one() -> None:
    assert is_joint(next(iter(Joint({"amazon": loader(2)}))))
    assert not is_joint(next(iter(loader(2))))


def test_no_loader_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to join; give at least one loader"):
        Joint({})


def test_a_loader_without_batches_is_refused() -> None:
    empty = Nothing(loader(1).source, batch_size=1)
    with pytest.raises(ValueError, match=r"loader 'webcam' has no batches; leave it out"):
        Joint({"amazon": loader(2), "webcam": empty})


@pytest.mark.parametrize("name", ["", "office/amazon"])
def test_a_name_that_cannot_mark_keys_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"has none itself, got {name!r}; rename it"):
        Joint({name: loader(2)})


def test_an_unknown_part_is_refused() -> None:
    batch = next(iter(Joint({"amazon": loader(2), "dslr": loader(2)})))
    with pytest.raises(ValueError, match="no part 'webcam'; it has amazon, dslr"):
        part(batch, "webcam")
