"""What every document of the JSON interface is."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """A document that never changes once it is made."""

    model_config = ConfigDict(frozen=True)
