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
    """A Python, such as "3.12", and a platform as pip names it, such as "linux_x86_64"; of this kind of system."""

    python: str
    platform: str

    @classmethod
    def make(cls, python: str | None = None, system: str | None = None) -> Target:
        """Return a target, with this machine's own values where nothing is given.

        Raises:
            BundleError: the Python is no version such as 3.12, or the platform is another system's.
        """
        if python is not None and not re.fullmatch(r"3\.\d+", python):
            raise BundleError(f"{python!r} is no version of Python; write it like 3.12")
        here = cls.here()
        if system is not None and system.partition("_")[0] != here.platform.partition("_")[0]:
            raise BundleError(
                f"a bundle for {system} cannot be made on {here.platform}: what packages require there is only known "
                "there; make it on such a system"
            )
        return cls(python or here.python, system or here.platform)

    @classmethod
    def here(cls) -> Target:
        """Return this machine."""
        on_linux = platform.system() == "Linux"
        name = f"linux_{platform.machine()}" if on_linux else re.sub("[-.]", "_", sysconfig.get_platform())
        return cls(f"{sys.version_info.major}.{sys.version_info.minor}", name)

    @property
    def markers(self) -> dict[str, str]:
        """Conditions of requirements, as far as they may differ from this machine."""
        return {"python_version": self.python, "python_full_version": f"{self.python}.0"}

    @property
    def pip_options(self) -> list[str]:
        """Options of pip for this target; always wheels, as the other machine builds nothing."""
        options = ["--only-binary=:all:"]
        if self != Target.here():  # where pip finds out by itself what fits
            options += [f"--python-version={self.python}", "--implementation=cp"]
            options += [f"--platform={tag}" for tag in self._platform_tags()]
        return options

    def _platform_tags(self) -> list[str]:
        if not self.platform.startswith("linux_"):
            return [self.platform]
        machine = self.platform.removeprefix("linux_")
        modern = [f"manylinux_2_{minor}_{machine}" for minor in range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)]
        return [*modern, *(f"{old}_{machine}" for old in ("manylinux2014", "manylinux2010", "manylinux1", "linux"))]
