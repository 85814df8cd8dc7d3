"""Names of the threats that stand side by side in every evaluation, by what the attacker knows."""

NOISE, TRANSFER, GRAY, WHITE, ADAPTIVE = "noise", "transfer", "gray-box", "white-box", "adaptive"
"""Nothing; another model of the same task; all but the hidden heads; all heads; all heads and the guard's rule."""

SINGLE_TASK, MULTI_TASK = "single-task", "multi-task"
"""Those on a dense model, by whose losses they raise: the main task's; all tasks'."""

KNOWLEDGE = (NOISE, TRANSFER, GRAY, WHITE, ADAPTIVE)
"""All those on a classifier, from the attacker who knows least to the one who knows most."""
