"""A real JupyterLab, used through Chromium as a person would: open a notebook, run cells, press buttons."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PATIENCE = 60  # seconds; only a failing test waits for so long, or one on a machine with much else to do
WIDGET = "window.jupyterapp?.shell?.currentWidget"
KERNEL = f"{WIDGET}?.sessionContext?.session?.kernel"
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # outputs off screen stay in the page
    "docmanager-extension/plugin": {"autosave": False},
}
RUN_CELL = (
    "async source => { const w = "
    + WIDGET
    + """; const cell = w.content.widgets[0]; w.content.activeCellIndex = 0;
    cell.model.sharedModel.setSource(source);
    await window.jupyterapp.commands.execute('notebook:run-cell');
    const errors = cell.model.sharedModel.outputs.filter(o => o.output_type === 'error');
    return errors.map(o => o.ename + ': ' + o.evalue); }"""
)
PATIENT = """{
    const soon = AbortSignal.timeout;
    AbortSignal.timeout = time => soon.call(AbortSignal, Math.max(time, 300_000)); }"""
"""anywidget gives a model two seconds to begin, and one that took longer hears nothing from Python any more."""
_said: dict[Page, list[str]] = {}
"""What each page wrote to its console, and what went wrong on it."""
_logs: list[Path] = []
"""Of the servers and their kernels, the newest last."""
TOLD = (
    "() => { const area = document.querySelector('.jp-Cell .jp-OutputArea'), cell = "
    + WIDGET
    + """?.content.widgets[0];
    const outputs = JSON.stringify(cell?.model.sharedModel.outputs.map(o => ({ ...o.data, 'image/png': '...' })));
    const parts = [...(area?.querySelectorAll("div, button, iframe") ?? [])].slice(0, 60);
    const laid = parts.map(e => `${e.className}${e.offsetParent ? "" : " (hidden)"}`).join("\\n");
    return [area?.innerText, laid, outputs?.slice(0, 2000)].map(String); }"""
)
EVALUATE = (
    "async expression => { const f = "
    + KERNEL
    + """.requestExecute({code: '', silent: true, store_history: false,
    user_expressions: {v: '__import__("json").dumps(' + expression + ').encode().hex()'}});
    return (await f.done).content.user_expressions.v; }"""
)
READY = f"() => {WIDGET}?.context?.isReady && {KERNEL}?.status === 'idle'"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what pages and servers showed when a test failed, or its set-up: a timeout alone tells nothing."""
    report = yield
    if report.failed:
        for page in [page for page in _said if not page.is_closed()]:
            with suppress(Exception):  # a page that does not answer
                report.sections.append((f"the page {page.url}", _told(page)))
        for log in _logs[-2:]:
            with suppress(OSError):
                report.sections.append((str(log), log.read_text(errors="replace")[-4000:]))
    return report


def _told(page: Page) -> str:
    """Return what a page shows, its first cell's outputs, what it said, and where a picture of it lies."""
    shot = _logs[-1].with_name(f"page-{secrets.token_hex(4)}.png")
    page.screenshot(path=shot, timeout=10_000)
    shown = page.locator("body").inner_text(timeout=10_000)[-6000:]
    return "\n\n".join([shown, *page.evaluate(TOLD), *_said[page][-60:], f"picture: {shot}"])


def watch(page: Page) -> None:
    """Keep what a page says, to be told when a test fails, and let its widgets load as slowly as they must."""
    page.add_init_script(PATIENT)
    said = _said.setdefault(page, [])
    page.on("console", lambda m: said.append(f"{m.type}: {m.text} ({m.location['url']})"))
    page.on("pageerror", lambda error: said.append(f"{error.message}\n{error.stack}"))


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, the word that opens it, and the folder it serves."""

    address: str
    token: str
    root: Path


class Notebook:
    """One notebook in one page of the browser."""

    def __init__(self, browser: Browser, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self.requests: list[str] = []
        self.wrong: list[str] = []
        self.look_at(browser.new_page(viewport={"width": 1280, "height": 1000}))
        self.open()

    def look_at(self, page: Page) -> None:
        """Use this page, and note what it asks for and what goes wrong there."""
        self.page = page
        self.page.set_default_timeout(PATIENCE * 1000)
        watch(page)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type == "error" else None)

    def open(self) -> None:
        """Load the page, again if it is loaded already, and wait for its kernel."""
        self.page.goto(f"{self.server.address}/doc/tree/{self.name}?token={self.server.token}&reset")
        self.page.wait_for_function(READY, timeout=2 * PATIENCE * 1000)

    def run(self, source: str) -> Locator:
        """Put this into the first cell, run it, and return the cell's outputs."""
        assert self.page.evaluate(RUN_CELL, source) == []
        return self.page.locator(".jp-Cell").first.locator(".jp-OutputArea").first

    def python(self, expression: str) -> Any:
        """Evaluate an expression in the kernel; its value must fit into JSON."""
        answer = self.page.evaluate(EVALUATE, expression)
        assert answer["status"] == "ok", f"{expression}: {answer.get('ename')}: {answer.get('evalue')}"
        return json.loads(bytes.fromhex(answer["data"]["text/plain"].strip("'")))

    def until(self, expression: str, seconds: float = PATIENCE) -> Any:
        """Wait until an expression in the kernel is true."""
        deadline = time.monotonic() + seconds
        while not (value := self.python(expression)):
            assert time.monotonic() < deadline, f"still not true after {seconds} s: {expression}"
            time.sleep(0.03)
        return value

    def save(self) -> dict[str, Any]:
        """Save the notebook and return what is in the file."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        content: dict[str, Any] = json.loads((self.server.root / self.name).read_text(encoding="utf-8"))
        return content

    def restart_kernel(self) -> None:
        """Restart the kernel as the menu does, without asking."""
        self.page.evaluate(f"() => {KERNEL}.restart()")
        self.page.wait_for_function(READY, timeout=2 * PATIENCE * 1000)

    def interrupt_kernel(self) -> None:
        """Interrupt the kernel as the menu does."""
        self.page.evaluate(f"() => {KERNEL}.interrupt()")

    def outside_requests(self) -> list[str]:
        """List what was asked of anyone but the server."""
        own = (self.server.address, "data:", "blob:", "about:")
        return [url for url in self.requests if not url.startswith(own)]


def write_notebook(path: Path) -> None:
    cell = {"cell_type": "code", "execution_count": None, "id": "first", "metadata": {}, "outputs": [], "source": ""}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.write_text(json.dumps({"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


def jupyter_environment(home: Path) -> dict[str, str]:
    """Keep the tests' JupyterLab apart from the user's own."""
    for plugin, values in SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }


@contextmanager
def serving(command: Sequence[object], answers: str, home: Path) -> Iterator[None]:
    """Run a server, apart from the user's own Jupyter, until its address answers; end it with all its kernels."""
    _logs.append(log := home / "server.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=jupyter_environment(home),
            start_new_session=True,  # a group of its own, so that its kernels end with it
        )
        deadline = time.monotonic() + 2 * PATIENCE
        try:
            while not _answers(answers):
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the server did not start:\n{log.read_text()}")
                time.sleep(0.1)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=10).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """Return a port below those that systems hand out: one of those could be gone before a server takes it."""
    while True:
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port := 20_000 + secrets.randbelow(12_000)))
            return port


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab of the tests' own."""
    if find_spec("jupyterlab") is None:
        pytest.skip("no JupyterLab here: pip install jupyterlab")
    home, root = tmp_path_factory.mktemp("jupyter"), tmp_path_factory.mktemp("notebooks")
    port, token = free_port(), secrets.token_hex(8)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"),
    ]
    address = f"http://127.0.0.1:{port}"
    with serving(command, f"{address}/api/status?token={token}", home):
        yield Server(address, token, root)


@pytest.fixture(scope="module")
def lab(jupyterlab: Server, chromium: Browser) -> Callable[[str], Notebook]:
    """Open a new notebook of one empty cell in JupyterLab."""

    def open_notebook(name: str) -> Notebook:
        write_notebook(jupyterlab.root / f"{name}.ipynb")
        return Notebook(chromium, jupyterlab, f"{name}.ipynb")

    return open_notebook
