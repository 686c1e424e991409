"""From a folder of images to what Kaggle's competition Stable Diffusion - Image to Prompts asks for, all local."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from clipnb.errors import ImageError, listed, nearest, reason
from clipnb.files import expanded
from clipnb.image_names import kind_of
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.kaggle.config import KaggleConfig, KaggleError, naming, read_config
from clipnb.interrogate.kaggle.submission import image_id, refuse_doubles, write_submission
from clipnb.interrogate.modes.pooled import PooledMode
from clipnb.interrogate.modes.simple import KaggleMode
from clipnb.interrogate.resources import Resources
from clipnb.interrogate.result import Interrogation
from clipnb.interrogate.settings import require_count
from clipnb.progress import log, progress_bar

__all__ = ["execute", "find_pictures", "image_ids", "write_submission"]

_PROMPTS, _EMBEDDINGS, _POOLED = "clip-interrogator", "clip-interrogator-embedding", "clip-interrogator-pooled"
_FLAVORS = 3
_NAMED_AT_MOST = 10  # images named in a warning

Embeddings = NDArray[np.float32]


@overload
def execute(
    model: Literal["clip-interrogator"],
    data_path: str | Path | None = ...,
    extend_path: str | Path | Mapping[str, Any] | None = ...,
    model_path: str | Path | None = ...,
    model_extend_path: str | Path | None = ...,
    batch_size: int = ...,
    max_flavors: int = ...,
    num_beams: int = ...,
) -> list[str]: ...


@overload
def execute(
    model: Literal["clip-interrogator-embedding", "clip-interrogator-pooled"] = ...,
    data_path: str | Path | None = ...,
    extend_path: str | Path | Mapping[str, Any] | None = ...,
    model_path: str | Path | None = ...,
    model_extend_path: str | Path | None = ...,
    batch_size: int = ...,
    max_flavors: int = ...,
    num_beams: int = ...,
) -> Embeddings: ...


def execute(
    model: str = _EMBEDDINGS,
    data_path: str | Path | None = None,
    extend_path: str | Path | Mapping[str, Any] | None = None,
    model_path: str | Path | None = None,
    model_extend_path: str | Path | None = None,
    batch_size: int = 16,
    max_flavors: int = _FLAVORS,
    num_beams: int = 1,
) -> list[str] | Embeddings:
    """Compute what a submission consists of for every image of a folder: prompts, or their embeddings.

    A prompt is `CAPTION, MEDIUM, MOVEMENT, FLAVORS`, cut at whole phrases to fit the encoder. Embeddings are those of
    the prompts, or (mode `pooled`) of many candidates, which come nearer to the true ones. Models and lists come from
    the local folders that the configuration names; nothing is downloaded. An image that cannot be read does not end
    the run: a warning names it, its prompt is "", and its embedding is the mean of all others, which is the best guess
    by cosine similarity.

    Args:
        model: "clip-interrogator-pooled" for pooled embeddings, "clip-interrogator-embedding" for those of prompts,
            "clip-interrogator" for prompts.
        data_path: folder with the images, in its folder `images` if it has one.
        extend_path: JSON file of the configuration (`KaggleConfig` has its keys), or its content.
        model_path: not used by these models; the configuration says where models are.
        model_extend_path: not used either.
        batch_size: images per batch.
        max_flavors: number of flavors per prompt; not for "clip-interrogator-pooled".
        num_beams: beams that the captioner searches with; more than 1 where the configuration names one.

    Returns:
        For N images in the order of `image_ids(data_path)`: float32 [N, 384], unit length; or N prompts.

    Raises:
        KaggleError: the model is unknown, or a key of the configuration is missing, unknown, names no path, or does
            nothing with this model.
        ImageError: there are no images, or none of them can be read.
        SubmissionError: two images have the same id.
        SettingsError: a number is out of range.
    """
    known = (_EMBEDDINGS, _POOLED, _PROMPTS)
    if model not in known:
        raise KaggleError(f"there is no model {model!r}; use {nearest(str(model), known)}")
    for name, value in (("model_path", model_path), ("model_extend_path", model_extend_path)):
        if value is not None:
            log.warning("%s is not used by %s: the configuration's keys say where models are", name, model)
    if model == _POOLED and max_flavors != _FLAVORS:
        raise KaggleError(f"max_flavors does nothing with {model}, which pools more than flavors; leave it out")
    require_count("batch_size", batch_size, least=1)
    require_count("max_flavors", max_flavors, least=0)
    require_count("num_beams", num_beams, least=1)
    config = read_config(extend_path)
    _refuse_idle(config, model, num_beams)
    images = find_pictures(data_path)
    sentences = None if model == _PROMPTS else config.sentence_encoder()  # a mistake shows before the long work
    settings = config.settings()
    if model == _POOLED:
        mode, count = PooledMode.name, None
    else:
        settings = settings.changed(styles=True)
        mode, count = KaggleMode.name, max_flavors
    encoder = config.encoder()
    interrogator = Interrogator(
        encoder,
        captioner=config.captioner(encoder.device, num_beams=num_beams, batch_size=batch_size),
        labels=config.labels(),
        settings=settings,
    )
    interrogator.resources = Resources(encoder, settings, sentences)
    if model == _POOLED:
        with naming("collection"):
            interrogator.resources.collection  # noqa: B018 - opened here, so that a mistake in it shows now
    results = _interrogate(interrogator, images, mode, count, batch_size)
    found = [one for one in results if one is not None]
    if not found:
        raise ImageError(f"none of the {len(images)} pictures in {images[0].parent} can be read")
    if sentences is None:
        return [one.prompt if one else "" for one in results]
    if model == _POOLED:
        embeddings: Embeddings = np.asarray([one.embedding for one in found], dtype=np.float32)
    else:
        embeddings = sentences.embed([one.prompt for one in found]).numpy()
    return _with_guesses(embeddings, [one is not None for one in results])


def _refuse_idle(config: KaggleConfig, model: str, num_beams: int) -> None:
    """Raise `KaggleError` for keys and numbers that would do nothing."""
    if num_beams > 1 and config.blip_path is None:
        raise KaggleError("num_beams is of the captioner, and the configuration names none by blip_path; leave it out")
    if model != _POOLED and config.collection is not None:
        raise KaggleError(f"collection does nothing with {model}; leave the key out, or use {_POOLED}")
    if config.collection is None and "collection_column" in config.model_fields_set:
        raise KaggleError("collection_column belongs to collection; name that, or leave the key out")


def find_pictures(data_path: str | Path | None) -> list[Path]:
    """Return the images of a competition's folder, sorted by id.

    Args:
        data_path: the folder; if it has a folder `images`, that one is searched.

    Raises:
        ImageError: there is no such folder, or no image in it.
        SubmissionError: two images have the same id.
    """
    if data_path is None:
        raise ImageError("data_path is missing: name the folder with the pictures")
    top = expanded(data_path)
    folder = top / "images" if (top / "images").is_dir() else top
    if not folder.is_dir():
        raise ImageError(f"data_path: there is no folder {folder}")
    try:
        # Kinds that cannot be read take part too: a submission needs their rows.
        found = sorted((path for path in folder.iterdir() if path.is_file() and kind_of(str(path))), key=image_id)
    except OSError as error:
        raise ImageError(f"data_path: cannot read the folder {folder}: {reason(error)}") from error
    if not found:
        raise ImageError(f"data_path: {folder} holds no pictures")
    refuse_doubles([image_id(path) for path in found])
    return found


def image_ids(data_path: str | Path) -> list[str]:
    """Return the ids of a folder's images, in the order of what `execute` returns; see `find_pictures`."""
    return [image_id(path) for path in find_pictures(data_path)]


def _interrogate(
    interrogator: Interrogator, images: Sequence[Path], mode: str, max_flavors: int | None, batch_size: int
) -> list[Interrogation | None]:
    """Return the result of each image; None where it cannot be read, which a warning says."""
    described = interrogator.interrogate_many(
        images, mode, max_flavors=max_flavors, batch_size=batch_size, reasons=False
    )
    results: list[Interrogation | None] = []
    unread: list[str] = []
    with progress_bar("interrogating", "picture") as report:
        for path, result in zip(images, described, strict=True):
            if isinstance(result, Interrogation):
                results.append(result)
            else:
                results.append(None)
                unread.append(f"{path.name} ({result})")
            report(len(results), len(images))
    if unread:
        log.warning(
            "%d of %d pictures cannot be read; their prompts are empty and their embeddings the mean of the others: %s",
            len(unread),
            len(images),
            listed(unread, _NAMED_AT_MOST, "; "),
        )
    return results


def _with_guesses(embeddings: Embeddings, read: Sequence[bool]) -> Embeddings:
    """Fill in the mean embedding, of unit length, for images that could not be read."""
    mean = embeddings.mean(0)
    whole = np.tile(mean / np.linalg.norm(mean), (len(read), 1)).astype(np.float32)
    whole[np.flatnonzero(read)] = embeddings
    return whole
