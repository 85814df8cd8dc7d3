"""Verdicts on numbers that a device is still computing: given when the numbers arrive, so that nobody waits for them.

A program that reads a number from a GPU waits until the GPU has computed it, and the GPU then waits for the program. A
check of what is on a GPU reads one; a loop that checks something at every turn is better put into `deferred`.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Num
from torch import Tensor

Verdict = Callable[[list[float]], None]
"""Judges numbers: raises an error if they are not as they should be."""


@runtime_checkable
class Delivery(Protocol):
    """Numbers on their way from a device."""

    def has_arrived(self) -> bool:
        """Tell, without waiting, whether they can be had without waiting."""
        ...

    def numbers(self) -> list[float]:
        """Return them, after waiting for them if need be."""
        ...


class Fetched:
    """Numbers that are fetched when they are asked for: at no cost where they are in the processor's memory."""

    def __init__(self, values: Tensor) -> None:
        self.values = values

    def has_arrived(self) -> bool:
        """Say yes: there is nothing to be gained by asking later."""
        return True

    def numbers(self) -> list[float]:
        """Return the numbers."""
        return [float(number) for number in self.values.tolist()]


class Sent:
    """Numbers that a CUDA device sends as soon as it has computed them, into page-locked memory."""

    def __init__(self, values: Tensor) -> None:
        self.values = values.detach().to("cpu", non_blocking=True)
        self.sent = torch.cuda.Event()
        self.sent.record(torch.cuda.current_stream(values.device))

    def has_arrived(self) -> bool:
        """Ask the event that follows the copy."""
        return self.sent.query()

    def numbers(self) -> list[float]:
        """Wait for the event, and return the numbers."""
        self.sent.synchronize()
        return [float(number) for number in self.values.tolist()]


DELIVERIES: dict[str, Callable[[Tensor], Delivery]] = {"cuda": Sent}
"""How numbers leave devices of each type; those that are not named are `Fetched`."""


class _Docket:
    """Numbers to be judged, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.pending: deque[tuple[Delivery, Verdict]] = deque()

    def add(self, values: Tensor, verdict: Verdict) -> None:
        """Send for numbers, and judge all that have arrived: those of the processor at once."""
        deliver = DELIVERIES.get(values.device.type, Fetched)
        self.pending.append((deliver(values), verdict))
        while self.pending and self.pending[0][0].has_arrived():
            self._judge_first()

    def close(self) -> None:
        """Wait for the rest and judge it."""
        while self.pending:
            self._judge_first()

    def _judge_first(self) -> None:
        delivery, verdict = self.pending.popleft()
        verdict(delivery.numbers())


_DOCKET: ContextVar[_Docket | None] = ContextVar("docket", default=None)


def examine(values: Num[Tensor, " numbers"], verdict: Verdict) -> None:
    """Judge numbers: at once, which waits for the device, or inside `deferred` when they arrive.

    Args:
        values: the numbers, which nobody changes in place afterwards.
        verdict: raises an error if they are not as they should be.

    >>> examine(torch.tensor([0.5, 2.0]), print)
    [0.5, 2.0]
    """
    docket = _DOCKET.get()
    if docket is None:
        verdict(Fetched(values).numbers())
    else:
        docket.add(values, verdict)


def may_ask(device: torch.device) -> bool:
    """Tell whether a number may be read now: not inside `deferred`, where it has to be waited for.

    A loop that ends when its result is good enough had better turn a fixed number of times instead.

    Args:
        device: where the number is.
    """
    return _DOCKET.get() is None or device.type not in DELIVERIES


@contextmanager
def deferred() -> Iterator[None]:
    """Let `examine` judge what is on a CUDA device when it arrives: at the next examination after that, or at the end.

    The end waits for what is still missing, so that no verdict is lost; an error on the way out loses them all. What is
    in the processor's memory is judged at once, as it is outside.
    """
    docket = _Docket()
    token = _DOCKET.set(docket)
    try:
        yield
    finally:
        _DOCKET.reset(token)
    docket.close()
