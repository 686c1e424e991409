"""Where a process runs."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from clipnb.environment.host import Host, find_host

VARIABLES = ("COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE", "VSCODE_PID", "VSCODE_CWD")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for module in ("IPython", "google.colab"):
        monkeypatch.delitem(sys.modules, module, raising=False)


def shell(name: str) -> ModuleType:
    module = ModuleType("IPython")
    module.get_ipython = lambda: type(name, (), {})()  # type: ignore[attr-defined]
    return module


def test_a_terminal() -> None:
    assert find_host() is Host.TERMINAL


def test_ipython_loaded_but_not_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert find_host() is Host.TERMINAL


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
