"""Names of the threats that stand side by side in every evaluation, by what the attacker knows."""

NOISE, TRANSFER, GRAY, WHITE, ADAPTIVE = "noise", "transfer", "gray-box", "white-box", "adaptive"
"""Nothing; another model of the same task; all but the hidden heads; all heads; all heads and the guard's rule."""

KNOWLEDGE = (NOISE, TRANSFER, GRAY, WHITE, ADAPTIVE)
"""All of them, from the attacker who knows least to the one who knows most."""
