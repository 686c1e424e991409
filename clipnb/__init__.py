"""clipnb: live image optimisation, interrogation and tag graphs around CLIP-like dual encoders.

The public names stand in `__init__.pyi`, once for people, type checkers and the interpreter alike. Each is
imported on first use, so that `import clipnb` stays light.
"""

import lazy_loader

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    if name not in __all__:  # a module of ours, which Python finds itself
        return _load(name)
    from clipnb.openmp import waiting_asleep

    with waiting_asleep():
        return _load(name)
