"""Files given by the plain upload button, as a browser gives them."""

from __future__ import annotations

import datetime

import ipywidgets


def give(button: ipywidgets.FileUpload, files: dict[str, bytes]) -> None:
    """Give files by name, in the form of the installed ipywidgets: 7 and 8 differ."""
    if isinstance(button.value, dict):
        described = {name: {"metadata": {"name": name}, "content": content} for name, content in files.items()}
        button.set_trait("value", described)
        return
    facts = {"type": "", "size": 1, "last_modified": datetime.datetime.now(tz=datetime.timezone.utc)}
    button.value = tuple({**facts, "name": name, "content": memoryview(content)} for name, content in files.items())
