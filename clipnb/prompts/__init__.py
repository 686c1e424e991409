"""Prompts wherever they live, in whatever dialect: read, taken apart, edited, written. Needs no torch.

The public names stand in `__init__.pyi`; each is imported on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
