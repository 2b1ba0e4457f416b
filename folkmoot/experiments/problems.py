"""What is wrong with an experiment file, in one line that names the field."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from folkmoot.configuration import Place as Place
from folkmoot.configuration import lines as lines
from folkmoot.configuration import path as path
from folkmoot.configuration import shown as shown
from folkmoot.meant import choices as choices
from folkmoot.meant import first_of as first_of
from folkmoot.meant import unknown_field as unknown_field


class Section(BaseModel):
    """A table of an experiment file: strict, immutable, no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _only_known_fields(cls, given: Any) -> Any:
        text = unknown_field(given, cls.model_fields) if isinstance(given, dict) else None
        if text is not None:
            raise PydanticCustomError("unknown_field", "{text}", {"text": text})
        return given
