"""Facts: what happened to each example, one row per example, attack and threat."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

_REQUIRED = (
    "model", "threat", "attack", "eps", "norm", "main", "index", "size", "won", "loss_clean", "loss_attacked",
    "score_clean", "score_attacked", "rejected_clean", "rejected_attacked",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Facts:
    """Per-example results of attacks.

    The table has the columns `model, threat, attack, eps, norm, main, index, size, won, loss_clean, loss_attacked,
    score_clean, score_attacked, rejected_clean, rejected_attacked`. `size` is the norm of the perturbation in the
    budget's norm. `won` and the losses are the threat's rule of success and objective on the model that the threat
    attacks: in a transfer attack that is not the victim; `won` is null where nobody says what winning is. Scores and
    rejections are the guard's (null and false without one).

    For each classification task there are `<task>.truth`, `<task>.clean` and `<task>.attacked`: the true class (null
    where it is unknown) and the victim's answers before and after the attack. For each other task there are, before and
    after, `<task>.clean_loss`, `<task>.attacked_loss` and the lists `<task>.clean_state`, `<task>.attacked_state`: what
    the example adds to the state of the task's counter; null without a target.

    Args:
        table: the facts.

    Raises:
        ValueError: if a required column is missing.
    """

    table: pl.DataFrame

    def __post_init__(self) -> None:
        """Refuse a table that is not one of facts."""
        missing = [name for name in _REQUIRED if name not in self.table.columns]
        if missing:
            raise ValueError(f"a table of facts needs the columns {', '.join(missing)}; it has {self.table.columns}")

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that the facts speak of, main task first."""
        return self._main_first([*self.classified, *self.measured])

    @property
    def classified(self) -> tuple[str, ...]:
        """Names of the classification tasks, whose answers the facts hold; main task first."""
        return self._main_first(self._with("truth"))

    @property
    def measured(self) -> tuple[str, ...]:
        """Names of the other tasks, whose counters' states the facts hold; main task first."""
        return self._main_first(self._with("clean_state"))

    def _with(self, column: str) -> list[str]:
        return [name.removesuffix(f".{column}") for name in self.table.columns if name.endswith(f".{column}")]

    def _main_first(self, names: list[str]) -> tuple[str, ...]:
        main = set(self.table["main"].unique())
        return tuple(sorted(names, key=lambda name: name not in main))

    def labelled(self, *, model: str, attack: str) -> "Facts":
        """Name the model and the attack, as reports shall call them."""
        return Facts(self.table.with_columns(pl.lit(model).alias("model"), pl.lit(attack).alias("attack")))

    def save(self, path: Path) -> None:
        """Write a Parquet file, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.tmp")
        self.table.write_parquet(unfinished)
        unfinished.replace(path)

    @staticmethod
    def load(path: Path) -> "Facts":
        """Read a Parquet file.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if it is not a whole Parquet file of facts.
        """
        if not path.exists():
            raise FileNotFoundError(f"no facts at {path}; evaluate first")
        try:
            table = pl.read_parquet(path)
        except pl.exceptions.PolarsError as error:
            raise ValueError(f"{path} is not a whole Parquet file ({error}); delete it and evaluate again") from error
        return Facts(table)


def joined(parts: Sequence[Facts]) -> Facts:
    """Put facts of several threats, attacks or models under each other; a task one model lacks is null there.

    Raises:
        ValueError: if there are none.
    """
    if not parts:
        raise ValueError("there are no facts to join; evaluate at least one threat")
    return Facts(pl.concat([part.table for part in parts], how="diagonal"))
