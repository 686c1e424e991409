"""What a captioner is told beside the picture: a task, a chat by the model's own template, how an answer begins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from clipnb.errors import CaptionerError, nearest, quoted, shortened

LONGEST_INSTRUCTION = 2000
"""Most characters of an instruction; a chat model's own context is not much longer beside the picture."""
_DESCRIBE = "Describe this picture in one short sentence."
_SYSTEM = "You are a helpful image captioner."  # what JoyCaption's kind is trained with
_TASK = "<CAPTION>"
_TASKS = re.compile("<[A-Z_]+>")  # those of models that were trained further are not listed in the processor
# What goes with the picture where there is no chat; processors put the picture, or its mark, in front of it.
_BEGINNINGS = {"blip-2": None, "instructblip": "A short image description.", "paligemma": "caption en"}


def check_instruction(text: object) -> str:
    """Return an instruction without white space at its ends.

    Raises:
        CaptionerError: it is no text, empty or too long.
    """
    if not isinstance(text, str) or not text.strip():
        raise CaptionerError(f"an instruction says what to write, such as {_DESCRIBE!r}; {quoted(text)} does not")
    if len(text) > LONGEST_INSTRUCTION:
        raise CaptionerError(f"the instruction has {len(text):,} characters; at most {LONGEST_INSTRUCTION:,} are taken")
    # Halves of surrogate pairs are no text that a tokeniser takes.
    return text.strip().encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def has_tasks(processor: Any) -> bool:
    """Tell whether a model is asked by task tokens, as Florence-2 is."""
    return hasattr(processor, "task_prompts_without_inputs")


def text_beside(processor: Any, model_type: str, name: str, instruction: str | None) -> str | None:
    """Return the text that a processor takes beside each picture; None for models that look at pictures alone.

    Args:
        processor: the model's.
        model_type: as its configuration calls it.
        name: of the captioner, for messages.
        instruction: the user's.

    Raises:
        CaptionerError: the model takes no instruction, or not this one.
    """
    if instruction is not None:
        instruction = check_instruction(instruction)
    if has_tasks(processor):
        return _task(processor, name, instruction)
    if instruction is not None:
        _refuse_marks(processor, name, instruction)
    template = _chat_template(processor)
    if template is not None:
        return _chat(processor, template, name, instruction or _DESCRIBE)
    mark = getattr(processor, "image_token", None)
    if model_type in _BEGINNINGS:
        beginning = instruction or _BEGINNINGS[model_type]
        return f"{mark or ''}{beginning}" if model_type == "paligemma" else beginning
    if isinstance(mark, str):
        return f"{mark}\n{instruction or _DESCRIBE}"
    if instruction is not None:
        raise CaptionerError(
            f"{name} takes no instruction: it writes captions of pictures and nothing else; leave the instruction "
            "out, or take a captioner that follows one, such as qwen2.5-vl-3b or joycaption"
        )
    return None


def _task(processor: Any, name: str, instruction: str | None) -> str:
    if instruction is None:
        return _TASK
    task = instruction if instruction.startswith("<") else f"<{re.sub('[ -]+', '_', instruction).upper()}>"
    known = [one for one in processor.task_prompts_without_inputs if one != "<REGION_PROPOSAL>"]
    with_input = getattr(processor, "task_prompts_with_input", ())
    if not _TASKS.fullmatch(task) or task in with_input or task == "<REGION_PROPOSAL>":
        raise CaptionerError(
            f"{name} takes a task as its instruction, not {shortened(instruction)!r}; near it: "
            f"{nearest(task, known)}; <OD> gives tags"
        )
    return task


def _refuse_marks(processor: Any, name: str, instruction: str) -> None:
    tokenizer = getattr(processor, "tokenizer", processor)
    marks = [*getattr(tokenizer, "all_special_tokens", ()), getattr(processor, "image_token", None)]
    found = next((mark for mark in marks if isinstance(mark, str) and mark in instruction), None)
    if found:
        raise CaptionerError(
            f"the instruction holds {found!r}, a mark that {name} reads as more than text; leave it out"
        )


def _chat_template(processor: Any) -> str | None:
    own = getattr(processor, "chat_template", None) or getattr(
        getattr(processor, "tokenizer", None), "chat_template", None
    )
    found = own.get("default") if isinstance(own, dict) else own
    return found if isinstance(found, str) else None


def _chat(processor: Any, template: str, name: str, instruction: str) -> str:
    """Render the model's template, whichever of the usual forms of a message it takes."""
    mark = getattr(processor, "image_token", None) or getattr(processor.tokenizer, "image_token", None) or "<image>"
    question = {"type": "text", "text": instruction}
    with_picture = _render(processor, template, [{"role": "user", "content": [{"type": "image"}, question]}])
    without = _render(processor, template, [{"role": "user", "content": [question]}])
    if instruction in with_picture and with_picture != without and "'type'" not in with_picture:
        return with_picture
    for content in (instruction, f"{mark}\n{instruction}"):  # templates that put the picture in on their own, or not
        for messages in _with_system(content):
            text = _render(processor, template, messages)
            if instruction in text and mark in text:
                return text
    raise CaptionerError(f"{name} cannot be asked about pictures: its chat template has no place for one")


def _with_system(content: str) -> Iterator[list[dict[str, Any]]]:
    question = {"role": "user", "content": content}
    yield [{"role": "system", "content": _SYSTEM}, question]
    yield [question]


def _render(processor: Any, template: str, messages: list[dict[str, Any]]) -> str:
    """Return the text of a chat; "" where the template, which runs in transformers' sandbox, does not take it."""
    try:
        text = processor.apply_chat_template(
            messages, chat_template=template, add_generation_prompt=True, tokenize=False
        )
    except Exception:  # noqa: BLE001 - of jinja's many kinds, and a template's own
        return ""
    return text if isinstance(text, str) else ""
