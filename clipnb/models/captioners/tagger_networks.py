"""What runs a tagger: timm with safetensors, or onnxruntime where there is only an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from clipnb.errors import ModelUnavailableError, listed, quoted
from clipnb.models.checks.safety import read_json
from clipnb.models.device import resolve_precision

MOST_SIDE = 2048
"""Pixels of a side of the pictures that a network takes."""


def load_network(folder: Path, tags: int, device: torch.device) -> TimmNetwork | OnnxNetwork:
    """Load what a folder holds: `model.safetensors` with timm's `config.json`, else `model.onnx`.

    Raises:
        ModelUnavailableError: it holds neither, or what it holds does not fit the tags.
    """
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    if isinstance(config, dict) and "architecture" in config:
        weights = folder / "model.safetensors"
        if weights.is_file():
            return TimmNetwork(config, weights, tags, device)
    model = folder / "model.onnx"
    if model.is_file():
        return OnnxNetwork(model, tags, device)
    raise ModelUnavailableError(
        f"{folder} holds tags but no network: neither model.safetensors with timm's config.json nor model.onnx"
    )


class TimmNetwork:
    """A network of timm whose outputs are logits."""

    def __init__(self, config: dict[str, Any], weights: Path, tags: int, device: torch.device) -> None:
        import timm
        from safetensors.torch import load_file

        architecture, arguments = config["architecture"], config.get("model_args") or {}
        if not isinstance(architecture, str) or not timm.is_model(architecture):
            raise ModelUnavailableError(f"timm knows no architecture {quoted(architecture)}; a newer timm may")
        shape = config.get("pretrained_cfg") or {}
        self.side = _side(shape.get("input_size", [3, 448, 448])[-1])
        network = timm.create_model(architecture, pretrained=False, num_classes=tags, **arguments)
        network.load_state_dict(load_file(weights))
        self._dtype = resolve_precision("auto", device)
        self._network = network.eval().requires_grad_(False).to(device, self._dtype)
        self._mean, self._std = (torch.tensor(shape.get(name, [0.5] * 3)).view(1, 3, 1, 1) for name in ("mean", "std"))
        self._device = device

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return float32 [B, tags] in [0, 1] for uint8 [B, side, side, 3], RGB."""
        # These networks were trained on pictures as OpenCV reads them: blue first.
        planes = (pixels.flip(-1).permute(0, 3, 1, 2) / 255 - self._mean) / self._std
        logits: Tensor = self._network(planes.to(self._device, self._dtype))
        return logits.float().sigmoid()

    def move(self, device: torch.device) -> None:
        self._network.to(device)
        self._device = device


class OnnxNetwork:
    """A network of onnxruntime whose outputs are probabilities."""

    def __init__(self, path: Path, tags: int, device: torch.device) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise ModelUnavailableError(
                "it has nothing but an ONNX network, which needs onnxruntime: pip install onnxruntime "
                "(onnxruntime-gpu with CUDA); the taggers of version 3 need nothing, such as wd14-vit"
            ) from None
        self._runtime, self._path = onnxruntime, str(path)
        self.move(device)
        (given,), made = self._session.get_inputs(), self._session.get_outputs()
        if len(given.shape) != 4 or given.shape[-1] != 3 or made[0].shape[-1] not in (tags, None):
            raise ModelUnavailableError(
                f"its network takes {listed([str(size) for size in given.shape])} and gives "
                f"{listed([str(size) for size in made[0].shape])}; WD14's form is [pictures, side, side, 3] and "
                f"[pictures, {tags}]"
            )
        self.side = _side(given.shape[1])
        self._input, self._most = given.name, given.shape[0] if isinstance(given.shape[0], int) else None

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return float32 [B, tags] in [0, 1] for uint8 [B, side, side, 3], RGB."""
        blue_first = pixels.flip(-1).float()
        parts = torch.split(blue_first, self._most or len(blue_first))
        return torch.cat([torch.from_numpy(self._session.run(None, {self._input: part.numpy()})[0]) for part in parts])

    def move(self, device: torch.device) -> None:
        there = self._runtime.get_available_providers()
        wanted = ["CUDAExecutionProvider"] if device.type == "cuda" else []
        options = self._runtime.SessionOptions()
        options.log_severity_level = 3  # errors
        providers = [one for one in (*wanted, "CPUExecutionProvider") if one in there]
        self._session = self._runtime.InferenceSession(self._path, options, providers=providers)


def _side(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_SIDE:
        raise ModelUnavailableError(
            f"its network takes pictures of {quoted(value)} pixels; 1 to {MOST_SIDE} are possible"
        )
    return value
