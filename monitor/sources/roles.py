"""What a script does to roles, left out: a stand-in is there for each that it makes."""

import re
from typing import Final

from monitor.core.errors import BuildError
from monitor.core.role_script import find_made_roles, leave_roles_out
from monitor.sources.shadow import Scratch

_MENTION: Final = re.compile(
    r"\b(?:create|alter|drop|on)\s+(?:role|user|group)\b|\b(?:grant|revoke)\b", re.IGNORECASE
)


def admit_roles(scratch: Scratch, text: str) -> str:
    """What the builder may run in place of ``text``.

    Raises:
        BuildError: it makes a role that has no stand-in; it is built again, with one.
    """
    if _MENTION.search(text) is None:
        return text
    for name in find_made_roles(text):
        if name not in scratch.roles:
            raise BuildError(
                f'role "{name}" does not exist',
                next_step="Make it on the server of the shadow, outside of the history.",
            )
    return leave_roles_out(text)
