"""Every key and spelling of the experiment language is read, runs, and is written so that it is read again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from clipnb.images import save_image
from clipnb.models.encoder import DualEncoder
from clipnb.optimise.constraints import CONSTRAINTS
from clipnb.optimise.engine import Optimisation, optimise
from clipnb.optimise.language.config import ExperimentConfig
from clipnb.optimise.results import dump
from clipnb.optimise.transforms import TRANSFORMS
from tests.optimise.conftest import PlainEncoder

SMALL = {"epochs": 4, "resolution": 16, "seed": 1, "targets": [{"features": ["a"]}]}
TOP = {
    "values": [
        "resolution: 24 16",
        "resolution: 24, 16",
        "resolution: [24, 16]",
        "resolution: '8*3, 4*4'",
        "resolution: 12",
        "init: {mean: .5}",
        "init: {mean: .5 .4 .3, std: [.1, .1, .2]}",
    ],
    "expressions": [
        "learnrate: 1./5.",
        "learnrate: 31*ti",
        "learnrate: .5 if t < .4 else 1.",
        "learnrate: pow(t, 2)",
        "resolution: '{0: 8, 1: 16}.get(int(t*4), 20)'",
        "resolution: ['8 + 8 * (t > .5)', '[12, 16][epoch % 2]']",
        "learnrate: time + time2 + t3 + t4 + t5 + time_inverse + ti2 + ti3 + ti4 + ti5",
        "learnrate: time_step(0, .5) + ts(1., .5)",
        "learnrate: res[0] / width + resolution[1] / height",
        "learnrate: sin(pi * t) + sqrt(2) + max(.1, min(t, 1)) + abs(-1) + round(.6) + float(int(1.5))",
        "learnrate: random() + uniform(0, 1) + abs(gauss(0, .1)) + randint(0, 2) + choice([1, 2])",
        "learnrate: '1 if 0 < t <= .5 and not epoch == 3 or t in (0, 1) else 2 ** -1 // 1 + 3 % 2'",
        "learnrate: .5\nlearnrate_scale: 1 - .9 * t",
    ],
    "keys": [
        "epochs: 2*2",
        "start_epoch: 2",
        "interpolation: nearest\nresolution: 8 + 4 * (t > .5)",
        "interpolation: linear\nresolution: 8 + 4 * (t > .5)",
        "interpolation: cubic\nresolution: 8 + 4 * (t > .5)",
        "model: lite",
        "model: ViT-B/32",
        "device: cpu",
        *(f"optimizer: {name}" for name in ("adam", "sgd", "sparse_adam", "adadelta", "rmsprob", "rmsprop")),
        "snapshot_interval: 10",
        "snapshot_interval: 2.5",
        "snapshot_interval: 0",
        "output: ./there/",
        "verbose: 0",
        "seed: 7",
        "init: {resolution: 4, std: .2}",
        "init: {image: photograph.png}",
        "init: {image: photograph.png, mean: .1, std: .5}",
        "init: {image_tensor: [[[0, 1]], [[.5, .5]], [[1, 0]]]}",
        "pixels: rgb",
        "pixels: fourier",
        "pixels: {fourier: {decay: 1.5, step: 2}}",
        "pixels: pyramid",
        "pixels: {pyramid: {balance: .5}}",
        "targets: [{constraints: [tv]}]",
    ],
    "postproc": [
        "postproc:\n- blur: 3\n- noise: .01",
        "postproc:\n- border: {size: 2, color: 1 0 0}\n  active: false",
        "postproc:\n- border: {size: 2 1, color: 1 0 0, start: 50%, end: 3}",
        "postproc:\n- shift: 1 0\n  start: 1\n- clamp: 0 .9\n- saturation: 1 + t",
    ],
}
TARGETS = {
    "target": [
        "active: true",
        "name: something",
        "start: 1",
        "start: .25\nend: .75",
        "start: 10%\nend: 90%",
        "weight: .5",
        "weight: max(0, 1 - sim / 100) * lr * lrs",
        "batch_size: 3\ntransforms: [noise: .1]",
        "select: all",
        "select: best\nfeatures: [a, b]",
        "select: worst\nfeatures: [a, b]",
        "select: mix\nfeatures: [a, b]",
        "feature_scale: fair\nselect: best\nfeatures: [a, b, c]",
        "feature_scale: equal",
    ],
    "features": [
        "features:\n- text: a",
        "features:\n- image: photograph.png",
        "features:\n- text: a\n  weight: -.5\n- text: b\n  weight: 1 - similarity / 100",
        "select: best\nfeatures:\n- text: a\n  scale: 1.5\n- text: b\n  scale: 1 + sim / 100",
        *(f"features:\n- text: a\n  loss: {loss}" for loss in ("cosine", "l1", "mae", "l2", "mse")),
        "features:\n- text: a\n  start: 2\n- text: b\n  end: 50%",
    ],
    "transforms": [
        "transforms:\n- noise: .1",
        "transforms:\n- noise: {std: .1 .2 .1}",
        "transforms:\n- noise: .1\n  start: 1\n  end: 50%",
        "transforms:\n- random_rotate: -10 10",
        "transforms:\n- random_rotate:\n    degree: -10 10\n    center: .4 .6",
        "transforms:\n- random_shift: -1 1\n- random_shift: -1 1 -3 3\n- shift: .5 2",
        "transforms:\n- crop: .25 .25 .5 .5\n- crop: 1 1 4 4\n- pad: 2\n- pad: {size: 1 2, color: 1, mode: fill}",
        "transforms:\n- pad: {size: 2, mode: edge}\n- pad: {size: 2, mode: wrap}\n- resize: 12 10\n- center_crop: 8",
        "transforms:\n- blur: 2\n- blur: {kernel_size: 5 3, sigma: 1}\n- edge: {kernel_size: 3, amount: 2}",
        "transforms:\n- quantize: .25\n- contrast: '1 + t'\n- mean: .4 .5 .6\n- mul: random()\n- add: lr * .01",
        "transforms:\n- rnoise: {std: .1, resolution: width // 2}\n- fnoise: .01\n- bwnoise: .1",
        "transforms:\n- repeat: 2\n- random_crop: 16 8\n- cutouts: {count: 2, size: .3 .9, resolution: 8}",
        "transforms:\n- random_perspective: .3\n- random_erase: .1 .4\n- color_jitter: .1\n- random_flip: .5",
    ],
    "constraints": [
        *(f"constraints:\n- {name}: {{above: .6}}" for name in ("mean", "std", "saturation", "contrast", "edge_mean")),
        "constraints:\n- mean: {above: .2 .3 .4, below: .9, weight: sim, loss: l1, start: 1, end: 90%}",
        "constraints:\n- edge_mean: {below: .1, kernel_size: 5, sigma: 2}",
        "constraints:\n- blur: 5\n- blur: {kernel_size: 3, sigma: 1, loss: l2}",
        "constraints:\n- border: {size: 2, color: 0}\n- noise: .1\n- tv\n- tv: {weight: .1}",
        "constraints:\n- normalize\n- normalize: {min: .1, max: .9}",
        "features: []\nconstraints:\n- mean: {below: .3}",
    ],
}


@pytest.fixture(autouse=True)
def _photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_image(torch.rand(3, 12, 20, generator=torch.Generator().manual_seed(1)), Path("photograph.png"))


def check(raw: dict[str, object], encoder: DualEncoder) -> None:
    config = ExperimentConfig.from_yaml(yaml.safe_dump(raw))
    assert ExperimentConfig.from_yaml(dump(config)) == config
    assert ExperimentConfig.from_dict(config.as_dict(defaults=False)) == config
    steps = list(Optimisation(config, encoder).steps())
    assert len(steps) == config.epochs - config.start_epoch
    assert all(step.image.isfinite().all() for step in steps)


@pytest.mark.parametrize("text", [text for texts in TOP.values() for text in texts])
def test_top_level(text: str, plain: PlainEncoder) -> None:
    check({**SMALL, **yaml.safe_load(text)}, plain)


@pytest.mark.parametrize("text", [text for texts in TARGETS.values() for text in texts])
def test_target(text: str, plain: PlainEncoder) -> None:
    check({**SMALL, "targets": [{"features": ["a"], **yaml.safe_load(text)}]}, plain)


@pytest.mark.parametrize("group", ["transforms", "constraints"])
def test_every_transform_and_constraint_is_spelled_somewhere_or_shown(group: str) -> None:
    registry = TRANSFORMS if group == "transforms" else CONSTRAINTS
    items = [item for text in TARGETS[group] for item in yaml.safe_load(text)[group]]
    spelled = {name for item in items for name in ([item] if isinstance(item, str) else item)}
    rest = [{name: cls.example} for name, cls in registry.items() if name not in spelled and cls.example is not None]
    without_pictures = {name for name, cls in registry.items() if "image" not in cls.model_fields}
    assert spelled & registry.keys() | {name for item in rest for name in item} == without_pictures
    check({**SMALL, "targets": [{"features": ["a"], group: rest}]}, PlainEncoder())


def test_files_are_merged_and_a_target_of_the_same_name_may_be(plain: PlainEncoder) -> None:
    one = "epochs: 9\ninit: {mean: .4}\ntargets:\n- name: whole\n  features: [a]\n  transforms: [noise: .1]\n"
    two = (
        "epochs: 2\ninit: {std: .2}\nresolution: 16\ntargets:\n- {name: whole, merge: true, batch_size: 2}\n"
        "- {name: more, features: [b]}\n"
    )
    Path("one.yaml").write_text(one)
    Path("two.yaml").write_text(two)
    config = ExperimentConfig.from_files("one.yaml", "two.yaml")
    assert (config.epochs, config.init.mean, config.init.std) == (2, (0.4,) * 3, (0.2,) * 3)
    assert [(target.name, target.batch_size) for target in config.targets] == [("whole", 2), ("more", 1)]
    assert config.targets[0].transforms
    assert set(optimise(config, plain).similarities) == {"a", "b"}


def test_real_encoders_take_a_whole_experiment(tiny: DualEncoder) -> None:
    together = {
        **SMALL,
        "resolution": "16 + 4 * (t > .5), 20",
        "pixels": "fourier",
        "postproc": [{"border": {"size": 1, "color": 0.2}, "start": "50%"}],
        "targets": [
            {
                "name": "scene", "end": "60%", "batch_size": 2, "feature_scale": "fair", "select": "best",
                "features": ["a castle", {"image": "photograph.png", "weight": 0.5}],
                "transforms": [{"random_scale": ".9 1.1"}, {"noise": ".1 * ti"}],
            },
            {
                "name": "details", "start": "40%", "weight": "ts(.4, .7)", "select": "mix", "batch_size": 3,
                "features": ["towers", {"text": "fog", "weight": -0.3}],
                "transforms": [{"cutouts": {"count": 2, "resolution": 12}}],
                "constraints": ["tv", {"mean": {"below": 0.8, "weight": "1 + sim / 100"}}],
            },
        ],
    }  # fmt: skip
    check(together, tiny)
    config = ExperimentConfig.from_dict(together)
    assert torch.equal(optimise(config, tiny).image, optimise(config, tiny).image)
