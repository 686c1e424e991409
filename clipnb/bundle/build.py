"""Makes a bundle of a plan."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from clipnb import __version__
from clipnb.bundle.manifest import GUIDE, BundleFolder, Manifest
from clipnb.bundle.plan import CACHE, MODELS, NOTEBOOKS, WHEELS, Plan, labels_of
from clipnb.bundle.wheels import fetch
from clipnb.files import cache_folder
from clipnb.interrogate.labels.cache import TableCache
from clipnb.interrogate.labels.table import LabelTable
from clipnb.interrogate.labels.word_lists import TABLES
from clipnb.models.device import PRECISIONS
from clipnb.models.load import load_as, load_model
from clipnb.models.sources import canonical_name
from clipnb.progress import progress_bar
from clipnb.temporary import scratch_folder

_CLASSES = ("classes-*.safetensors", "imagenet-*.json")
_GUIDE = """# clipnb without internet

A bundle of clipnb {version} for Python {python} on {platform}: {size:.0f} MiB.

- `wheels/`: clipnb and what it needs{without}
- `models/`, `cache/`: {models}, with label tables embedded already (the weights of lite are wheels)
- `notebooks/`
- `manifest.json`: every file with its size and digest

On Kaggle: make a dataset of this folder (the `kaggle` command leaves its folders out without `--dir-mode zip`),
attach it to a notebook of the same Python (`!python --version`), switch the internet off, and begin with this cell.
Elsewhere: the same with the folder that this one is in.

```python
from pathlib import Path

found = sorted(Path("/kaggle/input").rglob("clipnb-*.whl"))
assert found, "no bundle is attached: Add Input, then the dataset that was made of it"
bundle = found[-1].parent.parent
%pip install -q --no-index --find-links={{bundle}}/wheels "clipnb[{extras}]"
import clipnb
clipnb.setup(bundle=bundle)
```

`notebooks/05-kaggle-submission.ipynb` begins so by itself, and goes on to a `submission.csv`. The folder may be
read-only; what is made later goes to clipnb's own cache.
"""


def build(plan: Plan) -> Manifest:
    """Fetch, copy and embed what a plan names; goes on where an earlier run was interrupted.

    Returns:
        What the bundle holds; the same is written into it, last of all.

    Raises:
        BundleError: pip cannot get a wheel, or the folder holds files that are not the bundle's own, or were changed.
        OutputError: the folder cannot be written to.
    """
    wishes, bundle = plan.wishes, BundleFolder(plan.folder)
    about = Manifest(
        clipnb=__version__,
        python=wishes.target.python,
        platform=wishes.target.platform,
        without=tuple(wishes.without),
        models=(*wishes.models, *wishes.captioners),
    )
    bundle.start(about)
    places = [bundle.add(plan.own, f"{WHEELS}/{plan.own.name}")]
    with progress_bar("fetching wheels", "wheel") as report:
        places += fetch(plan.missing, bundle, WHEELS, wishes.target, report)
    here = {f"{WHEELS}/{wheel.file}" for wheel in plan.wheels} - set(places)
    places += [bundle.add(plan.folder / place, place) for place in sorted(here)]
    places += [bundle.add(file.source, f"{MODELS}/{file.place.as_posix()}") for file in plan.weights]
    places += [bundle.add(path, f"{NOTEBOOKS}/{path.name}") for path in plan.notebooks]
    with scratch_folder(plan.folder) as scratch:
        for name in wishes.models:
            made = make_tables(name, scratch, wishes.tables)
            places += [bundle.add(file, f"{CACHE}/{file.relative_to(scratch).as_posix()}") for file in made]
        guide = scratch / GUIDE
        size = sum(plan.folder.joinpath(place).stat().st_size for place in places)
        guide.write_text(guide_text(about, size, ",".join(wishes.extras)), encoding="utf-8")
        bundle.add(guide, GUIDE)
    return bundle.finish(places)


def make_tables(name: str, cache: Path, tables: Sequence[str] = TABLES) -> list[Path]:
    """Embed an encoder's label tables into a folder of a cache, and return the files.

    They are embedded once, in single precision, and filed under the digests that the weights have in every
    precision: the embeddings are kept in half precision anyway.
    """
    encoder = load_model(canonical_name(name), "cpu", "fp32")
    made = {table: LabelTable.build(table, labels_of(table), encoder) for table in tables}
    files = []
    for precision in PRECISIONS:
        other = load_as(canonical_name(name), precision)
        for table, built in made.items():
            place = TableCache.of(cache / "labels", table, built.labels, other)
            files.append(place.keep(built.embeddings))
    if name == "lite":  # whose class names were written down, and embedded in each precision, when it was loaded
        (cache / "lite").mkdir(exist_ok=True)
        classes = sorted(file for kind in _CLASSES for file in cache_folder("lite").glob(kind))
        files += [Path(shutil.copy(source, cache / "lite" / source.name)) for source in classes]
    return files


def guide_text(about: Manifest, size: int, extras: str) -> str:
    """Return the page that tells how to use a bundle."""
    return _GUIDE.format(
        version=about.clipnb,
        python=about.python,
        platform=about.platform,
        without=f", except {', '.join(about.without)} and what only they need" if about.without else "",
        models=", ".join(about.models),
        size=size / 2**20,
        extras=extras,
    )
