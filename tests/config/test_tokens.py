from pydantic import SecretStr

from monitor.config.settings import Settings
from monitor.config.tokens import SHORTEST, describe_short_tokens


def test_a_short_token_is_named_and_not_shown() -> None:
    settings = Settings.model_construct(
        api_token=SecretStr("hunter2"), metrics_token=SecretStr("m" * SHORTEST), push_token=None
    )
    (told,) = describe_short_tokens(settings)
    assert told.startswith("api_token has fewer than 16 characters")
    assert "hunter2" not in told


def test_long_tokens_and_none_are_no_word() -> None:
    assert describe_short_tokens(Settings.model_construct()) == []
