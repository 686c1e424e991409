"""From a folder of images to what Kaggle's competition Stable Diffusion - Image to Prompts asks for, all local."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from clipnb.errors import ImageError, listed, nearest, reason
from clipnb.files import expanded
from clipnb.images import is_named_like_an_image
from clipnb.interrogate.interrogator import Interrogator
from clipnb.interrogate.kaggle.config import KaggleConfig, KaggleError, read_config
from clipnb.interrogate.kaggle.submission import image_id, refuse_doubles, write_submission
from clipnb.interrogate.modes.simple import KaggleMode
from clipnb.interrogate.result import Interrogation
from clipnb.interrogate.settings import Settings, require_count
from clipnb.progress import log, progress_bar

__all__ = ["execute", "find_pictures", "image_ids", "write_submission"]

_PROMPTS, _EMBEDDINGS = "clip-interrogator", "clip-interrogator-embedding"
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
    model: Literal["clip-interrogator-embedding"] = ...,
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
    max_flavors: int = 3,
    num_beams: int = 1,
) -> list[str] | Embeddings:
    """Compute what a submission consists of for every image of a folder: prompts, or their embeddings.

    A prompt is `CAPTION, MEDIUM, MOVEMENT, FLAVORS`, cut at whole phrases to fit the encoder. Models and lists come
    from the local folders that the configuration names; nothing is downloaded. An image that cannot be read does not
    end the run: a warning names it, its prompt is "", and its embedding is the mean of all others, which is the best
    guess by cosine similarity.

    Args:
        model: "clip-interrogator-embedding" for embeddings, "clip-interrogator" for prompts.
        data_path: folder with the images, in its folder `images` if it has one.
        extend_path: JSON file of the configuration (`KaggleConfig` has its keys), or its content.
        model_path: not used by these two models; the configuration says where models are.
        model_extend_path: not used either.
        batch_size: images per batch.
        max_flavors: number of flavors per prompt.
        num_beams: beams that the captioner searches with.

    Returns:
        For N images in the order of `image_ids(data_path)`: float32 [N, 384], unit length; or N prompts.

    Raises:
        KaggleError: the model is unknown, or a key of the configuration is missing, unknown or names no path.
        ImageError: there are no images, or none of them can be read.
        SubmissionError: two images have the same id.
        SettingsError: a number is out of range.
    """
    if model not in (_PROMPTS, _EMBEDDINGS):
        raise KaggleError(f"there is no model {model!r}; use {nearest(str(model), (_EMBEDDINGS, _PROMPTS))}")
    for name, value in (("model_path", model_path), ("model_extend_path", model_extend_path)):
        if value is not None:
            log.warning("%s is not used by %s: the configuration's keys say where models are", name, model)
    require_count("batch_size", batch_size, least=1)
    require_count("max_flavors", max_flavors, least=0)
    require_count("num_beams", num_beams, least=1)
    config = read_config(extend_path)
    images = find_pictures(data_path)
    sentences = config.sentence_encoder() if model == _EMBEDDINGS else None  # a mistake shows before the long work
    prompts = _interrogate(config, images, batch_size, max_flavors, num_beams)
    read = [prompt is not None for prompt in prompts]
    if not any(read):
        raise ImageError(f"none of the {len(images)} pictures in {images[0].parent} can be read")
    if sentences is None:
        return [prompt or "" for prompt in prompts]
    embeddings: Embeddings = sentences.embed([prompt for prompt in prompts if prompt is not None]).numpy()
    return _with_guesses(embeddings, read)


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
        found = sorted((p for p in folder.iterdir() if is_named_like_an_image(p.name) and p.is_file()), key=image_id)
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
    config: KaggleConfig, images: Sequence[Path], batch_size: int, max_flavors: int, num_beams: int
) -> list[str | None]:
    """Return the prompt of each image; None where it cannot be read, which a warning says."""
    encoder = config.encoder()
    interrogator = Interrogator(
        encoder,
        captioner=config.captioner(encoder.device, num_beams=num_beams, batch_size=batch_size),
        labels=config.labels(),
        settings=Settings(chunk_size=config.chunk_size, styles=True),
    )
    results = interrogator.interrogate_many(
        images, KaggleMode.name, max_flavors=max_flavors, batch_size=batch_size, reasons=False
    )
    prompts: list[str | None] = []
    unread: list[str] = []
    with progress_bar("interrogating", "picture") as report:
        for path, result in zip(images, results, strict=True):
            if isinstance(result, Interrogation):
                prompts.append(result.prompt)
            else:
                prompts.append(None)
                unread.append(f"{path.name} ({result})")
            report(len(prompts), len(images))
    if unread:
        log.warning(
            "%d of %d pictures cannot be read; their prompts are empty and their embeddings the mean of the others: %s",
            len(unread),
            len(images),
            listed(unread, _NAMED_AT_MOST, "; "),
        )
    return prompts


def _with_guesses(embeddings: Embeddings, read: Sequence[bool]) -> Embeddings:
    """Fill in the mean embedding, of unit length, for images that could not be read."""
    mean = embeddings.mean(0)
    whole = np.tile(mean / np.linalg.norm(mean), (len(read), 1)).astype(np.float32)
    whole[np.flatnonzero(read)] = embeddings
    return whole
