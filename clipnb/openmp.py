"""How torch's threads wait for one another: in a notebook they leave the processor to its browser."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from clipnb.host import Host, find_host

_POLICY, _ASLEEP = "OMP_WAIT_POLICY", "PASSIVE"
_WISHES = (_POLICY, "GOMP_SPINCOUNT", "KMP_BLOCKTIME")  # any of which somebody may have set
_BESIDE_A_BROWSER = (Host.JUPYTER, Host.VSCODE, Host.MARIMO)  # those in the cloud have theirs elsewhere


@contextmanager
def waiting_asleep() -> Iterator[None]:
    """Let what loads torch here load an OpenMP whose waiting threads sleep, in a notebook; no variable stays.

    OpenMP reads the variable when it is loaded, so nothing is done where torch is there already; nor where somebody
    has chosen how threads wait, or outside notebooks, where threads that spin are faster and take nothing from anyone.
    """
    if "torch" in sys.modules or wished() or find_host() not in _BESIDE_A_BROWSER:
        yield
        return
    os.environ[_POLICY] = _ASLEEP
    try:
        yield
    finally:
        os.environ.pop(_POLICY, None)


def wished() -> str:
    """Return what somebody set about waiting threads, such as "GOMP_SPINCOUNT=3000", or ""."""
    return ", ".join(f"{name}={os.environ[name]}" for name in _WISHES if name in os.environ)
