"""What a trained guard needs beside its weights: tasks, rule, threshold. Enough to use a run without its data."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from manyheads.defences import Guard
from manyheads.models import MultiTaskModel
from manyheads.tasks import LabelMap, Task, classify, regroup


@dataclass(frozen=True)
class GuardRecord:
    """A guard without its weights.

    Args:
        threshold: inputs are rejected where the score reaches it.
        image_shape: channels, height and width of its images.
        class_names: names of the classes of every task, main task first.
        groups: each hidden task's group of every main class.
        shared: how many parameters all tasks share.
        private: how many each head owns.
        commit: version of the code that trained it; None where unknown.
    """

    threshold: float
    image_shape: tuple[int, int, int]
    class_names: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[int, ...]]
    shared: int
    private: Mapping[str, int]
    commit: str | None = None

    def tasks(self) -> tuple[Task, ...]:
        """Make the tasks, main task first."""
        main, *hidden = self.class_names
        made = [classify(main, classes=self.class_names[main])]
        made += [regroup(name, LabelMap(self.class_names[name], self.groups[name])) for name in hidden]
        return tuple(made)

    def to_json(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @staticmethod
    def from_json(text: str, *, source: str) -> "GuardRecord":
        """Read what `to_json` wrote.

        Raises:
            ValueError: if it is something else.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            values["image_shape"] = tuple(values["image_shape"])
            for name in ("class_names", "groups"):
                values[name] = {task: tuple(entries) for task, entries in values[name].items()}
            return GuardRecord(**values)
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{source} does not describe a guard ({error}); run the experiment again") from error


def record(guard: Guard, *, tasks: Sequence[Task], image_shape: tuple[int, int, int]) -> GuardRecord:
    """Describe a guard around a multi-task model."""
    model = guard.model
    if not isinstance(model, MultiTaskModel):
        raise TypeError(f"a guard of a run holds a MultiTaskModel, got {type(model).__name__}")
    counts = model.parameter_counts()
    return GuardRecord(
        threshold=guard.threshold,
        image_shape=image_shape,
        class_names={task.name: task.class_names for task in tasks},
        groups={task.name: task.label_map.groups for task in tasks if isinstance(task.label_map, LabelMap)},
        shared=counts.shared,
        private=dict(counts.private),
        commit=code_version(),
    )


def code_version() -> str | None:
    """Commit of this package's source, with a plus where files have been changed since; None outside a checkout."""
    folder = Path(__file__).parent

    def git(*arguments: str) -> str | None:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
        return done.stdout.strip() if done.returncode == 0 else None

    try:
        if git("ls-files", "--error-unmatch", Path(__file__).name) is None:
            return None
        return f"{git('rev-parse', '--short', 'HEAD')}{'+' if git('status', '--porcelain', '--', '..') else ''}"
    except FileNotFoundError:
        return None
