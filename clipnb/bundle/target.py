"""The machine that a bundle is for."""

from __future__ import annotations

import platform
import re
import sys
import sysconfig
from dataclasses import dataclass

from clipnb.bundle.manifest import BundleError

_OLDEST_GLIBC, _NEWEST_GLIBC = 5, 35  # 2.35 is Ubuntu 22.04's, which Colab and Kaggle build on


@dataclass(frozen=True)
class Target:
    """A Python and a platform.

    Attributes:
        python: such as "3.12".
        platform: as pip names it, such as "linux_x86_64", "win_amd64" or "macosx_14_0_arm64"; of this system.
    """

    python: str
    platform: str

    @classmethod
    def make(cls, python: str | None = None, system: str | None = None) -> Target:
        """Name a target; this machine's own facts where nothing is given.

        Raises:
            BundleError: the Python is no version such as 3.12, or the platform is another system's.
        """
        if python is not None and not re.fullmatch(r"3\.\d+", python):
            raise BundleError(f"{python!r} is no version of Python; write it like 3.12")
        here = _this_platform()
        if system is not None and system.partition("_")[0] != here.partition("_")[0]:
            raise BundleError(
                f"a bundle for {system} cannot be made on {here}: what packages require there is only known there; "
                "make it on such a system"
            )
        return cls(python or _this_python(), system or here)

    @property
    def is_here(self) -> bool:
        """Whether it is this machine, so that pip finds out by itself what fits."""
        return (self.python, self.platform) == (_this_python(), _this_platform())

    @property
    def markers(self) -> dict[str, str]:
        """What conditions of requirements ask about, as far as it may differ from this machine."""
        return {"python_version": self.python, "python_full_version": f"{self.python}.0"}

    @property
    def pip_options(self) -> list[str]:
        """What tells pip to take wheels for this target; always wheels, as the other machine builds nothing."""
        options = ["--only-binary=:all:"]
        if not self.is_here:
            options += [f"--python-version={self.python}", "--implementation=cp"]
            options += [f"--platform={tag}" for tag in self._platform_tags()]
        return options

    def _platform_tags(self) -> list[str]:
        """List the platforms whose wheels run there; for Linux those of every glibc up to a usual one."""
        if not self.platform.startswith("linux_"):
            return [self.platform]
        machine = self.platform.removeprefix("linux_")
        modern = [f"manylinux_2_{minor}_{machine}" for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)]
        return [*modern, *(f"{old}_{machine}" for old in ("manylinux2014", "manylinux2010", "manylinux1", "linux"))]


def _this_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _this_platform() -> str:
    if platform.system() == "Linux":
        return f"linux_{platform.machine()}"
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
