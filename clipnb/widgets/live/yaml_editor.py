"""The field for YAML: an editor that knows the language, or a plain text box where third-party widgets do not load."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import ipywidgets as w
import traitlets
from pydantic import Field, TypeAdapter, ValidationError

from clipnb.errors import printable
from clipnb.optimise.language.manual.outline import outline
from clipnb.optimise.language.yaml_source import MAX_BYTES
from clipnb.optimise.preview import Preview
from clipnb.widgets.common.frontend import BrowserWidget, Message, carrier_of, named, static, third_party_widgets_load
from clipnb.widgets.common.panel import Panel

MAX_MARKS = 40  # that are shown in the text
MAX_SOURCE = 5000  # characters of an expression that its value is asked of
_LINE = re.compile(r", line (\d{1,7}): ?")

Look = Callable[[str, str, str, bool], Preview | None]
"""Called with the keys above, a key, the expression behind it, and whether its curve is wished."""
_Page = Annotated[str, Field(max_length=64)]
_Number = Annotated[int, Field(ge=0, le=2**53)]


class _Typed(Message):
    """The text as it is now; to be applied to a run, or only checked."""

    event: Literal["typed", "apply"]
    page: _Page
    number: _Number
    text: Annotated[str, Field(max_length=MAX_BYTES)]


class _Looked(Message):
    """A question for what an expression comes to."""

    event: Literal["look"]
    page: _Page
    number: _Number
    level: Annotated[str, Field(max_length=200)]
    name: Annotated[str, Field(max_length=100)]
    source: Annotated[str, Field(max_length=MAX_SOURCE)]
    draws: bool = True


_MESSAGE: TypeAdapter[_Typed | _Looked] = TypeAdapter(_Typed | _Looked)


@dataclass(frozen=True)
class Reactions:
    """What an editor calls on: `apply` when its keys are pressed, `look` for what an expression comes to."""

    apply: Callable[[], None]
    look: Look


class YamlEditor(BrowserWidget):
    """An editor in the browser, whose text comes as messages; completion and help need no kernel.

    Attributes:
        value: the text.
        marks: mistakes and hints, each its line from 1, words, and "error" or "warning".
        checked: counts checks.
        step: number of the step that is shown, from 0; -1 before a run. What is told of an expression follows it.
        language: see `clipnb.optimise.language.manual.outline`.
        longest: characters that are taken.
        library: names the model that carries the program.
    """

    value: Any = traitlets.Unicode().tag(sync=True)
    marks: Any = traitlets.List().tag(sync=True)
    checked: Any = traitlets.Int().tag(sync=True)
    step: Any = traitlets.Int(-1).tag(sync=True)
    language: Any = traitlets.Dict().tag(sync=True)
    longest: Any = traitlets.Int(MAX_BYTES).tag(sync=True)
    library: Any = traitlets.Unicode().tag(sync=True)

    def __init__(self, panel: Panel, value: str, reactions: Reactions) -> None:
        self._panel, self._reactions = panel, reactions
        library = carrier_of(_program).model_id
        programs = map(static, ("library.js", "yaml_field.js"))
        super().__init__(*programs, value=value, language=outline(), library=library)
        self.on_msg(lambda _, content, _buffers: panel.hand_over(lambda: self.receive(content)))

    def show(self, mistakes: str, hints: Sequence[str] = ()) -> None:
        """Mark what a check found, each line of it where it names a line of the text."""
        told = [(words, "error") for words in mistakes.splitlines()] + [(words, "warning") for words in hints]
        with self.hold_sync():
            self.marks = [_mark(printable(words), kind) for words, kind in told[:MAX_MARKS]]
            self.checked += 1

    def receive(self, content: object) -> None:
        """Act on a message of the browser; what is none is ignored."""
        try:
            message = _MESSAGE.validate_python(content)
        except ValidationError:
            return
        if isinstance(message, _Looked):
            found = self._reactions.look(message.level, message.name, message.source, message.draws)
            self._answer(message, found._asdict() if found is not None else {"words": ""})
            return
        try:
            with self.hold_sync():  # the text and what is mistaken in it
                self.value = message.text
        finally:
            self._answer(message, {})
        if message.event == "apply":
            self._panel.guarded(self._reactions.apply)

    def _answer(self, message: _Typed | _Looked, found: dict[str, Any]) -> None:
        self.send({"page": message.page, "number": message.number, **found})


class PlainYaml(w.Textarea):  # type: ignore[misc]
    """A plain text box; what is mistaken is told below it alone, and nothing of expressions."""

    step = -1

    def show(self, mistakes: str, hints: Sequence[str] = ()) -> None:
        del mistakes, hints


def make_yaml_field(panel: Panel, value: str, reactions: Reactions, live: bool | None = None) -> Any:
    """Return a `YamlEditor` or a `PlainYaml`; `live` is by default whether third-party widgets load here."""
    if third_party_widgets_load() if live is None else live:
        return YamlEditor(panel, value, reactions)
    return named(PlainYaml(value=value, layout={"width": "100%", "height": "246px"}), "experiment in YAML")


def _program() -> str:
    return static("yaml_editor.js")


def _mark(words: str, kind: str) -> tuple[int, str, str]:
    found = _LINE.search(words)
    return (int(found[1]), words[found.end() :], kind) if found else (1, words, kind)
