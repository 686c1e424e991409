"""Starts the panels as a page of their own, by Voila: no cells, and a browser can run no code of its own.

Voila answers whoever reaches its port, under any name; a page elsewhere on the web that gives this machine a name of
its own could too. So the port is open to this machine alone unless somebody asks, and always wants a token. Voila runs
in a folder of ours: nothing else is served, and no settings or modules of the folder that it is started in are read.
"""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from clipnb.errors import ClipnbError, reason
from clipnb.progress import say, tell

PANELS = ("live", "interrogate", "tags")
LOCAL = "127.0.0.1"
_PATIENCE = 60.0  # seconds until the server answers
_SOURCE = """\
import os, sys
sys.path[:] = filter(None, sys.path)
os.chdir({folder!r})
from clipnb.widgets.app import open_panels
open_panels({panels!r})"""
_FOREIGN = "@jupyter-notebook/lab-extension"  # of Notebook 7, which fails in Voila
_FONTS = "https://cdn.jsdelivr.net/npm/@fortawesome/fontawesome-free@^5/css/"
_TEMPLATE = f"""\
{{% extends "lab/index.html.j2" %}}
{{% block notebook_css %}}{{{{ super() | replace("{_FONTS}", "data:text/css,") }}}}{{% endblock %}}
"""
"""Of the page: Voila's own, without the icons that it has already and loads from the web again."""


def run_app(panels: Sequence[str], address: str = LOCAL, port: int = 0, *, browser: bool = True) -> int:
    """Serve panels until interrupted, and return Voila's exit status.

    Args:
        panels: some of `PANELS`; several are tabs.
        address: of this machine, where others may reach it.
        port: 0 takes a free one.
        browser: whether the page is opened in one.

    Raises:
        ClipnbError: Voila is not installed, does not start, or the address or port cannot be had.
    """
    if find_spec("voila") is None:
        raise ClipnbError(
            "the panels become a page by Voila, which is not here; get it with: pip install 'clipnb[app]'"
        )
    port, token = _free_port(address, port), secrets.token_urlsafe(24)
    own = address if ipaddress.ip_address(address).is_loopback else LOCAL
    with tempfile.TemporaryDirectory(prefix="clipnb-app-") as made:
        folder = Path(made)
        _write(folder, panels)
        paths = filter(None, (str(folder), os.environ.get("JUPYTER_PATH")))
        environment = {**os.environ, "JUPYTER_TOKEN": token, "JUPYTER_PATH": os.pathsep.join(paths)}
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # Voila ends with this process
        process = subprocess.Popen(_command(folder, address, port), cwd=folder, env=environment)  # noqa: S603 - ours
        try:
            _wait_for(process, own, port)
            url = f"http://{own}:{port}/?token={token}"
            say(f"clipnb: the panels are at {url}\nclipnb: whoever has this address can use them; Ctrl+C ends them")
            if own != address:
                tell(f"clipnb: others reach it at {address}, unencrypted, and read and write files as you do")
            if browser:
                webbrowser.open(url)
            return process.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            process.terminate()
            process.wait()


def _command(folder: Path, address: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "voila", str(folder / "clipnb.ipynb"), "--no-browser", "--token", "--template=clipnb"),
        *(f"--Voila.ip={address}", f"--port={port}", "--Voila.port_retries=0", "--Voila.log_level=ERROR"),
        "--VoilaConfiguration.show_tracebacks=True",
        f"--VoilaConfiguration.extension_denylist={_FOREIGN}",
    ]


def _write(folder: Path, panels: Sequence[str]) -> None:
    source = _SOURCE.format(folder=str(Path.cwd()), panels=tuple(panels))
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "panels",
        "metadata": {},
        "outputs": [],
        "source": source,
    }
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    template = folder / "voila" / "templates" / "clipnb"
    template.mkdir(parents=True)
    (folder / "clipnb.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (template / "conf.json").write_text('{"base_template": "lab"}', encoding="utf-8")
    (template / "index.html.j2").write_text(_TEMPLATE, encoding="utf-8")


def _free_port(address: str, port: int) -> int:
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
        with socket.socket(family) as probe:
            if os.name == "posix":  # a port that was left a moment ago is free
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            return int(probe.getsockname()[1])
    except ValueError as error:
        raise ClipnbError(f"{address!r} is no address such as {LOCAL} or, for every network, 0.0.0.0") from error
    except (OSError, OverflowError) as error:
        place = f"{address}, port {port}" if port else address
        why = reason(error) if isinstance(error, OSError) else "ports go up to 65535"
        raise ClipnbError(f"cannot listen at {place}: {why}; choose another, or leave it out") from error


def _wait_for(process: subprocess.Popen[bytes], address: str, port: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ClipnbError("Voila did not start; what it says of that stands above")
