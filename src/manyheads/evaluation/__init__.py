"""Evaluation: per-example facts, and scores with confidence intervals computed from them."""

from manyheads.evaluation.evaluate import Attacked, evaluate
from manyheads.evaluation.facts import Facts, joined
from manyheads.evaluation.intervals import wilson
from manyheads.evaluation.scores import scores

__all__ = ["Attacked", "Facts", "evaluate", "joined", "scores", "wilson"]
