from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from clipnb.errors import ClipnbError, ConfigError
from clipnb.images import save_image
from clipnb.models.encoder import DualEncoder
from clipnb.models.first_stages import first_stages
from clipnb.optimise.engine import Optimisation
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.step import Step
from tests.optimise.conftest import PlainEncoder, experiment


class Staged(PlainEncoder):
    """Has a tower of four convolutions whose weights are seeded."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(*(nn.Conv2d(3 if n == 0 else 6, 6, 3, stride=2, padding=1) for n in range(4)))
        generator = torch.Generator().manual_seed(1)
        for parameter in self.tower.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
            parameter.requires_grad_(False)

    def _image_features(self, normalised: Tensor) -> Tensor:
        self.tower(normalised)
        return super()._image_features(normalised)


@pytest.fixture(autouse=True)
def _photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    x = torch.linspace(0, 1, 24)
    save_image(
        torch.stack((x.expand(16, 24), (x[:16, None] * 9).sin().expand(16, 24) / 2 + 0.5, 1 - x.expand(16, 24))),
        Path("photograph.png"),
    )


def run(constraint: dict[str, Any], encoder: DualEncoder | None = None, **changes: Any) -> tuple[Step, Step]:
    target = {"constraints": [constraint], **changes.pop("target", {})}
    config = experiment(epochs=40, resolution=[24, 16], targets=[target], learnrate=2, **changes)
    first, *_, last = Optimisation(config, encoder or Staged()).steps()
    return first, last


BOTH = [("like", by) for by in ("pixels", "edges", "features")] + [("style", by) for by in ("features", "colours")]


@pytest.mark.parametrize(("name", "by"), BOTH)
@pytest.mark.parametrize("loss", ["l1", "l2"])
def test_the_picture_comes_nearer_and_may_be_weighed_by_an_expression(name: str, by: str, loss: str) -> None:
    first, last = run({name: {"image": "photograph.png", "by": by, "loss": loss, "weight": "1 + t"}})
    assert last.loss < (1.4 if by == "features" else 0.9) * first.loss
    (told,) = [line for line in last.statistics.in_words(most=9) if name in line]
    assert "photograph.png" in told


@pytest.mark.parametrize(("name", "by"), BOTH)
def test_the_picture_itself_is_at_no_distance(name: str, by: str) -> None:
    first, _ = run({name: {"image": "photograph.png", "by": by}}, init={"image": "photograph.png"})
    assert first.loss == pytest.approx(0, abs=1e-6)


def test_a_like_picture_lies_where_the_other_one_has_it() -> None:
    from clipnb.images import open_image, to_tensor

    photograph = to_tensor(open_image("photograph.png"))
    target = {"region": "0 0 .5 1", "features": ["a"], "transforms": [{"random_rotate": [-90, 90]}], "weight": 1}
    changes = {"init": {"std": 0.01}, "target": target}
    _, last = run({"like": {"image": "photograph.png", "weight": 100}}, **changes)
    difference = (last.image - photograph).abs().mean(0)
    assert float(difference[:, :12].mean()) < 0.05
    assert float(difference[:, 12:].mean()) > 0.1


def test_colours_are_taken_whatever_their_place() -> None:
    from clipnb.images import open_image, to_tensor

    photograph = to_tensor(open_image("photograph.png"))
    _, last = run({"style": {"image": "photograph.png", "by": "colours", "weight": 5}}, init={"std": 0.3})
    for mine, other in zip(last.image, photograph, strict=True):
        assert (mine.flatten().sort().values - other.flatten().sort().values).abs().mean() < 0.05


def test_an_encoder_without_stages_is_told() -> None:
    with pytest.raises(ConfigError, match="style: the stages of plain are not known"):
        run({"style": "photograph.png"}, PlainEncoder())


def test_other_pictures_are_found_beside_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "experiments"
    folder.mkdir()
    Path("photograph.png").rename(folder / "here.png")
    (folder / "a.yaml").write_text(
        "targets:\n- constraints:\n  - style: here.png\n  - like: {image: here.png, by: edges}\n  - blur: 3\n"
    )
    constraints = ExperimentConfig.from_files(folder / "a.yaml").targets[0].constraints
    assert [getattr(one, "image", None) for one in constraints] == [str(folder / "here.png")] * 2 + [None]
    (folder / "a.yaml").write_text("targets:\n- constraints:\n  - like: gone.png\n")
    with pytest.raises(ConfigError, match=r"line 3: targets\[0\]\.constraints\[0\]\.like: there is no picture"):
        ExperimentConfig.from_files(folder / "a.yaml")
    with pytest.raises(ClipnbError):
        run({"like": "gone.png"})


def test_first_stages_are_those_of_the_whole_pass_and_nothing_after_them_is_computed() -> None:
    encoder = Staged()
    pixels = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(1), requires_grad=True)
    found = first_stages(encoder, pixels)
    assert [tuple(stage.shape) for stage in found] == [(6, 64), (6, 16), (6, 4), (6, 1)]
    assert encoder.batches == []
    found[-1].sum().backward()
    assert pixels.grad is not None
    assert float(pixels.grad.abs().sum()) > 0
    encoder.encode_image(pixels)
    assert encoder.batches == [1]


def test_clip_models_show_their_first_stages(tiny: DualEncoder) -> None:
    found = first_stages(tiny, torch.rand(1, 3, 32, 32))
    assert found
    assert all(stage.ndim == 2 and stage.isfinite().all() for stage in found)


def test_an_encoder_that_only_measures_is_named_among_the_models() -> None:
    target = {"constraints": [{"style": "photograph.png"}]}
    assert Optimisation(experiment(targets=[target]), Staged()).models() == {"plain": "digest of plain"}
    target = {"constraints": [{"style": {"image": "photograph.png", "by": "colours"}}]}
    assert Optimisation(experiment(targets=[target]), Staged()).models() == {}
