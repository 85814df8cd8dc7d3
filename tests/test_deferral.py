"""Numbers are judged at once, or when they arrive; none is forgotten, and the order is that of the questions."""

import os
from collections.abc import Callable

import pytest
import torch

from manyheads.deferral import DELIVERIES, Delivery, Fetched, Verdict, deferred, examine, may_ask

DEVICE = torch.device(os.environ.get("MANYHEADS_TEST_DEVICE", "cpu"))


def numbers(*values: float) -> torch.Tensor:
    return torch.tensor(values, device=DEVICE)


def refuse(found: list[float]) -> None:
    raise ValueError(f"found {found}")


class Slow:
    """Numbers that take their time: they arrive when `arrived` says so."""

    arrived = False

    def __init__(self, values: torch.Tensor) -> None:
        self.values = values.tolist()

    def has_arrived(self) -> bool:
        return self.arrived

    def numbers(self) -> list[float]:
        return self.values


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything takes its time; nothing has arrived yet."""
    monkeypatch.setitem(DELIVERIES, DEVICE.type, Slow)
    monkeypatch.setattr(Slow, "arrived", False)


def examine_both(first: Verdict, second: Verdict) -> None:
    with deferred():
        examine(numbers(1.0), first)
        examine(numbers(2.0), second)


def test_outside_numbers_are_judged_at_once() -> None:
    with pytest.raises(ValueError, match=r"found \[1\.5, 2\.0\]"):
        examine(numbers(1.5, 2.0), refuse)


def test_whole_numbers_are_handed_on_as_numbers() -> None:
    found: list[list[float]] = []
    examine(torch.tensor([3, -1], device=DEVICE), found.append)
    assert found == [[3.0, -1.0]]
    assert isinstance(found[0][0], float)


def test_gradients_do_not_matter() -> None:
    found: list[list[float]] = []
    examine(numbers(0.5).requires_grad_(), found.append)
    with deferred():
        examine(numbers(0.5).requires_grad_(), found.append)
    assert found == [[0.5], [0.5]]


@pytest.mark.skipif(DEVICE.type != "cpu", reason="a processor's numbers are there at once, an accelerator's are not")
def test_inside_a_processors_numbers_are_judged_at_once_too() -> None:
    found: list[list[float]] = []
    with pytest.raises(ValueError, match=r"found \[1\.0\]"):
        examine_both(refuse, found.append)
    assert found == []


@pytest.mark.usefixtures("slow")
def test_what_has_not_arrived_is_judged_at_the_end() -> None:
    found: list[list[float]] = []
    with deferred():
        examine(numbers(1.0), found.append)
        examine(numbers(2.0), found.append)
        assert found == []
    assert found == [[1.0], [2.0]]


@pytest.mark.usefixtures("slow")
def test_what_has_arrived_is_judged_at_the_next_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[float]] = []
    with deferred():
        examine(numbers(1.0), found.append)
        monkeypatch.setattr(Slow, "arrived", True)
        examine(numbers(2.0), found.append)
        assert found == [[1.0], [2.0]]


@pytest.mark.usefixtures("slow")
def test_the_first_bad_number_is_the_one_that_is_told() -> None:
    with pytest.raises(ValueError, match=r"found \[1\.0\]"):
        examine_both(refuse, refuse)


def fail(_: list[float]) -> None:
    raise KeyError("other")


@pytest.mark.usefixtures("slow")
def test_an_error_on_the_way_out_leaves_nothing_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[float]] = []
    with pytest.raises(KeyError, match="other"):
        examine_both(fail, found.append)
    monkeypatch.setattr(Slow, "arrived", True)
    with deferred():
        examine(numbers(3.0), found.append)
    examine(numbers(4.0), found.append)
    assert found == [[3.0], [4.0]]


@pytest.mark.usefixtures("slow")
def test_each_of_two_nested_ones_judges_its_own() -> None:
    found: list[list[float]] = []
    with deferred():
        examine(numbers(1.0), found.append)
        with deferred():
            examine(numbers(2.0), found.append)
        assert found == [[2.0]]
        examine(numbers(3.0), found.append)
    assert found == [[2.0], [1.0], [3.0]]


@pytest.mark.usefixtures("slow")
def test_inside_nobody_may_ask_what_takes_its_time() -> None:
    assert may_ask(DEVICE)
    with deferred():
        assert not may_ask(DEVICE)
    assert may_ask(DEVICE)


@pytest.mark.skipif(DEVICE.type != "cpu", reason="a processor's numbers are there at once, an accelerator's are not")
def test_a_processor_may_always_be_asked() -> None:
    with deferred():
        assert may_ask(DEVICE)


@pytest.mark.parametrize("deliver", [Fetched, *([DELIVERIES["cuda"]] if DEVICE.type == "cuda" else [])])
def test_a_delivery_brings_the_numbers(deliver: Callable[[torch.Tensor], Delivery]) -> None:
    sent = deliver(numbers(0.25, -2.0))
    assert sent.numbers() == [0.25, -2.0]
    assert sent.has_arrived()
