"""What README shows is what runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

import clipnb
from clipnb.cli import make_parser

ROOT = Path(clipnb.__file__).parents[1]
if not (ROOT / "README.md").is_file():
    pytest.skip("not a checkout", allow_module_level=True)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_python_examples_run_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from clipnb.optimise import ExperimentConfig
    from clipnb.optimise.language import recipes as recipe

    short = recipe.for_text("a")["epochs"] // 40
    from_text = ExperimentConfig.from_text.__func__
    monkeypatch.setattr(
        ExperimentConfig, "from_text", classmethod(lambda cls, *a, **k: from_text(cls, *a, **{"epochs": short, **k}))
    )
    monkeypatch.chdir(tmp_path)
    Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 30).convert("RGB").save("holiday.jpg")
    (tmp_path / "photos").mkdir()
    Image.open("holiday.jpg").save("photos/one.png")
    (tmp_path / "training-set").mkdir()
    text = PngInfo()
    text.add_text("parameters", "a cat\nSteps: 20, Seed: 1")
    for name in ("training-set/one.png", "render.png"):
        Image.open("holiday.jpg").save(name, pnginfo=text)
    (tmp_path / "training-set" / "one.txt").write_text("grey hair, smile")
    (tmp_path / "prompts").symlink_to(ROOT / "prompts")
    names: dict[str, object] = {}
    assert len(blocks("python")) >= 3
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), names)
    assert (tmp_path / "jellyfish.png").is_file()
    assert (tmp_path / "training-set" / "one.txt").read_text() == "gray hair, smile"


def test_experiments_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("photograph.png", "painting.jpg"):
        Image.new("RGB", (8, 8)).save(name)
    from clipnb.optimise.film.plan import total_steps
    from clipnb.optimise.language.config import ExperimentConfig

    film, areas = blocks("yaml")
    config = ExperimentConfig.from_yaml(areas)
    assert (config.keep, config.targets[0].region, config.tile) == ("centre", "left", True)
    assert len(config.targets[0].features) == 3
    assert ExperimentConfig.from_yaml(areas.replace("# symmetry", "symmetry")).symmetry == "rotate 6"
    config = ExperimentConfig.from_yaml("targets: [{transforms: [{noise: .1}]}]\n" + film)
    assert total_steps(config) == config.epochs + 199 * 3


def test_commands_are_spelled_as_the_parser_knows_them() -> None:
    lines = [line.partition("#")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("clipnb ")]
    assert len(commands) >= 6
    for command in commands:
        make_parser().parse_args(shlex.split(command)[1:])


def test_files_and_pictures_that_it_links_are_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)|src=\"([^\"]+)\"", README)
    paths = [path for pair in links for path in pair if path and "://" not in path]
    assert paths
    assert not [path for path in paths if not (ROOT / path).exists()]
