"""clipnb: live image optimisation, interrogation and tag graphs around CLIP-like dual encoders.

Public names are imported on first use, so that `import clipnb` stays light.
"""

from __future__ import annotations

__version__ = "0.1.0"
