"""What the files of a trial are called."""


def file_title(trial: str, *, eps: float) -> str:
    """Name, without attacker and ending, of the files of one trial.

    >>> file_title("pgd untargeted", eps=8 / 255)
    'pgd-untargeted--0.03137'
    """
    return f"{trial.replace(' ', '-')}--{eps:.4g}"
