"""The three jobs, one after another, on real input."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from clipnb.demo.page import Described, Optimised, Shown, make_page
from clipnb.errors import ClipnbError, ImageError, OutputError, reason
from clipnb.files import claim_folder, is_claimed, shipped
from clipnb.images import open_image, to_pil
from clipnb.models.load import load_model
from clipnb.progress import progress_bar
from clipnb.spreadsheet import write_frame
from clipnb.temporary import remove_torn, scratch_folder

if TYPE_CHECKING:
    from PIL import Image

    from clipnb.models.encoder import DualEncoder

PHOTOGRAPHS = ("coffee.png", "chelsea.png", "rocket.jpg")
"""Photographs that scikit-image carries in its wheel: a cup of coffee, a cat, a rocket on its launch pad."""
PAGE = "index.html"
_STAGES = 6


@dataclass(frozen=True)
class _Stop:
    folder: Path
    encoder: DualEncoder
    quiet: bool


def give_tour(
    folder: Path,
    *,
    text: str = "a jellyfish in the deep sea",
    model: str = "auto",
    device: str = "auto",
    seed: int = 1,
    steps: int | None = None,
    quiet: bool = False,
) -> Path:
    """Do the three jobs and write the results with one page that shows them; needs no network.

    Args:
        folder: where to; a folder that has something in it is left alone, and a numbered one is made.
        text: what the picture shows.
        model: which encoder, as `load_model` takes it.
        device: where it runs, likewise.
        seed: of the picture.
        steps: of the optimisation; the recipe's own number when None.
        quiet: show no progress.

    Returns:
        The page, `index.html` in the folder.

    Raises:
        ClipnbError: the folder cannot be written, the model cannot be had, ...
    """
    started = perf_counter()
    with staged(folder) as (target, staging):
        stop = _Stop(staging, load_model(model, device), quiet)
        optimised = _make_picture(stop, text, seed, steps)
        described, described_facts = _describe_photographs(stop)
        graph, still, tags_facts = _graph_tags(stop)
        seconds = perf_counter() - started
        shown = Shown(
            setting=f"Made in {seconds:.0f} s with the encoder {stop.encoder.name} on {stop.encoder.device}.",
            optimised=optimised,
            described=described,
            described_facts=described_facts,
            graph=graph,
            still=still,
            tags_facts=tags_facts,
            note=_note(stop.encoder),
            commands=_commands(text),
        )
        (staging / PAGE).write_text(make_page(shown), encoding="utf-8", errors="backslashreplace")
    return target / PAGE


@contextmanager
def staged(wished: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a folder that is the user's from now on, and one whose content moves there when all of it is done."""
    made = [place for place in (wished.parent, *wished.parent.parents) if not os.path.lexists(place)]
    is_ours = not _is_empty_folder(wished)
    target = claim_folder(wished) if is_ours else wished
    try:
        with scratch_folder(target) as folder:  # which also shows others that the place is taken
            yield target, folder
            for part in sorted(folder.iterdir(), key=lambda part: part.name == PAGE):
                _move(part, target / part.name)
    except BaseException as error:
        for place in [target, *made] if is_ours else []:
            with suppress(OSError):
                place.rmdir()
        if isinstance(error, OSError) and not isinstance(error, ClipnbError):
            raise OutputError(f"cannot write into {target}: {reason(error)}") from error
        raise


def _is_empty_folder(place: Path) -> bool:
    if not os.path.isdir(place):  # noqa: PTH112 - pathlib's raises for names that are too long
        return False
    remove_torn(place)
    return not any(place.iterdir())


def _move(part: Path, place: Path) -> None:
    if not is_claimed(place):
        raise OutputError(f"{place.parent} was empty, but holds a {place.name} now; choose another folder")
    part.replace(place)


def _make_picture(stop: _Stop, text: str, seed: int, steps: int | None) -> Optimised:
    from clipnb.optimise import ExperimentConfig, Optimisation, save_result

    own: dict[str, object] = {} if steps is None else {"epochs": steps}
    encoder = stop.encoder  # by which the recipe goes
    config = ExperimentConfig.from_text(text, seed=seed, model=encoder.name, device=str(encoder.device), **own)
    run = Optimisation(config, stop.encoder)
    started, stages, step = perf_counter(), [], None
    with progress_bar("1/3 a picture from words", "step", quiet=stop.quiet) as report:
        for step in run.steps():
            report(step.index + 1, step.total)
            if _is_stage(step.index, step.total):
                stages.append((f"step {step.index + 1}", to_pil(step.image)))
    assert step is not None  # noqa: S101 - an experiment has at least one step
    seconds = perf_counter() - started
    save_result(run, step, stop.folder / "picture.png", seconds)
    height, width = step.image.shape[-2:]
    facts = f"{step.total} steps in {seconds:.0f} s, {width} x {height} pixels, seed {seed}."
    return Optimised(text, to_pil(step.image), stages, facts)


def _is_stage(index: int, total: int) -> bool:
    """Whether a step is among those that are spread by eye: the picture changes most at the beginning."""
    wanted = {round((total - 1) * (place / (_STAGES - 1)) ** 2) for place in range(_STAGES)}
    return index in wanted


def _describe_photographs(stop: _Stop) -> tuple[list[Described], str]:
    from clipnb.interrogate import Interrogator, Settings

    worker = Interrogator(stop.encoder, settings=Settings(quiet=stop.quiet))
    found, described = [], []
    started = perf_counter()
    with progress_bar("2/3 prompts from photographs", "picture", quiet=stop.quiet) as report:
        for done, name in enumerate(PHOTOGRAPHS, start=1):
            image = open_image(_photograph(name))
            result = worker.interrogate(image)
            found.append({"image": name, **result.to_dict()})
            ranked = [(label.label, label.similarity) for label in result.ranked["objects"][:5]]
            described.append(Described(image, name, result.prompt, ranked))
            report(done, len(PHOTOGRAPHS))
    (stop.folder / "prompts.json").write_text(
        json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False), encoding="utf-8"
    )
    seconds = perf_counter() - started
    return (
        described,
        f"{len(described)} photographs, mode {found[0]['mode']}, {seconds:.1f} s with the tables of labels.",
    )


def _photograph(name: str) -> Path:
    """Return the path of a photograph in scikit-image's wheel without importing it."""
    from importlib.util import find_spec

    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise ImageError("the demo shows photographs of scikit-image; get them with: pip install 'clipnb[lite]'")
    return Path(spec.origin).parent / "data" / name


def _graph_tags(stop: _Stop) -> tuple[str, Image.Image, str]:
    from clipnb.prompts.read import load_prompts
    from clipnb.tags.counting.counts import TagCounts
    from clipnb.tags.graph import build_graph
    from clipnb.tags.page import graph_page
    from clipnb.tags.picture import plot_graph

    with progress_bar("3/3 a graph of tags", "step", quiet=stop.quiet) as report:
        prompts = load_prompts(shipped("prompts"))
        counts = TagCounts(prompts)
        report(1, 4)
        write_frame(counts.to_frame(), stop.folder / "tags.csv")
        graph = build_graph(counts, min_count=2)
        report(2, 4)
        page = graph_page(graph, title="Tags of the sample prompts")
        (stop.folder / "tags.html").write_text(page, encoding="utf-8")
        report(3, 4)
        plot_graph(graph, stop.folder / "tags.png")
        report(4, 4)
    facts = f"{len(prompts):,} sample prompts, {len(counts):,} tags, {graph.number_of_edges():,} pairs."
    return page, open_image(stop.folder / "tags.png"), facts + " Drag, zoom, search, point at a tag."


def _note(encoder: DualEncoder) -> str:
    about = f"About the encoder: {encoder.note}. " if encoder.note else ""
    return about + "Try it with words and pictures of your own:"


def _commands(text: str) -> list[str]:
    return [
        f"clipnb optimise --text {shlex.quote(text)} --seed 2",
        "clipnb interrogate PICTURE.jpg",
        "clipnb tags graph PROMPTS.txt -o graph.html",
        'clipnb optimise --text "a lighthouse in a storm" -m ViT-B-32/openai   # downloads a real CLIP once',
    ]
