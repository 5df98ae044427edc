"""Tokens that somebody could guess: a port that everybody reaches answers many tries a second."""

from typing import Final

from monitor.config.settings import Settings

SHORTEST: Final = 16
"""Characters, as of the secrets that are a part of an address."""


def describe_short_tokens(settings: Settings) -> list[str]:
    """A sentence for each token that is short enough to be guessed; for the log alone."""
    tokens = {
        "api_token": settings.api_token,
        "metrics_token": settings.metrics_token,
        "push_token": settings.push_token,
    }
    return [
        f"{name} has fewer than {SHORTEST} characters: who reaches the port can guess it. "
        "Make one with `openssl rand -hex 24`."
        for name, token in tokens.items()
        if token is not None and len(token.get_secret_value()) < SHORTEST
    ]
