"""Changes single values inside YAML text, so that comments, order and spelling stay as they are."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

import yaml

from clipnb.errors import ConfigError
from clipnb.optimise.language.yaml_source import MAX_BYTES, MAX_DEPTH, MAX_PIXELS, MAX_VALUES, FastLoader
from clipnb.optimise.results import to_yaml

KeyPath = Sequence[str | int]
_MOST_EVENTS = 2 * (MAX_VALUES + MAX_PIXELS)  # more than any experiment has


def text_at(text: str, path: KeyPath) -> str | None:
    """Return the scalar behind a path of keys as it is written; None where there is none, or the text is no YAML.

    >>> text_at("targets: [{features: [{text: a cat}]}]", ("targets", 0, "features", 0, "text"))
    'a cat'
    """
    try:
        node = _find(_compose(text), path)
    except ConfigError:
        return None
    return node.value if isinstance(node, yaml.ScalarNode) and not node.tag.endswith(":null") else None


def with_value(text: str, path: KeyPath, value: object) -> str:
    r"""Replace the value behind a path of keys; a key at the top that is missing is written on the first line.

    Args:
        text: YAML with a map at the top, or nothing.
        path: such as `("resolution",)`.
        value: plain scalars, lists and maps; written on one line, or in a block where a block was.

    Raises:
        ConfigError: the text is no YAML map, or a deeper path does not lead anywhere.

    >>> with_value("epochs: 10  # quick\nmodel: auto\n", ("epochs",), 20)
    'epochs: 20  # quick\nmodel: auto\n'
    """
    root = _compose(text)
    if root is not None and not isinstance(root, yaml.MappingNode):
        raise ConfigError("an experiment is a map such as 'targets: ...'")
    written = _on_one_line(value)
    node = _find(root, path)
    if node is not None:
        return _spliced(text, node, written, _as_block(value, node.start_mark.column))
    if root is None and len(path) == 1:
        return f"{path[0]}: {written}\n{text}"
    within = _find(root, path[:-1])
    if not isinstance(within, yaml.MappingNode) or isinstance(path[-1], int):
        raise ConfigError(f"there is no {'.'.join(map(str, path))} in the YAML")
    if within.flow_style:
        start = text.index("{", within.start_mark.index) + 1  # an anchor or a tag may stand before it
        return f"{text[:start]}{path[-1]}: {written}{', ' * bool(within.value)}{text[start:]}"
    if len(path) == 1:
        return f"{path[0]}: {written}\n{text}"
    mark = within.value[0][0].start_mark
    return f"{text[: mark.index]}{path[-1]}: {written}\n{' ' * mark.column}{text[mark.index :]}"


def _compose(text: str) -> yaml.Node | None:
    """Parse YAML without making values of its scalars, which takes long for some."""
    if len(text) > MAX_BYTES:
        raise ConfigError(f"the YAML has more than {MAX_BYTES} characters; shorten it first")
    try:
        loader = yaml.SafeLoader if "%TAG" in text else FastLoader  # many directives are slow in C
        _require_few(yaml.parse(text, loader))
        return yaml.compose(text, loader)
    except ConfigError:
        raise
    except (yaml.YAMLError, ValueError, LookupError) as error:
        raise ConfigError("the YAML has a mistake; mend it first") from error


def _require_few(events: Iterable[yaml.Event]) -> None:
    """Stop at the first event too many or too deep: older libyaml takes seconds for brackets that follow it."""
    depth = 0
    for count, event in enumerate(events):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if count > _MOST_EVENTS or depth > MAX_DEPTH:
            problem = "is nested too deeply" if depth > MAX_DEPTH else "holds too many values"
            raise ConfigError(f"the YAML {problem}; mend it first")


def _on_one_line(value: object) -> str:
    """Write a value so that it means the same in a block and in a flow, where commas and brackets part values."""
    for readable in (True, False):  # some line breaks of Unicode come back only when they are escaped
        dumped: str = yaml.safe_dump([value], default_flow_style=True, allow_unicode=readable, width=10**9).strip()
        if yaml.safe_load(dumped) == [value] and len(dumped.splitlines()) == 1:
            break
    return dumped[1:-1]


def _as_block(value: object, column: int) -> str:
    """Write a map, or a list of such, as the lines of a block; "" for anything else."""
    nested = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict) for one in value))
    lines = to_yaml({"value": value}).splitlines()[1:] if value and nested else []
    return textwrap.dedent("\n".join(lines)).replace("\n", "\n" + " " * column)


def _find(node: yaml.Node | None, path: KeyPath) -> yaml.Node | None:
    for key in path:
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == key), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
        else:
            return None
    return node


def _spliced(text: str, node: yaml.Node, on_one_line: str, block: str) -> str:
    """Put a value in place of a node: as a block where it was a block without anchor or tag."""
    start, end = node.start_mark.index, node.end_mark.index
    old = text[start:end]
    kept = old.rstrip()  # a block ends where the next thing begins; the line break between them stays
    before, after = text[:start], old[len(kept) :] + text[end:]
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        if block and old[0] not in "&!":
            return f"{before}{block}{after}"
        before = before.rstrip()
    space = "" if before.endswith((" ", "\n")) or not before else " "
    return f"{before}{space}{on_one_line}{after}"
