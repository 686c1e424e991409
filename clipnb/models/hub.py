"""The hub of models: what its local cache holds, and why it cannot be asked. Nothing here asks it."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from clipnb.errors import first_line


def find_in_cache(repository: str, file: str) -> Path | None:
    """Find a file of a repository in the hub's local cache.

    Args:
        repository: "org/repo"; one that is no such name is not there.
        file: its path in the repository.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repository, file)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def snapshot(repository: str, marker: str) -> Path | None:
    """Find the folder of a repository in the hub's local cache; its JSON files are brought up to date where that goes.

    Args:
        repository: "org/repo".
        marker: a file that it must have.
    """
    from huggingface_hub import snapshot_download

    if not why_missing(repository):
        with suppress(Exception):  # of many kinds; then what is in the cache counts
            snapshot_download(repository, allow_patterns="*.json")
    found = find_in_cache(repository, marker)
    return found and found.parent


def why_missing(repository: str) -> str | None:
    """Tell why a repository that is not in the local cache cannot be had; None where the hub may be asked for it.

    This is quick: the hub's own client retries for a minute.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # there, but not listed

    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        return first_line(error).rstrip(".")
    reason = _why_unreachable()
    return reason and f"{repository} is not in the local cache, and {reason}"


def _why_unreachable() -> str | None:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    if any(os.environ.get(proxy) for proxy in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return None  # then the proxy looks the address up
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        return "the model hub cannot be reached"
    return None
