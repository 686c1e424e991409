"""What comes with loading: names, wishes of one's own loaders, bits, silence, damage."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from PIL import Image

from clipnb.errors import CaptionerError, ModelUnavailableError
from clipnb.models.captioner import CAPTIONERS, load_captioner
from clipnb.models.captioners import quantised as bits
from clipnb.models.captioners.faults import CutText


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("blip-3", "qwen2.5-vl-3b"),
        ("Salesforce/xgen-mm-phi3-mini-instruct-r-v1", "BLIP-3"),
        ("microsoft/Florence-2-large", "florence-2-large, the same weights"),
    ],
)
def test_models_that_bring_code_are_refused_with_what_to_take_instead(name: str, instead: str) -> None:
    with pytest.raises(ModelUnavailableError, match=f"code of its own, which is never run.*{instead}"):
        load_captioner(name, "cpu")


def test_a_folder_that_brings_code_is_refused(kind: str, save: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(save(kind), tmp_path, dirs_exist_ok=True)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace("{", '{"auto_map": {"AutoConfig": "evil.Config"},', 1))
    with pytest.raises(ModelUnavailableError, match="asks for code by 'auto_map'"):
        load_captioner(str(tmp_path), "cpu")


def test_a_large_chat_template_is_not_read(save: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(save("llava"), tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").write_bytes(b" " * (8 * 2**20 + 1))
    with pytest.raises(ModelUnavailableError, match=r"chat_template\.jinja is larger than 8"):
        load_captioner(str(tmp_path), "cpu")


def test_a_chat_template_cannot_reach_out(save: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(save("llava"), tmp_path, dirs_exist_ok=True)
    evil = "{{ ''.__class__.__mro__[1].__subclasses__() }}{{ cycler.__init__.__globals__.os.system('touch ran') }}"
    (tmp_path / "chat_template.jinja").write_text(evil)
    (tmp_path / "chat_template.json").unlink(missing_ok=True)
    with pytest.raises((CaptionerError, ModelUnavailableError), match=r"no place for one|cannot load"):
        load_captioner(str(tmp_path), "cpu", quiet=True)
    assert not Path("ran").exists()


class Own:
    """A captioner whose loader takes the usual options alone."""

    name, device = "own", torch.device("cpu")

    def __init__(self, device: torch.device, *, max_new_tokens: int, num_beams: int, batch_size: int) -> None:
        pass


def test_a_loader_of_ones_own_is_asked_for_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: dict[str, Any] = {}

    def load(device: torch.device, *, instruction: str = "", **options: int) -> Any:
        taken.update(options, instruction=instruction)
        return object()

    monkeypatch.setitem(CAPTIONERS, "own", Own)
    monkeypatch.setitem(CAPTIONERS, "told", load)
    assert load_captioner("own", "cpu", instruction=None).name == "own"
    with pytest.raises(CaptionerError, match="own has no use for instruction; leave it out"):
        load_captioner("own", "cpu", instruction="say it")
    load_captioner("told", "cpu", instruction="say it")
    assert taken["instruction"] == "say it"


def test_bits_without_a_library_say_what_to_install(
    save: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"accelerate"}
    monkeypatch.setattr(bits, "find_spec", lambda name: name if name in there else None)
    with pytest.raises(ModelUnavailableError, match=r"weights in 4 bits need bitsandbytes .* or torchao"):
        load_captioner(str(save("llava")), "cpu", bits=4)
    there.clear()
    with pytest.raises(ModelUnavailableError, match="need accelerate: pip install accelerate"):
        load_captioner(str(save("llava")), "cpu", bits=8)
    with pytest.raises(CaptionerError, match="bits is 8 or 4"):
        load_captioner(str(save("llava")), "cpu", bits=16)


@pytest.mark.skipif(not (find_spec("bitsandbytes") or find_spec("torchao")), reason="no library for it")
def test_weights_of_eight_bits_write_captions(save: Callable[[str], Path], pictures: list[Image.Image]) -> None:
    captioner = load_captioner(str(save("llava")), "cpu", bits=8, max_new_tokens=6, quiet=True)
    assert any(captioner.caption(pictures))


def test_quiet_captioners_are_silent_and_others_as_before(
    kind: str, save: Callable[[str], Path], pictures: list[Image.Image], capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging as log

    folder, level = str(save(kind)), log.get_verbosity()
    capfd.readouterr()
    load_captioner(folder, "cpu", max_new_tokens=4, quiet=True).caption(pictures)
    assert capfd.readouterr() == ("", "")
    assert (log.get_verbosity(), log.is_progress_bar_enabled()) == (level, True)
    assert logging.getLogger("bitsandbytes").level == logging.NOTSET


def test_a_failure_while_writing_is_told_in_one_line(
    save: Callable[[str], Path], pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    captioner = load_captioner(str(save("llava")), "cpu", quiet=True)

    def broken(self: Any, *_: object, **__: object) -> None:
        raise KeyError("pixel_values")

    monkeypatch.setattr(hf.LlavaForConditionalGeneration, "generate", broken)
    with pytest.raises(CaptionerError, match=r"fails with transformers \d.*composed from label tables") as caught:
        captioner.caption(pictures)
    assert "\n" not in str(caught.value)


def test_what_a_device_cannot_do_is_told_but_short_memory_left_to_smaller_batches(
    save: Callable[[str], Path], pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    captioner = load_captioner(str(save("llava")), "cpu", quiet=True)
    for error, kind in ((RuntimeError("no kernel"), CaptionerError), (torch.OutOfMemoryError("full"), RuntimeError)):

        def broken(self: Any, *_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(hf.LlavaForConditionalGeneration, "generate", broken)
        with pytest.raises(kind, match=r"no kernel|full") as caught:
            captioner.caption(pictures)
        assert isinstance(caught.value, torch.OutOfMemoryError) is (kind is RuntimeError)


def test_captions_that_may_be_no_longer_are_marked(
    kind: str, save: Callable[[str], Path], pictures: list[Image.Image]
) -> None:
    folder = str(save(kind))
    long = load_captioner(folder, "cpu", max_new_tokens=40, batch_size=5, quiet=True).caption(pictures)
    short = load_captioner(folder, "cpu", max_new_tokens=2, batch_size=5, quiet=True).caption(pictures)
    assert all(isinstance(begun, CutText) or begun == whole for whole, begun in zip(long, short, strict=True))
    assert any(isinstance(text, CutText) for text in short)


@pytest.mark.skipif(find_spec("num2words") is not None, reason="the package is here")
def test_a_package_that_a_model_needs_is_named(save: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(save("idefics3"), tmp_path, dirs_exist_ok=True)
    for name in ("processor_config.json", "config.json"):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text.replace("Idefics3", "SmolVLM").replace("idefics3", "smolvlm"))
    size = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}}
    kind = {"video_processor_type": "SmolVLMVideoProcessor", **size}
    (tmp_path / "video_preprocessor_config.json").write_text(json.dumps(kind))
    with pytest.raises(ModelUnavailableError, match=r"num2words.*pip install num2words`\. Give another name"):
        load_captioner(str(tmp_path), "cpu", quiet=True)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 2), (2000, 1500)])
def test_pictures_of_any_shape_are_captioned(size: tuple[int, int], kind: str, save: Callable[[str], Path]) -> None:
    captioner = load_captioner(str(save(kind)), "cpu", max_new_tokens=4, quiet=True)
    picture = Image.new("RGB", size, "red")
    assert captioner.caption([picture, Image.new("RGB", (40, 40))])[0] == captioner.caption([picture])[0]
    prepared = captioner.prepare(picture)
    assert isinstance(prepared, torch.Tensor) or max(prepared.size) <= 1024
