"""Live image optimisation: an experiment is described in YAML and run as a stream of frozen steps.

The public names stand in `__init__.pyi`; each is imported on first use, so that the command line can describe
itself without torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
