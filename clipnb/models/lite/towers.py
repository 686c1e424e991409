"""The towers of `lite` in plain torch: the libraries that they come from take several seconds to import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_STEM, _HEAD, _CLASSES = 32, 1280, 1000
# Of each stage: channels, blocks, side of the kernels, stride of the first block, widening inside a block.
_STAGES = (
    *((16, 1, 3, 1, 1), (24, 2, 3, 2, 6), (40, 2, 5, 2, 6), (80, 3, 3, 2, 6)),
    *((112, 3, 5, 1, 6), (192, 4, 5, 2, 6), (320, 1, 3, 1, 6)),
)
_EPSILON = 1e-3  # of the batch normalisations


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite with its batch normalisations folded into the convolutions, in timm's names.

    From [B, 3, S, S], normalised with mean and standard deviation .5, to 1000 logits.
    """

    def __init__(self, width: float = 1.0, depth: float = 1.0) -> None:
        """Make the smallest, or one with so many times its channels (in eights), and blocks in the stages between."""
        super().__init__()
        self.conv_stem = _Convolution(3, _STEM, 3, stride=2)
        stages, inside = [], _STEM
        for place, (narrow, few, kernel, stride, widening) in enumerate(_STAGES):
            channels = int(narrow * width + 4) // 8 * 8
            count = few if place in (0, len(_STAGES) - 1) else ceil(few * depth)
            blocks = [_Block(inside, channels, kernel, stride, widening)]
            blocks += [_Block(channels, channels, kernel, 1, widening) for _ in range(count - 1)]
            stages.append(nn.Sequential(*blocks))
            inside = channels
        self.blocks = nn.Sequential(*stages)
        self.conv_head = _Convolution(inside, _HEAD)
        self.classifier = nn.Linear(_HEAD, _CLASSES)

    def forward(self, pixels: Tensor) -> Tensor:
        seen = self.blocks(F.relu6(self.conv_stem(pixels), inplace=True))
        logits: Tensor = self.classifier(F.relu6(self.conv_head(seen), inplace=True).mean((2, 3)))
        return logits

    def take(self, stored: Iterable[Tensor]) -> None:
        """Take weights in the original's order: of each convolution with those of its batch normalisation.

        Folded in float64, so that every machine gets the same weights, and the same digest of them.
        """
        from torch.nn.utils.fusion import fuse_conv_bn_weights

        values = iter([value for value in stored if value.ndim])  # the others count batches
        for layer in self.modules():
            if isinstance(layer, _Convolution):
                kernels, scale, shift, mean, variance = (next(values).double() for _ in range(5))
                layer.weight, layer.bias = fuse_conv_bn_weights(kernels, None, mean, variance, _EPSILON, scale, shift)
        self.classifier.weight, self.classifier.bias = nn.Parameter(next(values)), nn.Parameter(next(values))
        self.float()


class _Convolution(nn.Conv2d):
    """A convolution whose output has the input's size divided by the stride, padded as TensorFlow does it."""

    def __init__(self, inside: int, outside: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(inside, outside, kernel, stride, kernel // 2 if stride == 1 else 0, groups=groups)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        side, stride = self.kernel_size[0], self.stride[0]
        if stride > 1:
            lacking = [max((-(-size // stride) - 1) * stride + side - size, 0) for size in input.shape[:1:-1]]
            input = F.pad(input, [part for more in lacking for part in (more // 2, more - more // 2)])  # noqa: A001
        return super().forward(input)


class _Block(nn.ModuleDict):
    """Convolutions over channels and over places by turns; what comes in is added where the shapes agree."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, widening: int) -> None:
        wide = inside * widening
        depthwise = {"conv_dw": _Convolution(wide, wide, kernel, stride, wide)}
        if widening == 1:
            layers = depthwise | {"conv_pw": _Convolution(wide, outside)}
        else:
            layers = {"conv_pw": _Convolution(inside, wide)} | depthwise | {"conv_pwl": _Convolution(wide, outside)}
        super().__init__(layers)
        self.is_residual = inside == outside and stride == 1

    def forward(self, seen: Tensor) -> Tensor:
        *first, last = self.values()
        made: Tensor = seen
        for layer in first:
            made = F.relu6(layer(made), inplace=True)
        made = last(made)
        return seen + made if self.is_residual else made


class States(NamedTuple):
    """What a text tower returns, as transformers calls it: float [n, l, D]."""

    last_hidden_state: Tensor


class Bert(nn.Module):
    """A BERT without its pooling layer, in transformers' names; `config` as its config.json has it."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = SimpleNamespace(**config)
        width, epsilon = self.config.hidden_size, self.config.layer_norm_eps
        sizes = {"word": "vocab_size", "position": "max_position_embeddings", "token_type": "type_vocab_size"}
        # Not drawn by chance: on no device at all, torch would import its compiler for that, which takes a second.
        table_of: Any = nn.Embedding.from_pretrained
        empty = {of: table_of(torch.empty(config[size], width)) for of, size in sizes.items()}
        tables: dict[str, nn.Module] = {f"{of}_embeddings": table for of, table in empty.items()}
        self.embeddings: Any = nn.ModuleDict({**tables, "LayerNorm": nn.LayerNorm(width, epsilon)})
        layers = [
            _Layer(width, self.config.intermediate_size, self.config.num_attention_heads, epsilon)
            for _ in range(self.config.num_hidden_layers)
        ]
        self.encoder: Any = nn.ModuleDict({"layer": nn.ModuleList(layers)})

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> States:
        """Read tokens int64 [n, l]; where the mask is 0 they are padding."""
        part = self.embeddings
        states = part["word_embeddings"](input_ids) + part["token_type_embeddings"].weight[0]
        states = part["LayerNorm"](states + part["position_embeddings"].weight[: input_ids.shape[1]])
        seen = attention_mask.bool()[:, None, None]
        for layer in self.encoder["layer"]:
            states = layer(states, seen)
        return States(states)


class _Layer(nn.ModuleDict):
    def __init__(self, width: int, wide: int, heads: int, epsilon: float) -> None:
        linear = {name: nn.Linear(width, width) for name in ("query", "key", "value")}
        output = nn.ModuleDict({"dense": nn.Linear(width, width), "LayerNorm": nn.LayerNorm(width, epsilon)})
        super().__init__(
            {
                "attention": nn.ModuleDict({"self": nn.ModuleDict(linear), "output": output}),
                "intermediate": nn.ModuleDict({"dense": nn.Linear(width, wide)}),
                "output": nn.ModuleDict({"dense": nn.Linear(wide, width), "LayerNorm": nn.LayerNorm(width, epsilon)}),
            }
        )
        self.heads = heads

    def forward(self, states: Tensor, seen: Tensor) -> Tensor:
        attention: Any = self["attention"]
        parts = (of(states).unflatten(-1, (self.heads, -1)).transpose(1, 2) for of in attention["self"].values())
        query, key, value = parts
        mixed = F.scaled_dot_product_attention(query, key, value, seen).transpose(1, 2).flatten(-2)
        states = _added(attention["output"], mixed, states)
        return _added(self["output"], F.gelu(self["intermediate"]["dense"](states)), states)  # type: ignore[index]


def _added(output: Any, made: Tensor, before: Tensor) -> Tensor:
    result: Tensor = output["LayerNorm"](output["dense"](made) + before)
    return result


class WordPieces:
    """The tokeniser of a BERT, called as those of transformers are; safe in threads.

    Attributes:
        pad_token_id: what shorter texts are filled up with.
    """

    pad_token_id = 0

    def __init__(self, path: Path) -> None:
        """Read a tokenizer.json, whose own cutting and padding are left out."""
        from tokenizers import Tokenizer

        self._pieces = Tokenizer.from_file(str(path))
        self._pieces.no_truncation()
        self._pieces.no_padding()

    def __call__(self, texts: Sequence[str], *, max_length: int) -> dict[str, Tensor]:
        """Return `input_ids` and `attention_mask`, int64 [N, l]; longer texts lose what stands before the end token."""
        found = [one.ids for one in self._pieces.encode_batch_fast(list(texts))]
        rows = [torch.tensor(ids if len(ids) <= max_length else [*ids[: max_length - 1], ids[-1]]) for ids in found]
        tokens = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.pad_token_id)
        mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
        return {"input_ids": tokens, "attention_mask": mask}

    def length(self, text: str) -> int:
        """Return the number of tokens of a text, begin and end included."""
        return len(self._pieces.encode(text))
