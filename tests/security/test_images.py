"""Pictures: nothing that comes as one starts a program, keeps the machine busy, or needs more than a gigabyte."""

from __future__ import annotations

import gc
import io
import re
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import EpsImagePlugin, Image

import clipnb
from clipnb import download, images
from clipnb.errors import ImageError
from clipnb.images import open_image, save_image, to_bytes

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n0 0 8 8 rectfill\n%%EOF\n"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Programs that are started meanwhile."""
    found: list[object] = []

    def start(*arguments: object, **_: object) -> None:
        found.append(arguments)
        raise OSError("no program is started here")

    monkeypatch.setattr(subprocess, "Popen", start)
    return found


def as_bytes(folder: Path) -> object:
    return open_image((folder / "a.png").read_bytes())


def as_opened(folder: Path) -> object:
    return open_image(Image.open(folder / "a.png"))


def as_tensor(folder: Path) -> object:
    return to_bytes(Image.open(folder / "a.png"))


def as_sheet(folder: Path) -> object:
    return clipnb.contact_sheet([("a", [Image.open(folder / "a.png")])])


WAYS = [as_bytes, as_opened, as_tensor, as_sheet, lambda folder: open_image(folder / "a.png")]


@pytest.mark.skipif(not EpsImagePlugin.has_ghostscript(), reason="needs Ghostscript")
@pytest.mark.parametrize("way", WAYS)
def test_postscript_under_the_name_of_a_picture_is_not_run(
    way: Callable[[Path], object], tmp_path: Path, started: list[object]
) -> None:
    (tmp_path / "a.png").write_bytes(EPS)
    with pytest.raises(ImageError):
        way(tmp_path)
    assert started == []


@pytest.mark.skipif(not EpsImagePlugin.has_ghostscript(), reason="needs Ghostscript")
def test_pillow_alone_would_run_it(started: list[object]) -> None:
    with pytest.raises(OSError, match="no program"):
        Image.open(io.BytesIO(EPS)).load()
    assert started


@pytest.mark.parametrize("kind", ["WMF", "HDF5", "GRIB", "BUFR", "IPTC"])
def test_what_hands_over_to_a_handler_or_to_another_format_is_not_read(kind: str) -> None:
    Image.init()
    assert kind not in images.FORMATS


FORMATS = {
    "jpg": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "tif": "TIFF",
    "avif": "AVIF",
    "jp2": "JPEG2000",
    "ico": "ICO",
    "icns": "ICNS",
    "ppm": "PPM",
    "tga": "TGA",
    "mpo": "MPO",
    "pcx": "PCX",
}


@pytest.mark.parametrize("suffix", FORMATS)
def test_raster_formats_are_read(suffix: str, tmp_path: Path) -> None:
    Image.init()
    if FORMATS[suffix] not in Image.SAVE:
        pytest.skip(f"Pillow {Image.__version__} has no {FORMATS[suffix]}")
    red = Image.new("RGB", (64, 64), "red")
    more = {"save_all": True, "append_images": [red]} if suffix == "mpo" else {}
    red.save(tmp_path / f"a.{suffix}", FORMATS[suffix], **more)
    (tmp_path / "none").write_bytes((tmp_path / f"a.{suffix}").read_bytes())
    for source in (tmp_path / "none", Image.open(tmp_path / f"a.{suffix}")):
        assert np.abs(np.asarray(open_image(source)).astype(int) - (255, 0, 0)).max() < 8


def test_avif_that_pillow_does_not_know_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Image.init()
    monkeypatch.delitem(Image.OPEN, "AVIF", raising=False)
    with pytest.raises(ImageError, match="the upload is AVIF, which needs: pip install"):
        open_image(b"\0\0\0\x18ftypavif" + bytes(99))


def test_a_plugin_of_heif_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Heif(Image.Image):
        def __init__(self, *_: object) -> None:
            super().__init__()
            self.__dict__.update(Image.new("RGB", (4, 4), "blue").__dict__)

    Image.init()
    monkeypatch.setitem(Image.OPEN, "HEIF", (Heif, lambda prefix: prefix[4:8] == b"ftyp"))
    assert open_image(b"\0\0\0\x18ftypheic" + bytes(99)).getpixel((0, 0)) == (0, 0, 255)


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *more: bytes, bits: int = 8, colour: int = 2) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    row = b"\0" + bytes(width * {2: 3, 6: 4, 0: 1}[colour] * bits // 8)
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", pixels) + chunk(b"IEND")


def tiff_of_many_strips() -> bytes:
    tags = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 2**21, 200)]
    return (
        b"II*\0\x08\0\0\0" + struct.pack("<H", 6) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(9**7)
    )


def big_tiff_of_many_strips() -> bytes:
    tags = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 16, 2**21, 200)]
    head = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 6)
    return head + b"".join(struct.pack("<HHQQ", *tag) for tag in tags) + bytes(9**7)


def exif_of_many_orientations() -> bytes:
    tag = struct.pack("<HHII", 0x0112, 3, 2**22, 26)
    return png(4, 4, chunk(b"eXIf", b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + tag + bytes(2**23)))


def jpeg_of_many_scans() -> bytes:
    file = io.BytesIO()
    Image.new("L", (4000, 4000)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last = content.rindex(b"\xff\xc4", 0, content.rindex(b"\xff\xda"))
    return content[:-2] + content[last:-2] * 1000 + b"\xff\xd9"


CRUMBS = {
    "scans of a JPEG": jpeg_of_many_scans,
    "comments between scans of a JPEG": lambda: jpeg_of_many_scans()[:999] + b"\xff\xfe\0\2" * 500_000,
    "text chunks of a PNG": lambda: png(4, 4, chunk(b"tEXt", b"a\0b") * 500_000),
    "unknown chunks of a PNG": lambda: png(4, 4, chunk(b"abCd") * 500_000),
    "comments of a JPEG": lambda: b"\xff\xd8" + b"\xff\xfe\0\x03a" * 500_000,
    "comments of a GIF": lambda: b"GIF89a\4\0\4\0\0\0\0" + b"\x21\xfe\x01a\0" * 500_000,
    "a comment of a PPM": lambda: b"P6\n#" + b"a" * 5_000_000 + b"\n4 4\n255\n" + bytes(48),
    "boxes of a JPEG 2000": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0\0\0\x08abcd" * 500_000,
    "strips of a TIFF": tiff_of_many_strips,
    "strips of a BigTIFF": big_tiff_of_many_strips,
    "orientations in EXIF": exif_of_many_orientations,
}


@pytest.mark.parametrize("kind", CRUMBS)
def test_headers_of_many_parts_are_refused_quickly(kind: str) -> None:
    content = CRUMBS[kind]()
    start = time.process_time()
    with pytest.raises(ImageError):
        open_image(content)
    assert time.process_time() - start < 5


def test_ordinary_numbers_of_parts_are_read() -> None:
    texts = [chunk(b"tEXt", b"parameters\0a cat")] * 500
    assert open_image(png(4, 4, *texts)).size == (4, 4)


def pgm(kind: str, most: int, values: list[int]) -> bytes:
    head = f"{kind}\n# a comment\n2 {len(values) // (6 if kind in 'P3P6' else 2)}\n{most}\n".encode()
    if kind in "P2P3":
        return head + b"# another\n" + " ".join(map(str, values)).encode()
    return head + np.array(values, ">u2" if most > 255 else "u1").tobytes()


@pytest.mark.parametrize("kind", ["P2", "P3", "P5", "P6"])
@pytest.mark.parametrize("most", [100, 255, 1023, 65535])
def test_portable_pixmaps_of_any_depth_are_read_as_pillow_does(kind: str, most: int) -> None:
    values = [int(share * most) for share in np.linspace(0, 1, 60)]
    read = np.asarray(open_image(pgm(kind, most, values))).astype(int)
    expected = np.rint(np.array(values) * 255 / most).reshape(read.shape[0], 2, -1)
    assert np.abs(read - expected).max() <= 1


@pytest.mark.parametrize("content", [b"P3 2 2 255 1 2 3", b"P6 2 2 9999 abc", b"P3 2 2 255 a b", b"P2 4 4 0 1 2"])
def test_half_a_portable_pixmap_is_damaged(content: bytes) -> None:
    with pytest.raises(ImageError):
        open_image(content)


def test_large_deep_pixmaps_and_runs_of_a_bitmap_are_read() -> None:
    assert open_image(b"P6\n1000 1000\n65535\n" + bytes(6_000_000)).size == (1000, 1000)
    assert open_image(b"P3\n1000 1000\n255\n" + b"7 " * 3_000_000).getpixel((0, 0)) == (7, 7, 7)
    head = struct.pack("<IiiHHIIiiII", 40, 1000, 1000, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024)
    runs = (b"\4\1" * 250 + b"\0\0") * 1000 + b"\0\1"
    assert open_image(b"BM" + struct.pack("<IHHI", 14 + len(head) + len(runs), 0, 0, 14 + len(head)) + head + runs)


def test_an_ordinary_progressive_jpeg_with_a_film_behind_it_is_read() -> None:
    file = io.BytesIO()
    Image.new("RGB", (2000, 2000), "red").save(file, "JPEG", progressive=True)
    assert open_image(file.getvalue() + b"\xff\xda\0\2" * 50_000).size == (2000, 2000)


MEASURE = """
import resource, sys
from clipnb.errors import ImageError
from clipnb.images import open_image
content = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(open_image(content).size, file=sys.stderr)
except ImageError as error:
    print(error, file=sys.stderr)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def deep_rgba(file: Path) -> None:
    file.write_bytes(png(9000, 8700, bits=16, colour=6))


def deep_grey(file: Path) -> None:
    file.write_bytes(png(9000, 8700, bits=16, colour=0))


def jpeg_2000(file: Path) -> None:
    Image.new("RGB", (9000, 8700), "red").save(file, "JPEG2000")


def web_p(file: Path) -> None:
    Image.new("RGB", (9000, 8700), "red").save(file, "WEBP", lossless=True, method=0)


def jpeg_2000_of_small_blocks(file: Path) -> None:
    small = io.BytesIO()
    Image.new("RGBA", (64, 64)).save(small, "JPEG2000", codeblock_size=(4, 4))
    # An honest one of 4000 x 4000 takes its encoder 20 GB: the sizes of the small one are replaced.
    content = small.getvalue().replace(b"ihdr" + struct.pack(">2I", 64, 64), b"ihdr" + struct.pack(">2I", 4000, 4000))
    sizes = struct.pack(">6I", 64, 64, 0, 0, 64, 64)
    assert sizes in content
    file.write_bytes(content.replace(sizes, struct.pack(">6I", 4000, 4000, 0, 0, 4000, 4000)))


def jpeg_2000_in_an_icon(file: Path) -> None:
    picture = io.BytesIO()
    Image.new("L", (9000, 9000)).save(picture, "JPEG2000")
    size = len(picture.getvalue()) + 8
    file.write_bytes(b"icns" + struct.pack(">I4sI", size + 8, b"ic10", size) + picture.getvalue())


@pytest.mark.parametrize("make", [jpeg_2000_of_small_blocks, jpeg_2000_in_an_icon])
def test_a_small_file_of_jpeg_2000_does_not_fill_the_memory(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "a")
    with pytest.raises(ImageError, match="too many pixels or parts"):
        open_image(tmp_path / "a")


@pytest.mark.parametrize(
    "options",
    [
        {"tile_size": (256, 256)},
        {"codeblock_size": (16, 16)},
        {"precinct_size": (128, 128), "codeblock_size": (32, 32), "num_resolutions": 3},
    ],
)
def test_ordinary_tiles_and_blocks_of_jpeg_2000_are_read(options: dict[str, object], tmp_path: Path) -> None:
    Image.new("RGB", (3000, 2000), "red").save(tmp_path / "a", "JPEG2000", **options)
    assert open_image(tmp_path / "a").size == (3000, 2000)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts kilobytes as Linux does")
@pytest.mark.parametrize("make", [deep_rgba, deep_grey, jpeg_2000, web_p])
def test_no_picture_needs_more_than_a_gigabyte(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "a")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "a")], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 1024, done.stderr


def test_a_saved_picture_overwrites_nothing(tmp_path: Path) -> None:
    picture = torch.rand(3, 4, 4)
    (tmp_path / "a-1.png").symlink_to(tmp_path / "nowhere")
    names = [save_image(picture, tmp_path / "a.png").name for _ in range(2)]
    assert names == ["a.png", "a-2.png"]
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(OSError, match="cannot write"):
        save_image(Image.new("CMYK", (4, 4)), tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


@contextmanager
def served(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with left_early():
                answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/a.png"
    server.shutdown()
    server.server_close()


@contextmanager
def left_early() -> Iterator[None]:
    with suppress(OSError):
        yield


def drip(handler: BaseHTTPRequestHandler, first: bytes) -> None:
    handler.wfile.write(first)
    while True:
        handler.wfile.write(b"a")
        handler.wfile.flush()
        time.sleep(0.05)


def write(content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: handler.wfile.write(content) and None


def redirect(place: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return write(f"HTTP/1.0 302 Found\r\nLocation: {place}\r\n\r\n".encode())


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.0 200 OK\r\n\r\n"], ids=["start", "head", "body"]
)
def test_a_server_that_drips_is_left_in_time(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TOTAL_SECONDS", 0.5)
    with served(lambda handler: drip(handler, first)) as url, pytest.raises(ImageError, match="takes longer than"):
        open_image(url)


def test_a_download_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images.sources, "MAX_BYTES", 2**20)

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(bytes(2**16))

    with served(endless) as url, pytest.raises(ImageError, match="larger than 1 MiB"):
        open_image(url)


BAD_ANSWERS = {
    "no status": write(b"garbage\r\n\r\n"),
    "a hundred headers": write(b"HTTP/1.0 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n"),
    "a long header": write(b"HTTP/1.0 200 OK\r\na: " + b"b" * 10**5 + b"\r\n\r\n"),
    "a broken chunk": write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "half a body": write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc"),
    "a strange length": write(b"HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\nabc"),
    "not found": write(b"HTTP/1.0 404 \x1b[2J\r\n\r\n"),
    "a redirect to a file": redirect("file:///etc/passwd"),
    "a redirect to ftp": redirect("ftp://127.0.0.1/a.png"),
    "a redirect to data": redirect("data:image/png;base64,AAAA"),
    "a redirect to nowhere": redirect("http://[::1"),
    "a loop": redirect("/a.png"),
}


@pytest.mark.filterwarnings("error::ResourceWarning")
@pytest.mark.parametrize("kind", BAD_ANSWERS)
def test_bad_answers_are_told_in_words(kind: str) -> None:
    with served(BAD_ANSWERS[kind]) as url, pytest.raises(ImageError) as told:
        open_image(url)
    gc.collect()  # a connection that was left open would warn here
    assert "\x1b" not in str(told.value)
    if "redirect" in kind and "nowhere" not in kind:
        assert re.search("no http or https|not allowed", str(told.value))


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://[::1",
        "http://a:b/c.png",
        "http://127.0.0.1:99999/c.png",
        "http://a b/c.png",
        "http://" + "a" * 70 + ".example/c.png",
        "http://\udcff/c.png",
        "http://xn--\u2603/c.png",
        "http://a\n/c.png",
        "https://.../c.png",
    ],
)
def test_malformed_urls_are_told_in_words(url: str) -> None:
    with pytest.raises(ImageError, match="cannot download"):
        open_image(url)
