"""What is written, by whichever room: whole or not at all, at places that cannot be, and shown as text alone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from PIL import Image

from clipnb.bundle.manifest import MANIFEST, BundleError, BundleFolder, Manifest
from clipnb.cli import main
from clipnb.demo import tour
from clipnb.errors import OutputError
from clipnb.images import save_image
from clipnb.interrogate.result import Interrogation, Reason
from clipnb.prompts.read import prompts_of
from clipnb.spreadsheet import unguard, write_frame
from clipnb.tags.counting.counts import TagCounts
from clipnb.tags.export import export_counts, export_web
from clipnb.tags.graph import build_graph
from clipnb.widgets.common.still import jpeg
from clipnb.widgets.interrogate.session import Described, KeptImage, Request
from clipnb.widgets.interrogate.still import STILL_WIDTH, still_picture
from clipnb.widgets.live.chart import SimilarityChart
from clipnb.widgets.live.history import Curve

ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
import torch
from clipnb.errors import OutputError
from clipnb.images import save_image
from clipnb.tags.export import export_graph
from clipnb.tags.graph import build_graph
graph = build_graph(["x, " + ", ".join(f"tag {n}" for n in range(20))])
def write(suffix):
    path = Path(sys.argv[1]) / f"a.{suffix}"
    return export_graph(graph, path) if suffix in ("pdf", "svg") else save_image(torch.rand(3, 64, 64), path)
write("pdf")
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
for suffix in sys.argv[2:]:
    try:
        sys.exit(f"{write(suffix)} is not whole")
    except OutputError:
        pass
"""
TEX = "$\\href{javascript:alert(1)}{x}$"
ABOUT = Manifest(clipnb="1", python="3.11", platform="linux_x86_64")


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="the system limits no file's size")
def test_no_file_is_cut_off_by_a_full_disk(tmp_path: Path) -> None:
    kinds = ["jpg", "tif", "png", "webp", "bmp", "gif", "ico", "ppm", "tga", "pdf", "svg"]
    command = [sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path), *kinds]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["a.pdf"]


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "tiff", "png", "jp2", "j2k", "avif", "ico", "tga"])
def test_pictures_are_written_in_the_format_of_their_name(suffix: str, tmp_path: Path) -> None:
    if f".{suffix.lower()}" not in Image.registered_extensions():
        pytest.skip(f"Pillow {Image.__version__} writes no {suffix}")
    written = save_image(torch.rand(3, 64, 64), tmp_path / f"a.{suffix}")
    expected = Image.registered_extensions()[f".{suffix.lower()}"]
    assert Image.open(written).format == expected
    assert suffix != "j2k" or written.read_bytes()[:4] == b"\xff\x4f\xff\x51"  # the stream alone, in no JP2


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 3000])
def test_names_that_are_too_long_are_told_in_words(name: str, tmp_path: Path) -> None:
    place = tmp_path / name
    with pytest.raises(OutputError, match="too long"):
        export_web(build_graph(["x, a, b"]), place)
    with pytest.raises(OutputError, match="too long"), tour.staged(place):
        pass
    BundleFolder(place)  # is refused when it is written to
    (tmp_path / "a.txt").write_text("x, a, b")
    for command in (
        ["tags", "graph", str(tmp_path / "a.txt"), "-o", f"{place}/"],
        ["tags", "graph", str(tmp_path / "a.txt"), "-o", f"{place}.html"],
        ["tags", "count", str(place)],
        ["interrogate", str(tmp_path), "-o", f"{place}.csv"],
        ["interrogate", f"{place}.png", "-o", str(tmp_path / "a.csv")],
        ["interrogate", f"{place}.png"],
    ):
        assert main(command) == 2


def test_a_demo_on_a_full_disk_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No space left"), tour.staged(tmp_path / "demo"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_manifest_that_is_not_its_own_is_not_replaced(when: str, tmp_path: Path) -> None:
    BundleFolder(tmp_path).start(ABOUT)  # a run that was interrupted
    bundle = BundleFolder(tmp_path)
    if when == "meanwhile":
        bundle.start(ABOUT)
    (tmp_path / MANIFEST).write_text("mine")
    with pytest.raises(BundleError, match="no bundle's"):
        bundle.start(ABOUT) if when == "before" else bundle.finish([])
    assert (tmp_path / MANIFEST).read_text() == "mine"


@pytest.mark.parametrize("unseen", ["\ufeff", "\0", "\u200b", "\u2060", "\u202d", "\x1b", "\x7f", "\ufeff \0"])
def test_a_formula_behind_signs_that_are_not_seen_is_guarded(unseen: str, tmp_path: Path) -> None:
    text = f"{unseen}=1+1"
    write_frame(pd.DataFrame({text: [text]}, index=[text]), tmp_path / "a.csv", index=True)
    write_frame(pd.DataFrame({text: [text]}), tmp_path / "b.csv")
    for name in ("a.csv", "b.csv"):
        cells = (tmp_path / name).read_bytes().decode().replace("\r\n", ",").split(",")
        guarded = [cell for cell in cells if cell]
        assert all(cell.startswith("'") and unguard(cell) == text.replace("\0", "\ufffd") for cell in guarded)


def test_tables_of_lines_that_end_as_on_old_macs_are_read() -> None:
    table = "id,prompt\r" + "".join(f'{n},"a cat {n}, fur"\r' for n in range(12_000))
    assert len(prompts_of({"a.csv": table.encode()})) == 12_000


def test_a_folder_that_begins_with_a_tilde_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    export_counts(TagCounts(["x, a"]), Path("~") / "a.csv")
    assert not list((tmp_path / "home").iterdir())
    assert (tmp_path / "~" / "a.csv").read_text() == "tag,count,rank\na,1,1.0\n"


@pytest.mark.parametrize("text", ["\ud800", "\0", "$\\frac$ $x", "\x1b[31m", ""])
def test_odd_texts_are_drawn(text: str) -> None:
    reasons = (Reason(text, "flavors", 0.2, 0.2), Reason(text, "flavors", 0.2, 0.2))
    found = Interrogation(text, "fast", text, "none", 0.2, {}, reasons, (), text, 1.0, {})
    image = KeptImage("a", (8, 8), b"", jpeg(Image.new("RGB", (8, 8))), b"")
    made = Described(Request(image, "fast"), found)
    assert still_picture(made).width == STILL_WIDTH


def test_charts_read_no_tex() -> None:
    reasons = (Reason(TEX, "flavors", 0.2, 0.2), Reason('a "b"', "flavors", 0.2, 0.2))
    found = Interrogation(TEX, "fast", "", "none", 0.2, {}, reasons, (), "m", 1.0, {})
    drawn = found.figure().to_dict()
    ticks = drawn["layout"]["yaxis"]["ticktext"]
    assert not any("$" in tick for tick in ticks)
    assert ticks[1] == 'a "b"'
    assert not any("$" in row[0] for bar in drawn["data"] for row in bar["customdata"])
    chart = SimilarityChart(live=True)
    chart.draw([Curve(f"$<b>{TEX}", [0], [1.0])])
    assert not {"$", "<"} & set(chart.widget.data[0]["name"])
