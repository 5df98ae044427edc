"""What the names in a suite stand for during one run, and which of them may be seen."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from monitor.core.errors import StepFailed
from monitor.core.masking import MASK, make_masker
from monitor.core.smoke import Reason, Request, Suite
from monitor.core.template import Scalar, write_scalar

MAX_CAPTURED: Final = 8_192
"""Characters: what is longer is no id, and goes into no URL."""
LEAST_IMPLIED: Final = 8
"""Letters of a header's value that is masked though nobody called it a secret."""

LEAST_CAPTURED: Final = 4
"""Letters of a captured value that is masked: a shorter one stands in every sentence."""

_TELLING: Final = re.compile(r"auth|cookie|token|secret|password|key|signature", re.IGNORECASE)
"""Headers whose value is a secret, wherever it comes from: a token that was captured is one."""


class Values:
    """The names of one run, which grow with every capture."""

    def __init__(self, suite: Suite, built_in: Mapping[str, str]) -> None:
        self._secrets = dict(suite.secrets)
        self._known: dict[str, Scalar] = {**built_in, **self._secrets}
        self._captured: dict[str, Scalar] = {}
        self._to_capture = [name for step in suite.steps for name in step.captures]
        for name, template in suite.variables.items():
            self._known[name] = template.render(lambda other: write_scalar(self.get(other)))
        self._implied: set[str] = set()
        self.imply_secrets(_list_literals(suite))

    def get(self, name: str) -> Scalar:
        """The value of a name.

        Raises:
            StepFailed: it was to be captured, and was not.
        """
        for values in (self._captured, self._known):
            if name in values:
                return values[name]
        raise StepFailed(
            f"{{{{ {name} }}}} has no value: the step that captures it did not get that far.",
            next_step="Look at that step.",
            reason=Reason.CAPTURE,
        )

    def capture(self, name: str, value: Scalar) -> None:
        """Remember a value for the steps to come."""
        self._captured[name] = value

    @property
    def hidden(self) -> Mapping[str, str]:
        """What people see in place of secrets, and of what is captured: it may be one."""
        captures = {name: f"{{{{ {name} }}}}" for name in self._to_capture}
        return captures | dict.fromkeys(self._secrets, MASK)

    def imply_secrets(self, headers: Iterable[tuple[str, str]]) -> None:
        """Mask from now on what stands in headers that carry secrets."""
        for name, value in headers:
            if _TELLING.search(name):
                words = (value, value.partition(" ")[2])
                self._implied |= {word for word in words if len(word) >= LEAST_IMPLIED}
        self._masker = make_masker([*self._secrets.values(), *self._implied])

    def hide(self, text: str) -> str:
        """A text without secrets."""
        return self._masker.hide(text)

    def hide_all(self, text: str) -> str:
        """A text without secrets and without what was captured: nobody asked to see it."""
        captured = [value for value in self._captured.values() if isinstance(value, str)]
        masker = make_masker([text for text in captured if len(text) >= LEAST_CAPTURED])
        return masker.hide(self.hide(text))


def _list_literals(suite: Suite) -> Iterator[tuple[str, str]]:
    """What is written out in headers, or came there from a variable: known before any is sent."""
    for step in suite.steps:
        if isinstance(step.action, Request):
            for name, template in step.action.headers.items():
                yield from ((name, part) for part in template.parts if isinstance(part, str))
