"""Downloads: resumed, checked, bounded in their patience, and in words where they fail (an imitated hub)."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import constants

from clipnb.errors import ModelUnavailableError
from clipnb.models import hub as client
from clipnb.models.hub import HubError, fetch, fetch_repository
from clipnb.models.load import choose_automatically, load_model, unload
from clipnb.models.local import find_in_cache
from clipnb.models.sources import find_source
from tests.models.hub_server import Hub, hub_server
from tests.models.test_captioner import saved_captioner as saved_captioner

REPOSITORY, FILE = "timm/vit_base_patch32_clip_224.openai", "open_clip_model.safetensors"
CONTENT = random.Random(0).randbytes(3_000_000)
SCRIPT = f"from clipnb.models.hub import fetch; print(fetch({REPOSITORY!r}, {FILE!r}))"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with hub_server() as hub:
        hub.repositories[REPOSITORY] = {FILE: CONTENT, "config.json": b"{}", "README.md": b"#"}
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(client, "_PAUSE", 0.01)
        monkeypatch.delenv("CLIPNB_MODEL", raising=False)
        huggingface_hub.close_session()  # whose hook may have noted that there is no network
        yield hub
        huggingface_hub.close_session()


@pytest.fixture
def start(server: Hub, tmp_path: Path) -> Callable[[], subprocess.Popen[str]]:
    """Start a process of its own that fetches the file."""
    more = {"HF_ENDPOINT": server.address, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "0"}

    def run() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **more},
        )

    return run


def left_over(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "hub").rglob("*.part"))


def test_a_first_download_lies_where_all_libraries_look(server: Hub) -> None:
    assert find_in_cache(REPOSITORY, FILE) is None
    path = fetch(REPOSITORY, FILE)
    assert path.read_bytes() == CONTENT
    assert find_in_cache(REPOSITORY, FILE) == path
    assert Path(huggingface_hub.hf_hub_download(REPOSITORY, FILE, local_files_only=True)) == path
    sent = server.sent
    assert fetch(REPOSITORY, FILE) == path
    assert server.sent == sent


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_cut_connection_is_gone_on_with(server: Hub, share: float) -> None:
    server.cut_at = [share]
    assert fetch(REPOSITORY, FILE).read_bytes() == CONTENT
    assert server.sent == len(CONTENT), "only the rest is fetched"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_what_could_not_be_gone_on_with_is_later(server: Hub, tmp_path: Path, share: float) -> None:
    server.cut_at = [share] + [0.0] * 4
    with pytest.raises(HubError, match=f"came to {share:.0%}.*only the rest is fetched"):
        fetch(REPOSITORY, FILE)
    assert find_in_cache(REPOSITORY, FILE) is None
    assert find_source_fails()
    assert left_over(tmp_path)[0].stat().st_size == round(share * len(CONTENT))
    assert fetch(REPOSITORY, FILE).read_bytes() == CONTENT
    assert server.sent == len(CONTENT)
    assert left_over(tmp_path) == []


def find_source_fails() -> bool:
    return choose_automatically(announce=False) == "lite"


def test_a_killed_process_is_gone_on_with(
    server: Hub, start: Callable[[], subprocess.Popen[str]], tmp_path: Path
) -> None:
    server.held_at = 0.5  # what comes later waits until the process is dead
    process = start()
    while not any(part.stat().st_size for part in left_over(tmp_path)):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert find_in_cache(REPOSITORY, FILE) is None
    had = left_over(tmp_path)[0].stat().st_size
    assert 0 < had < len(CONTENT)
    server.held_at = None
    again = start()
    out, err = again.communicate()
    assert again.returncode == 0, err
    assert Path(out.strip()).read_bytes() == CONTENT
    assert server.served[-1][2] == f"bytes={had}-", "only the rest is fetched"


def test_two_processes_fetch_it_once(server: Hub, start: Callable[[], subprocess.Popen[str]]) -> None:
    server.held_at = 0.1
    both = [start(), start()]
    while not server.sent:
        assert [process.poll() for process in both] == [None, None]
        time.sleep(0.01)
    server.go_on.set()
    ended = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert Path(ended[0][0].strip()).read_bytes() == CONTENT
    assert ended[0][0] == ended[1][0]
    assert server.sent == len(CONTENT)


def test_wrong_bytes_are_thrown_away(server: Hub, tmp_path: Path) -> None:
    server.wrong = 1
    with pytest.raises(HubError, match=r"is not what the hub says it is.*try again"):
        fetch(REPOSITORY, FILE)
    assert left_over(tmp_path) == []
    assert find_in_cache(REPOSITORY, FILE) is None
    assert fetch(REPOSITORY, FILE).read_bytes() == CONTENT


def test_what_was_left_with_wrong_bytes_is_fetched_anew(server: Hub, tmp_path: Path) -> None:
    server.cut_at = [0.5] + [0.0] * 4
    with pytest.raises(HubError):
        fetch(REPOSITORY, FILE)
    (partial,) = left_over(tmp_path)
    partial.write_bytes(b"\0" * partial.stat().st_size)
    assert fetch(REPOSITORY, FILE).read_bytes() == CONTENT


def test_a_server_without_ranges(server: Hub) -> None:
    server.cut_at, server.ignores_ranges = [0.5], True
    assert fetch(REPOSITORY, FILE).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (401, {}, "does not let you have .*HF_TOKEN"),
        (403, {"X-Error-Code": "GatedRepo"}, "agreed to its terms .*HF_TOKEN"),
        (404, {"X-Error-Code": "EntryNotFound"}, "the hub has no timm/"),
        (404, {"X-Error-Code": "RepoNotFound"}, "or it is private"),
        (429, {}, "too many requests.*try again later"),
        (429, {"Retry-After": "600"}, "try again in 600 seconds"),
        (500, {}, "a fault of its own .*try again later"),
        (418, {}, "refuses"),
    ],
)
def test_refusals_are_put_into_words(server: Hub, status: int, headers: dict[str, str], words: str) -> None:
    server.status, server.headers = status, headers
    with pytest.raises(ModelUnavailableError, match=words) as caught:
        find_source("ViT-B-32/openai")
    assert "'lite' works now" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(server.served) == (4 if status in (429, 500) and not headers else 1), "asked again, and not for ever"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_hub_is_asked_again(server: Hub, status: int) -> None:
    server.statuses, server.headers = [status, status], {"Retry-After": "0"}
    assert fetch(REPOSITORY, FILE).read_bytes() == CONTENT


def test_a_page_of_somebody_else_is_no_hub(server: Hub) -> None:
    server.status = 200
    with pytest.raises(HubError, match="is a proxy or a login page in between"):
        fetch(REPOSITORY, FILE)
    with pytest.raises(HubError, match="makes no sense"):
        fetch_repository(REPOSITORY, client.OPEN_CLIP)


def test_nobody_there(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HubError, match="cannot be reached"):
        fetch(REPOSITORY, FILE)


def test_a_full_disk_is_noticed_before(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    with pytest.raises(HubError, match=r"needs 3 MiB.*100 bytes free; make room, or set HF_HUB_CACHE"):
        fetch(REPOSITORY, FILE)
    assert server.sent == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_gets_full_meanwhile(server: Hub, tmp_path: Path) -> None:
    server.cut_at = [0.0] * 4
    with pytest.raises(HubError):
        fetch(REPOSITORY, FILE)
    (partial,) = left_over(tmp_path) or [None]
    assert partial is not None
    partial.unlink()
    partial.symlink_to("/dev/full")
    with pytest.raises(HubError, match=r"No space left on device.*removed"):
        fetch(REPOSITORY, FILE)
    assert find_in_cache(REPOSITORY, FILE) is None
    assert fetch(REPOSITORY, FILE).read_bytes() == CONTENT


def test_a_cache_that_is_no_folder(server: Hub, tmp_path: Path) -> None:
    (tmp_path / "hub").write_text("a file")
    with pytest.raises(HubError, match=r"cannot be written to.*HF_HUB_CACHE"):
        fetch(REPOSITORY, FILE)


def test_where_there_are_no_links_the_file_itself_lies_there(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links on this disk")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    path = fetch(REPOSITORY, FILE)
    assert not path.is_symlink()
    assert path.read_bytes() == CONTENT
    assert find_in_cache(REPOSITORY, FILE) == path


def test_an_answer_without_end_is_refused(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST_ANSWER", 10)
    with pytest.raises(HubError, match="has more than 10 bytes"):
        fetch_repository(REPOSITORY, client.OPEN_CLIP)


def test_names_that_lead_out_of_the_cache_are_not_fetched(server: Hub) -> None:
    server.repositories[REPOSITORY] |= {"../../../evil.json": b"{}", "/etc/evil.json": b"{}"}
    fetch_repository(REPOSITORY, client.OPEN_CLIP)
    assert not [path for _, path, _ in server.served if "evil" in path]


def test_a_name_of_open_clip_then_without_network(
    server: Hub, tiny_clip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"hf-hub:{server.add('someone/tiny', Path(tiny_clip.removeprefix('local-dir:')))}"
    server.cut_at = [0.5]
    texts = ["a cat", "a cup"]
    made = load_model(name, "cpu").encode_text(texts)
    assert made.equal(load_model(tiny_clip, "cpu").encode_text(texts))
    unload(name)
    asked = len(server.served)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load_model(name, "cpu").encode_text(texts).equal(made)
    assert len(server.served) == asked


def test_a_repository_that_is_only_half_here(server: Hub, tiny_clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"hf-hub:{server.add('someone/half', Path(tiny_clip.removeprefix('local-dir:')))}"
    server.cut_at = [0.5] + [0.0] * 4
    with pytest.raises(ModelUnavailableError, match="only the rest is fetched"):
        load_model(name, "cpu")
    with monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(ModelUnavailableError, match="HF_HUB_OFFLINE is set"):
            load_model(name, "cpu")
    assert load_model(name, "cpu").dim == 32


@pytest.mark.parametrize("kind", ["blip", "git"])
def test_a_captioner_of_the_hub(
    kind: str, server: Hub, saved_captioner: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from clipnb.models.captioner import load_captioner

    names = {"blip": "blip-large", "git": "git-large-coco"}
    repository = {"blip": "Salesforce/blip-image-captioning-large", "git": "microsoft/git-large-coco"}[kind]
    server.add(repository, saved_captioner(kind))
    server.status, server.headers = 429, {"Retry-After": "600"}
    with pytest.raises(ModelUnavailableError, match=r"too many requests.*no captioner: then"):
        load_captioner(names[kind], "cpu")
    server.status, server.cut_at = 0, [0.5] + [0.0] * 4
    with pytest.raises(ModelUnavailableError, match="only the rest is fetched"):
        load_captioner(names[kind], "cpu")
    sent = server.sent
    assert load_captioner(names[kind], "cpu").name == names[kind]
    weights = len(server.repositories[repository]["model.safetensors"])
    assert server.sent - sent == weights - round(weights / 2)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(server.served)
    assert load_captioner(names[kind], "cpu").name == names[kind]
    assert len(server.served) == asked


def test_waiting_for_another_process_ends(server: Hub, tmp_path: Path) -> None:
    from clipnb.files import locked, open_for_writing

    fetch(REPOSITORY, "config.json")
    (lock,) = (tmp_path / "hub" / ".locks").rglob("*.lock")
    for path in (tmp_path / "hub").glob("models--*/*/*/config.json"):
        path.unlink()
    with open_for_writing(lock) as held:
        assert locked(held)
        thread = threading.Thread(target=fetch, args=(REPOSITORY, "config.json"))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join()
    assert find_in_cache(REPOSITORY, "config.json")


def test_a_tokenizer_of_the_hub_comes_before_the_weights(server: Hub) -> None:
    import open_clip

    tokenizer = open_clip.get_model_config("ViT-B-16-SigLIP")["text_cfg"]["hf_tokenizer_name"]
    repository = open_clip.get_pretrained_cfg("ViT-B-16-SigLIP", "webli")["hf_hub"].rpartition("/")[0]
    weights = {FILE: CONTENT, "open_clip_pytorch_model.bin": CONTENT, "model.safetensors": CONTENT}
    server.repositories[repository] = {**weights, "tokenizer.json": b"{}", "tokenizer_config.json": b"{}"}
    server.repositories.setdefault(tokenizer, {"tokenizer.json": b"{}"})
    assert find_source("ViT-B-16-SigLIP/webli").checkpoint == find_in_cache(repository, FILE)
    assert find_in_cache(tokenizer, "tokenizer.json")
    assert server.sent == len(CONTENT), "one file of weights"
    assert "tokenizer" in server.served[1][1]
