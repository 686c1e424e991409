"""What a person uploaded."""

from __future__ import annotations

from typing import Any


def files_in(value: Any) -> dict[str, bytes]:
    """Take names and contents out of a FileUpload's value; ipywidgets 7 and 8 differ."""
    if isinstance(value, dict):
        return {str(name): bytes(file["content"]) for name, file in value.items()}
    return {str(file["name"]): bytes(file["content"]) for file in value}
