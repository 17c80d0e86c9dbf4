"""What a program may set for this backend."""

from __future__ import annotations

from typing import Final


class Settings:
    """Switches, as `chainrule.settings` was told."""

    deterministic: bool = False


settings: Final = Settings()


def deterministic() -> bool:
    """Return whether sums must come out the same every time, if that takes longer."""
    return settings.deterministic
