"""Studies: the papers' experiments as grids, with the printed numbers beside ours."""

from manyheads.studies import demo, guo2020, honest, hyun2024, mao2020
from manyheads.studies.grid import grid, subsets
from manyheads.studies.study import Study

__all__ = ["Study", "demo", "grid", "guo2020", "honest", "hyun2024", "mao2020", "subsets"]
