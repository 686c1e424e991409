"""Encoders that only look at a picture while it is made."""

from __future__ import annotations

from collections.abc import Iterable, Set
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor

from clipnb.errors import ConfigError
from clipnb.models.encoder import DualEncoder
from clipnb.models.load import load_model
from clipnb.optimise.composition.masks import Masks
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.target_encoders import TargetEmbeddings
from clipnb.optimise.verdict import LATE, Look, Verdict, after


class Judges:
    """The judges of a run: no gradient, no random draws, and so the same pictures as without them."""

    def __init__(self, guides: TargetEmbeddings, device: torch.device) -> None:
        """Load nothing yet; `guides` has the embeddings of the experiment's targets."""
        self._guides, self._device = guides, device
        self._judges: dict[str, DualEncoder] = {}
        self._wanted: dict[tuple[str, str], Tensor] = {}
        self._texts: dict[str, list[_Sought]] = {}
        self._last: dict[tuple[str, str], Look] = {}
        self._config = ExperimentConfig()

    def prepare(self, config: ExperimentConfig) -> None:
        """Load the judges of an experiment, whose targets are embedded; what is new about it.

        Raises:
            ConfigError: a judge takes part, or there is no text to judge by.
            ClipnbError: a judge cannot be loaded.
        """
        judges = {name: load_model(name, str(self._device)) for name in config.judge.models}
        texts: dict[str, list[_Sought]] = {}
        for number, target in enumerate(config.targets) if judges else ():
            for encoder in self._guides.encoders_of(config, target) if target.active else ():
                for judge in judges.values():
                    _require_apart(judge, encoder)
                for feature, embedding in zip(target.features, self._guides.of(encoder, target), strict=True):
                    if feature.text is not None and feature.weight != 0:
                        texts.setdefault(feature.text, []).append(_Sought(number, encoder, embedding))
        if judges and not texts:
            raise ConfigError("judge: there is no text in the targets that a picture could be judged by; leave it out")
        for judge in judges.values():
            new = [text for text in texts if (judge.name, text) not in self._wanted]
            if new:
                self._wanted.update(zip([(judge.name, text) for text in new], judge.encode_text(new), strict=True))
        self._judges, self._texts, self._config = judges, texts, config
        self.remember(self.looks())

    def looks(self) -> tuple[Look, ...]:
        """Return the last look of each judge at each text, by which the next ones are judged."""
        return tuple(self._last.values())

    def remember(self, looks: Iterable[Look]) -> None:
        """Go on from what `looks` returned; what the experiment does not ask for is left out."""
        known = {(judge.name, text) for judge in self._judges.values() for text in self._texts}
        self._last = {key: look for look in looks if (key := (look.judge, look.text)) in known}

    def is_due(self, index: int, total: int) -> bool:
        """Whether judges look after the step of that number."""
        return bool(self._judges) and (index % self._config.judge.every == 0 or index + 1 >= total)

    @torch.no_grad()
    def look(self, image: Tensor, index: int, total: int, counting: Set[tuple[int, str]], masks: Masks) -> Verdict:
        """Let all judges look at an image, float [3, H, W] in [0, 1], after the step of a number, of a total.

        They look at all of it, or where a text's target counts; for the texts that count in this step, which are named
        with the numbers of their targets.
        """
        is_late = index >= min(total // 2, LATE)
        size = (image.shape[-2], image.shape[-1])
        seen: dict[tuple[str, object], Tensor] = {}

        def similarity(encoder: DualEncoder, number: int, wanted: Tensor) -> float:
            key = encoder.name, self._config.targets[number].region
            if key not in seen:
                part = masks.part(self._config, number, size)
                seen[key] = encoder.encode_image((image if part is None else part.of(image))[None])[0]
            return 100 * float(seen[key] @ wanted)

        looks = []
        for text, sought in self._texts.items():
            places = [place for place in sought if (place.target, text) in counting]
            if not places:
                continue
            guide = fmean(similarity(place.guide, place.target, place.wanted) for place in places)
            for judge in self._judges.values():
                key = judge.name, text
                own = fmean(similarity(judge, place.target, self._wanted[key]) for place in places)
                self._last[key] = after(self._last.get(key), key, own, guide, is_late=is_late)
                looks.append(self._last[key])
        return Verdict(index, tuple(looks))


class _Sought(NamedTuple):
    """Where a text is looked for: the number of its target, an encoder that guides there, and its embedding there."""

    target: int
    guide: DualEncoder
    wanted: Tensor


def _require_apart(judge: DualEncoder, guide: DualEncoder) -> None:
    if judge is guide or judge.name == guide.name or judge.digest == guide.digest:
        raise ConfigError(
            f"judge: {judge.name} guides the picture itself, and a judge must take no part; name another encoder"
        )
