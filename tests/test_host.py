"""Where a process runs."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from clipnb.host import Host, find_host

VARIABLES = ("COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE", "VSCODE_PID", "VSCODE_CWD")


@pytest.fixture
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for name in ("IPython", "google.colab"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def shell(name: str) -> ModuleType:
    module = ModuleType("IPython")
    module.get_ipython = lambda: type(name, (), {})()  # type: ignore[attr-defined]
    return module


@pytest.mark.usefixtures("_bare")
def test_a_terminal() -> None:
    assert find_host() is Host.TERMINAL


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize("runs", [True, False])
def test_marimo_where_it_runs_the_notebook(monkeypatch: pytest.MonkeyPatch, runs: bool) -> None:
    monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(running_in_notebook=lambda: runs))
    assert (find_host() is Host.MARIMO) == runs


@pytest.mark.usefixtures("_bare")
def test_ipython_loaded_but_not_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert find_host() is Host.TERMINAL


@pytest.mark.usefixtures("_bare")
@pytest.mark.parametrize(
    ("shell_name", "variable", "expected"),
    [
        ("ZMQInteractiveShell", None, Host.JUPYTER),
        ("ZMQInteractiveShell", "VSCODE_PID", Host.VSCODE),
        ("ZMQInteractiveShell", "KAGGLE_KERNEL_RUN_TYPE", Host.KAGGLE),
        ("ZMQInteractiveShell", "COLAB_RELEASE_TAG", Host.COLAB),
        ("TerminalInteractiveShell", None, Host.IPYTHON),
    ],
)
def test_notebooks(monkeypatch: pytest.MonkeyPatch, shell_name: str, variable: str | None, expected: Host) -> None:
    monkeypatch.setitem(sys.modules, "IPython", shell(shell_name))
    if variable:
        monkeypatch.setenv(variable, "1")
    assert find_host() is expected
