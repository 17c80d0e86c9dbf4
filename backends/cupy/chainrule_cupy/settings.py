"""What a program may set for this backend."""

from __future__ import annotations

import os
from typing import Final


class Settings:
    """Switches; each begins as the environment says."""

    def __init__(self) -> None:
        self.deterministic = os.environ.get("CHAINRULE_DETERMINISTIC", "0") not in {"", "0"}


settings: Final = Settings()


def deterministic() -> bool:
    """Return whether sums must come out the same every time, if that takes longer."""
    return settings.deterministic
