"""Multi-task adversarial robustness for image models: hidden tasks, attacks on many heads, a guard that abstains.

Import from the package of each layer, for example `from manyheads.attacks import PGD`.
"""

__version__ = "0.1.0"
