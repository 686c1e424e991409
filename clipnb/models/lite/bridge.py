"""The bridge of `lite`: what joins a classifier's view of a picture and a sentence into one space.

The 1000 class names of ImageNet are sentences too. Both sides become one vector of four parts:

1. classes: a picture is its 1000 logits, a text the softmax of its cosines with the class names; both centred.
   Gradients flow well here.
2. words: a picture is the mean of the names' embeddings over its likeliest classes, a text its own embedding.
   It ranks better, but alone its gradient vanishes (a saturated softmax).
3. colours: how much of a picture has which colour, and how much a text speaks of it.
4. commonness: what is near to many classes ("a bicycle" is, "gravel" is not) is near to any picture whatever it
   shows. Such hubs are lowered by their mean similarity with the nearest stand-ins for pictures, as in cross-domain
   similarity local scaling (Conneau et al., Word Translation Without Parallel Data, 2018).

The dot product is a weighted sum of three cosines less the commonness, times a constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

FORMULA = "1"
"""Part of the encoder's digest: count it up with any change here that changes embeddings."""
_LEVER = 0.3  # a picture's fixed coordinate that a text's commonness is multiplied with
_MOST = 0.6  # largest absolute coordinate of commonness; texts keep below it (seen: -.2 to .5)

# The eleven basic colour terms of Berlin and Kay (Basic Color Terms, 1969), each with a typical sRGB value.
COLOURS: dict[str, tuple[float, float, float]] = {
    "black": (0.0, 0.0, 0.0),
    "white": (1.0, 1.0, 1.0),
    "grey": (0.5, 0.5, 0.5),
    "red": (0.8, 0.1, 0.1),
    "orange": (0.95, 0.55, 0.1),
    "yellow": (0.95, 0.9, 0.2),
    "green": (0.2, 0.6, 0.2),
    "blue": (0.15, 0.3, 0.8),
    "purple": (0.5, 0.2, 0.6),
    "pink": (0.95, 0.6, 0.7),
    "brown": (0.45, 0.28, 0.15),
}
_CELLS = 28  # a side of the grid that colours are averaged over; finer than things, coarser than texture
_SOFTNESS = 0.03  # squared sRGB distance; small enough to tell red from orange, large enough for a gradient
_FULL = 6.0  # standard deviations at which a text counts as speaking of nothing but a colour


@dataclass(frozen=True)
class BridgeSettings:
    """How the two towers are joined.

    The values were chosen by measuring: on classes that the bridge was not told of (their classifier weights standing
    for pictures), on the photographs that tests/benchmarks/lite_zero_shot.py calls tuned, and on the twenty of
    ImageNet and forty of CIFAR that the package foolbox carries.

    Attributes:
        template: sentence that a class name is put into before it is embedded.
        text_temperature: of the softmax over a text's cosines with the class names.
        image_temperature: of the softmax over a picture's likeliest logits.
        top_classes: how many classes make up a picture's words.
        words_weight: share of the words' cosine, in [0, 1]; the rest is the classes'.
        colours_weight: what the colours' cosine is added with.
        commonness_weight: what a text's commonness is subtracted with.
        commonness_count: how many of the nearest stand-ins for pictures it is the mean over.
        stand_in_contrast: standard deviation of their logits; below that of pictures (1.2), which show more than one
            thing and none of them purely.
    """

    template: str = "a photo of a {}"
    text_temperature: float = 0.07
    image_temperature: float = 2.0
    top_classes: int = 20
    words_weight: float = 0.6
    colours_weight: float = 0.1
    commonness_weight: float = 0.6
    commonness_count: int = 20
    stand_in_contrast: float = 0.2


class Bridge:
    """Turns logits and sentence embeddings into vectors of one space."""

    def __init__(self, names: Tensor, colours: Tensor, classifier: Tensor, settings: BridgeSettings) -> None:
        """Prepare the bridge.

        Args:
            names: float32 [1000, d], sentence embeddings of the classes.
            colours: float32 [11, d], sentence embeddings of the names in `COLOURS`.
            classifier: [1000, f], the picture tower's last weights: a class's row stands for its pictures' features.
            settings: weights and temperatures.
        """
        self._settings = settings
        self._centre = names.mean(0)
        self.names = F.normalize(names - self._centre, dim=-1)
        self._colours = ColoursOfTexts(colours, self.names)
        weights = classifier.float()
        logits = _centred(weights @ weights.T)
        logits = logits / logits.std(-1, keepdim=True) * settings.stand_in_contrast
        self._stand_ins = self._seen(logits)
        self._usual = self._commonness(self._told(self.names)).mean()

    @property
    def dim(self) -> int:
        """Length of the joined vectors."""
        return int(self._stand_ins.shape[1] + len(self._colours(self.names[:1])[0]) + 2)

    @property
    def words(self) -> slice:
        """Where in a joined vector the words stand: for a text its own direction, up to its length."""
        return slice(len(self.names), len(self.names) + self.names.shape[1])

    def centred(self, sentences: Tensor) -> Tensor:
        """Remove from sentence embeddings [n, d] what all class names share; unit length."""
        return F.normalize(sentences - self._centre, dim=-1)

    def picture(self, logits: Tensor, pixels: Tensor) -> Tensor:
        """Join logits [B, 1000] and pixels [B, 3, S, S] in [0, 1]; float32 [B, dim], of one length, differentiable."""
        colours = colours_of_pictures(pixels) * self._settings.colours_weight**0.5
        fixed = torch.tensor([_LEVER, 0.0], device=logits.device).expand(len(logits), 2)
        return torch.cat([self._seen(logits), colours, fixed], dim=-1)

    def text(self, sentences: Tensor) -> Tensor:
        """Join what sentence embeddings [n, d] say; float32 [n, dim], of one length."""
        return self._joined(self.centred(sentences))

    def composed(self, beginning: Tensor, endings: Tensor, shares: Tensor) -> Tensor:
        """Estimate joined vectors of texts from those of their beginning [dim] and their endings [n, dim].

        MiniLM takes the mean over a text's words, so a text's own direction is near to the mean of its parts'.

        Args:
            beginning: a joined vector.
            endings: joined vectors.
            shares: float32 [n], the beginning's share of each text, in [0, 1].
        """
        parts = [F.normalize(one[..., self.words], dim=-1) for one in (beginning, endings)]
        shares = shares[:, None]
        return self._joined(F.normalize(shares * parts[0] + (1 - shares) * parts[1], dim=-1))

    def _joined(self, directions: Tensor) -> Tensor:
        settings = self._settings
        told = self._told(directions)
        colours = self._colours(directions) * settings.colours_weight**0.5
        excess = settings.commonness_weight * (self._commonness(told) - self._usual)
        lowered = (-excess / _LEVER).clamp(-_MOST, _MOST)[:, None]
        used = colours.square().sum(-1, keepdim=True) + lowered.square()
        # What is left goes where pictures have nothing: equal lengths keep normalising from undoing the weights.
        rest = (settings.colours_weight + _MOST**2 - used).clamp(min=0).sqrt()
        return torch.cat([told, colours, lowered, rest], dim=-1)

    def _seen(self, logits: Tensor) -> Tensor:
        top = logits.topk(self._settings.top_classes)
        shares = (top.values / self._settings.image_temperature).softmax(-1)
        words = torch.einsum("bk,bkd->bd", shares, self.names[top.indices])
        return self._weighed(logits, words)

    def _told(self, directions: Tensor) -> Tensor:
        classes = (directions @ self.names.T / self._settings.text_temperature).softmax(-1)
        return self._weighed(classes, directions)

    def _weighed(self, classes: Tensor, words: Tensor) -> Tensor:
        """Put [n, 1000] and [n, d] side by side so that the dot product weighs the two cosines."""
        share = self._settings.words_weight
        parts = [F.normalize(_centred(classes), dim=-1) * (1 - share) ** 0.5, F.normalize(words, dim=-1) * share**0.5]
        return torch.cat(parts, dim=-1)

    def _commonness(self, told: Tensor) -> Tensor:
        return (told @ self._stand_ins.T).topk(self._settings.commonness_count).values.mean(-1)


def colours_of_pictures(pixels: Tensor) -> Tensor:
    """Return what share of each picture [B, 3, S, S] is nearest to which colour; [B, 11], centred, unit length."""
    cells = F.adaptive_avg_pool2d(pixels.float(), _CELLS).flatten(2).transpose(1, 2)  # [B, cells, 3]
    typical = torch.tensor(list(COLOURS.values()), device=pixels.device)
    distances = (cells[:, :, None] - typical).square().sum(-1)
    shares = (-distances / _SOFTNESS).softmax(-1).mean(1)
    return F.normalize(shares - shares.mean(-1, keepdim=True), dim=-1)


class ColoursOfTexts:
    """How much a text speaks of each colour: its cosines with their names, against those of plain things.

    Without that comparison every text would be tinted by chance, and more things be lost than colours gained.
    """

    def __init__(self, colours: Tensor, things: Tensor) -> None:
        """Prepare from embeddings of the `COLOURS` [11, d] and centred unit ones of things of any colour [n, d]."""
        self._directions = F.normalize(colours - colours.mean(0), dim=-1)
        usual = things @ self._directions.T
        self._mean, self._deviation = usual.mean(0), usual.std(0)

    def __call__(self, texts: Tensor) -> Tensor:
        """Measure centred unit embeddings [n, d]; [n, 11], centred; longer the more a text speaks of colours, to 1."""
        scores = (texts @ self._directions.T - self._mean) / (self._deviation * _FULL)
        scores = scores - scores.mean(-1, keepdim=True)
        lengths: Tensor = torch.linalg.vector_norm(scores, dim=-1, keepdim=True)
        return scores / lengths.clamp(min=1)


def _centred(values: Tensor) -> Tensor:
    return values - values.mean(-1, keepdim=True)
