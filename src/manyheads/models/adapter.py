"""Somebody's own model, made to answer as the rest of the package expects: one output per task, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass

from torch import Tensor, nn

from manyheads.models.multitask import Normalise
from manyheads.tasks import CrossEntropy, Task
from manyheads.types import Image

LOGITS = "logits"
"""The entry that holds a lone task's scores where outputs have names of their own, as those of Hugging Face do."""


class Adapted(nn.Module):
    """A model whose outputs go by the tasks' names; `adapt` makes it.

    It shares the module's weights and follows `train()` and `eval()`.

    Args:
        module: what it asks.
        tasks: the tasks it answers.
        entries: which of the module's outputs answers which task, by position or name; empty to go by what is there.
        normalise: what is done to the pixels first.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        tasks: Sequence[Task],
        entries: Mapping[str, str | int],
        normalise: nn.Module,
    ) -> None:
        super().__init__()
        self.normalise = normalise
        self.module = module
        self.tasks = tuple(tasks)
        self.entries = dict(entries)
        self.training = module.training

    def forward(self, image: Image) -> dict[str, Tensor]:
        """Return the answer to every task, by name.

        Raises:
            ValueError: if the outputs are not what the tasks need, in number, name, type or shape.
        """
        found = self._sorted(self.module(self.normalise(image)))
        return {task.name: _checked(found[task.name], task=task, batch=len(image)) for task in self.tasks}

    def _sorted(self, outputs: object) -> dict[str, object]:
        """Find each task's output."""
        if isinstance(outputs, Tensor):
            outputs = (outputs,)
        by_name, by_place = _named_parts(outputs), _listed_parts(outputs)
        if not by_name and not by_place:
            raise ValueError(
                f"a model returns a tensor, a tuple or list, a dict, or an object with such fields; got "
                f"{type(outputs).__name__}"
            )
        if self.entries:
            return {
                name: _picked(key, task=name, by_name=by_name, by_place=by_place) for name, key in self.entries.items()
            }
        names = [task.name for task in self.tasks]
        if all(name in by_name for name in names):
            return {name: by_name[name] for name in names}
        if len(names) == 1 and LOGITS in by_name:
            return {names[0]: by_name[LOGITS]}
        if len(by_place) == len(names):
            return dict(zip(names, by_place, strict=True))
        raise ValueError(_mismatch(names, by_name=by_name, by_place=by_place))


def adapt(
    module: nn.Module,
    *,
    tasks: Sequence[Task],
    entries: Mapping[str, str | int] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Adapted:
    """Make any module a model that can be attacked, evaluated and viewed head by head.

    The module may return

    - a tensor, the answer to the only task;
    - a tuple or list, the tasks' answers in their order;
    - a dict, a named tuple, a dataclass or any object with fields: the tasks' answers by name. A lone task's may also
      be called `logits`, as in the outputs of Hugging Face's classifiers; what else is there is left alone.

    Images come in [0, 1] and so do budgets. Where the module was trained on normalised pixels, give `mean` and `std`:
    that belongs behind the attacker, not before. What comes back is checked at every call.

    Args:
        module: the model, with scores (logits) of a classification task, not probabilities.
        tasks: what it answers, in the order of its outputs.
        entries: where its outputs are named or ordered otherwise: by task, the output's name or its position from 0.
        mean: per channel, subtracted from the image first; in pixel units ([0, 1]). None for raw pixels.
        std: per channel, divided by afterwards; given together with `mean`.

    Raises:
        ValueError: if there is no task, two share a name, `entries` speak of other tasks, or only one of `mean` and
            `std` is given.

    >>> import torch
    >>> from manyheads.tasks import classify
    >>> own = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    >>> model = adapt(own, tasks=[classify("digit", classes=10)], mean=[0.5], std=[0.25])
    >>> {name: tuple(output.shape) for name, output in model(torch.zeros(3, 1, 8, 8)).items()}
    {'digit': (3, 10)}
    """
    names = [task.name for task in tasks]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"give the tasks that the model answers, each once; got {', '.join(names) or 'none'}")
    if entries is not None and set(entries) != set(names):
        raise ValueError(
            f"entries name an output for every task and for nothing else; tasks: {', '.join(names)}; "
            f"entries: {', '.join(entries) or 'none'}"
        )
    if (mean is None) != (std is None):
        raise ValueError("give mean and std together, or neither for raw pixels")
    normalise = nn.Identity() if mean is None or std is None else Normalise(mean=mean, std=std)
    place = next(module.parameters(), None)
    return Adapted(
        module,
        tasks=tasks,
        entries=entries or {},
        normalise=normalise if place is None else normalise.to(place.device),
    )


def _named_parts(outputs: object) -> dict[str, object]:
    """Return the outputs that have names."""
    if isinstance(outputs, Mapping):
        return {str(name): value for name, value in outputs.items()}
    if hasattr(outputs, "_fields"):
        return {name: getattr(outputs, name) for name in getattr(outputs, "_fields")}  # noqa: B009 (a named tuple's)
    if isinstance(outputs, tuple | list | str | bytes | int | float | None):
        return {}
    if is_dataclass(outputs):
        return {field.name: getattr(outputs, field.name) for field in fields(outputs)}
    return dict(vars(outputs)) if hasattr(outputs, "__dict__") else {}


def _listed_parts(outputs: object) -> tuple[object, ...]:
    """Return the outputs that have an order."""
    return tuple(outputs) if isinstance(outputs, tuple | list) else ()


def _picked(key: str | int, *, task: str, by_name: Mapping[str, object], by_place: Sequence[object]) -> object:
    """Return the output that an entry speaks of."""
    if isinstance(key, int):
        if not 0 <= key < len(by_place):
            raise ValueError(
                f"task {task!r} is to be answered by output {key}, but the model returns {_listed(by_name, by_place)}"
            )
        return by_place[key]
    if key not in by_name:
        raise ValueError(
            f"task {task!r} is to be answered by the output {key!r}, but the model returns {_listed(by_name, by_place)}"
        )
    return by_name[key]


def _mismatch(names: Sequence[str], *, by_name: Mapping[str, object], by_place: Sequence[object]) -> str:
    return (
        f"the model returns {_listed(by_name, by_place)}, but has to answer {len(names)} "
        f"task{'s' * (len(names) != 1)} ({', '.join(names)}); say with entries which output answers which task"
    )


def _listed(by_name: Mapping[str, object], by_place: Sequence[object]) -> str:
    if by_name:
        return f"outputs called {', '.join(by_name)}"
    return f"{len(by_place)} output{'s' * (len(by_place) != 1)}"


def _checked(output: object, *, task: Task, batch: int) -> Tensor:
    """Return an output, unless it is none that an answer to the task looks like."""
    match output:
        case Tensor():
            shape = tuple(output.shape)
        case _:
            raise ValueError(f"the answer to task {task.name!r} is a tensor, got {type(output).__name__}")
    planes = ", ".join(["height, width"] * (not isinstance(task.loss, CrossEntropy)))
    wanted = f"({', '.join(part for part in (str(batch), str(task.channels), planes) if part)})"
    if not output.dtype.is_floating_point:
        raise ValueError(
            f"the answer to task {task.name!r} holds {output.dtype}; return scores (logits), not classes: an attacker "
            "needs to know how sure the model is"
        )
    ranks = (2,) if isinstance(task.loss, CrossEntropy) else (2, 4)
    if len(shape) not in ranks or shape[0] != batch or shape[1] != task.channels:
        raise ValueError(f"task {task.name!r} needs scores of shape {wanted}, the model returns {shape}")
    return output
