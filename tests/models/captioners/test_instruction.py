"""Instructions: what each kind of captioner is told, and who refuses what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers as hf
from PIL import Image

from clipnb.errors import CaptionerError
from clipnb.models.captioner import load_captioner
from clipnb.models.captioners.prompts import LONGEST_INSTRUCTION, text_beside


class Chat:
    """A processor that renders its template by hand."""

    def __init__(self, write: Callable[[list[dict[str, Any]]], str], image_token: str | None = "<image>") -> None:
        self.chat_template, self.image_token, self._write = "a template", image_token, write
        self.tokenizer = type("Tokenizer", (), {"all_special_tokens": ["<s>", "</s>"]})()

    def apply_chat_template(self, messages: list[dict[str, Any]], **_: object) -> str:
        return self._write(messages)


def parts(messages: list[dict[str, Any]]) -> str:
    (message,) = messages  # no system message is taken
    return "Q:" + "".join("<start>" if part["type"] == "image" else part["text"] for part in message["content"]) + "A:"


def text_with_picture(messages: list[dict[str, Any]]) -> str:
    return "".join(f"[{message['role']}]<image>{message['content'].strip()}" for message in messages)


def text_alone(messages: list[dict[str, Any]]) -> str:
    return "".join(f"{message['role']}: {message['content'].strip()} " for message in messages)


def stringified(messages: list[dict[str, Any]]) -> str:
    return "".join(f"{message['content']}" for message in messages)


def test_chat_templates_of_every_form_are_rendered() -> None:
    def told(write: Callable[[list[dict[str, Any]]], str], mark: str | None = "<image>") -> str | None:
        return text_beside(Chat(write, mark), "some", "it", "say it")

    assert told(parts, "<soft>") == "Q:<start>say itA:"
    assert told(text_with_picture) == "[system]<image>You are a helpful image captioner.[user]<image>say it"
    assert told(text_alone) == "system: You are a helpful image captioner. user: <image>\nsay it "
    assert told(stringified) == "You are a helpful image captioner.<image>\nsay it"
    with pytest.raises(CaptionerError, match="no place for one"):
        told(lambda messages: "nothing of it")


def test_a_system_message_that_a_template_refuses_is_left_out() -> None:
    def without_system(messages: list[dict[str, Any]]) -> str:
        (message,) = messages
        return f"{message['content'].strip()} <image>"

    assert (
        text_beside(Chat(without_system), "some", "it", None) == "Describe this picture in one short sentence. <image>"
    )


@pytest.mark.parametrize(
    ("instruction", "message"),
    [
        ("a" * 10_000, "10,000 characters; at most 2,000"),
        (" \n", "does not"),
        (7, "does not"),
        ("look at <image>", "holds '<image>', a mark"),
        ("</s> say more", "holds '</s>', a mark"),
    ],
)
def test_instructions_that_no_model_takes_are_refused(instruction: Any, message: str) -> None:
    with pytest.raises(CaptionerError, match=message):
        text_beside(Chat(parts), "some", "it", instruction)
    assert text_beside(Chat(parts), "some", "it", "a" * LONGEST_INSTRUCTION)


def test_halves_of_letters_do_not_reach_the_tokenizer() -> None:
    assert text_beside(Chat(parts), "some", "it", "say \ud83d") == "Q:<start>say \ufffdA:"


@pytest.mark.parametrize("kind", ["qwen2_vl", "llava", "joycaption", "idefics3", "paligemma", "instructblip", "blip2"])
def test_the_instruction_changes_what_is_written(
    kind: str, save: Callable[[str], Path], pictures: list[Image.Image]
) -> None:
    def written(**wishes: str) -> list[str]:
        return load_captioner(str(save(kind)), "cpu", max_new_tokens=8, quiet=True, **wishes).caption(pictures)

    assert written(instruction="red tree on the sea and light") != written()


def test_a_captioner_of_pixels_alone_takes_no_instruction(save: Callable[[str], Path]) -> None:
    assert text_beside(hf.BlipImageProcessor(), "blip", "blip-base", None) is None
    with pytest.raises(CaptionerError, match=r"blip-base takes no instruction.*qwen2.5-vl-3b"):
        text_beside(hf.BlipImageProcessor(), "blip", "blip-base", "say it")


class Tasks:
    task_prompts_without_inputs = {"<CAPTION>": "", "<DETAILED_CAPTION>": "", "<OD>": "", "<REGION_PROPOSAL>": ""}  # noqa: RUF012
    task_prompts_with_input = {"<REGION_TO_CATEGORY>": ""}  # noqa: RUF012


def test_florence_takes_tasks() -> None:
    def told(instruction: str | None) -> str | None:
        return text_beside(Tasks(), "florence2", "florence-2-base", instruction)

    assert told(None) == "<CAPTION>"
    assert told("<OD>") == told("od") == "<OD>"
    assert told("detailed caption") == "<DETAILED_CAPTION>"
    assert told("<GENERATE_TAGS>") == "<GENERATE_TAGS>"  # of models that were trained further
    for wrong in ("Describe the cat.", "<OD> cat", "<REGION_TO_CATEGORY>", "<REGION_PROPOSAL>"):
        with pytest.raises(CaptionerError, match=r"takes a task.*<OD> gives tags"):
            told(wrong)


def test_florence_gives_tags(
    save: Callable[[str], Path], pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    captioner = load_captioner(str(save("florence2")), "cpu", instruction="<OD>", max_new_tokens=8, quiet=True)
    answers = ["</s><s>cup<loc_1><loc_2>red cat<loc_1><loc_2>cup<loc_2><loc_2></s><pad>", "</s><s></s>"]
    monkeypatch.setattr(hf.Florence2Processor, "batch_decode", lambda *_, **__: answers)
    words = ["</s>", "<s>", "<pad>"]
    kind = hf.PreTrainedTokenizerFast
    monkeypatch.setattr(kind, "all_special_tokens", property(lambda _: words), raising=False)
    assert captioner.caption(pictures[:2]) == ["cup, red cat", ""]
