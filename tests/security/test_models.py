"""A downloaded model is data: whatever its folder says, none of its code runs, and nobody is asked whether it may."""

from __future__ import annotations

import builtins
import json
import os
import pickle
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from clipnb.errors import ClipnbError, ModelUnavailableError, UnknownModelError
from clipnb.interrogate.kaggle.execute import execute
from clipnb.models import load
from clipnb.models.captioner import load_captioner
from clipnb.models.checks.safety import check_folder
from clipnb.models.embedding_files import EmbeddingFiles
from clipnb.models.load import load_model
from clipnb.models.sentences import load_sentence_encoder
from clipnb.optimise import ExperimentConfig, optimise
from tests.conftest import TINY_CONFIG, save_open_clip
from tests.models.test_captioner import KINDS, VISION, tokenizer

CODE = """
import pathlib
pathlib.Path({marker!r}).touch()
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, ProcessorMixin
class Config(BertConfig): model_type = "custom"
class Model(BertModel): config_class = Config
class Tokenizer(PreTrainedTokenizerFast): pass
class Processor(ProcessorMixin): pass
"""
AUTO_MAP = {
    "AutoConfig": "custom.Config",
    "AutoModel": "custom.Model",
    "AutoModelForImageTextToText": "custom.Model",
    "AutoModelForVision2Seq": "custom.Model",
    "AutoProcessor": "custom.Processor",
    "AutoImageProcessor": "custom.Processor",
    "AutoTokenizer": ["custom.Tokenizer", "custom.Tokenizer"],
}
COMMIT = "0" * 40


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that code of a model would make; reading an answer from the terminal makes it too."""
    path = tmp_path / "code was run"
    monkeypatch.setattr(builtins, "input", lambda *_: path.touch() or "y")
    return path


@pytest.fixture
def foreign(tmp_path: Path, tiny_clip: str, marker: Path) -> Path:
    """The folder of a model that brings code, for whoever loads it: an encoder, a captioner, a sentence encoder."""
    folder = tmp_path / "foreign"
    shutil.copytree(tiny_clip.removeprefix("local-dir:"), folder)
    described = json.loads((folder / "open_clip_config.json").read_text())
    described["model_cfg"]["text_cfg"] |= {"hf_tokenizer_name": "x", "tokenizer_kwargs": {"trust_remote_code": True}}
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    tokenizer().save_pretrained(folder)
    (folder / "custom.py").write_text(CODE.format(marker=str(marker)))
    for name in ("config.json", "tokenizer_config.json", "processor_config.json", "preprocessor_config.json"):
        known = json.loads((folder / name).read_text()) if (folder / name).exists() else {"model_type": "custom"}
        (folder / name).write_text(json.dumps({**known, "auto_map": AUTO_MAP}))
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """A cache of the hub that a folder can be put into; gives the name of the repository."""
    cache = tmp_path / "hub"
    for module in ("huggingface_hub.constants", "huggingface_hub.file_download", "transformers.utils.hub"):
        monkeypatch.setattr(f"{module}.HF_HUB_CACHE", str(cache), raising=False)

    def put(folder: Path, repository: str = "someone/foreign") -> str:
        (folder / "model.safetensors").touch()  # what has no weights is no captioner that is here
        home = cache / f"models--{repository.replace('/', '--')}"
        (home / "refs").mkdir(parents=True)
        (home / "refs" / "main").write_text(COMMIT)
        (home / "snapshots").mkdir()
        shutil.copytree(folder, home / "blobs")
        shutil.copytree(folder, home / "snapshots" / COMMIT, copy_function=link)
        return repository

    return put


def link(file: str, name: str) -> None:
    Path(name).symlink_to(file)


def bundled(root: Path, folder: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CLIPNB_BUNDLE", str(root))
    shutil.copytree(folder, root / "models" / place / "someone/foreign")
    return "someone/foreign"


def run_kaggle(folder: Path, key: str, tmp_path: Path) -> Any:
    (tmp_path / "pictures" / "images").mkdir(parents=True)
    shutil.copy(Path(__file__).parents[2] / "notebooks/images/demo.jpg", tmp_path / "pictures" / "images")
    config: dict[str, object] = {"clip_model": "lite", key: str(folder)}
    config |= {"clip_path": {"clip_model": "x"}, "blip_path": {"blip_model": "x"}}.get(key, {"embedding_model": "x"})
    return execute("clip-interrogator-embedding", tmp_path / "pictures", config)


def run_experiment(model: str) -> Any:
    text = f"{{targets: [{{features: [{{text: cat}}]}}], model: '{model}'}}"
    return next(iter(optimise(ExperimentConfig.from_yaml(text))))


ENTRIES: dict[str, Callable[[Path, Callable[[Path], str], Path, pytest.MonkeyPatch], object]] = {
    "local-dir": lambda folder, *_: load_model(f"local-dir:{folder}", "cpu"),
    "weights": lambda folder, *_: load_model("ViT-B-32", "cpu", weights=folder),
    "weights of the hub": lambda folder, *_: load_model("hf-hub:someone/foreign", "cpu", weights=folder),
    "hf-hub": lambda folder, hub, *_: load_model(f"hf-hub:{hub(folder)}", "cpu"),
    "bundle": lambda folder, _, root, patch: load_model(f"hf-hub:{bundled(root, folder, 'hf-hub', patch)}", "cpu"),
    "experiment": lambda folder, *_: run_experiment(f"local-dir:{folder}"),
    "captioner": lambda folder, *_: load_captioner(str(folder), "cpu"),
    "captioner of the hub": lambda folder, hub, *_: load_captioner(hub(folder), "cpu"),
    "captioner of a bundle": lambda folder, _, root, patch: load_captioner(
        bundled(root, folder, "captioners", patch), "cpu"
    ),
    "sentence encoder": lambda folder, *_: load_sentence_encoder(folder, "cpu"),
    "kaggle encoder": lambda folder, _, root, __: run_kaggle(folder, "clip_path", root),
    "kaggle captioner": lambda folder, _, root, __: run_kaggle(folder, "blip_path", root),
    "kaggle sentence encoder": lambda folder, _, root, __: run_kaggle(folder, "embedding_path", root),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_code_of_a_model_never_runs(
    entry: str,
    foreign: Path,
    hub: Callable[[Path], str],
    marker: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ClipnbError, match=r"asks for code by '(auto_map|trust_remote_code)'"):
        ENTRIES[entry](foreign, hub, tmp_path / "root", monkeypatch)
    assert not marker.exists()


def set_in(folder: Path, file: str, **entries: object) -> None:
    path = folder / file
    known = json.loads(path.read_text()) if path.exists() else {}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(known | entries))


@pytest.mark.parametrize(
    ("file", "entries"),
    [
        ("config.json", {"text_config": {"auto_map": {"AutoModel": "someone/other--custom.Model"}}}),
        ("qformer_tokenizer/tokenizer_config.json", {"auto_map": AUTO_MAP}),
        ("config.4.0.0.json", {"auto_map": AUTO_MAP}),
        ("config.json", {"configuration_files": ["../../foreign/config.4.0.0.json"]}),
        ("config.json", {"custom_pipelines": {"caption": {"impl": "custom.Pipeline"}}}),
        ("config.json", {"_attn_implementation": "someone/kernel"}),
        ("config.json", {"text_config": {"num_hidden_layers": 10**9}}),
        ("config.json", {"attn_implementation": {"text_config": "someone/kernel:run"}}),
        ("config.json", {"vision_config": {"architecture": "hf-hub:someone/foreign"}}),
        ("config.json", {"vision_config": {"architecture": "Local-Dir:/tmp/foreign"}}),
        ("config.json", {"vision_config": {"architecture": " hf-\thub:someone/foreign"}}),
        ("config.json", {"_attn_implementation_internal": "someone/kernel"}),
        ("CONFIG.json", {"auto_map": AUTO_MAP}),
        ("processor_config.json", {"audio_tokenizer": {"audio_tokenizer_name_or_path": "someone/foreign"}}),
        ("config.json", {"vision_config": {"model_args": {"checkpoint_path": "/tmp/weights.pth"}}}),
        ("config.json", {"backbone_kwargs": {"pretrained_cfg": {"file": "/tmp/weights.pth"}}}),
        ("tokenizer_config.json", {"tokenizer_class": "custom.Tokenizer"}),
        ("preprocessor_config.json", {"tesseract_config": "--user-words /etc/passwd"}),
        ("generation_config.json", {"custom_generate": "someone/foreign"}),
        ("adapter_config.json", {"base_model_name_or_path": "someone/foreign"}),
        ("custom_generate/generate.py", {}),
        ("model.safetensors.index.json", {"weight_map": {"a": "../../other.safetensors"}}),
    ],
)
def test_what_asks_for_code_or_leads_elsewhere_is_refused(
    file: str, entries: dict[str, object], tmp_path: Path, marker: Path
) -> None:
    folder = tmp_path / "captioner"
    model, parts = KINDS["blip"]()
    for part in (model, *parts):
        part.save_pretrained(folder)
    assert load_captioner(str(folder), "cpu").caption([]) == []
    set_in(folder, file, **entries)
    with pytest.raises(ModelUnavailableError, match=f"is not loaded: .*{Path(file).name}"):
        load_captioner(str(folder), "cpu")


@pytest.mark.parametrize(
    "entries",
    [
        {"vision_cfg": {"timm_model_name": "local-dir:/tmp/foreign"}},
        {"vision_cfg": {"timm_model_name": "LOCAL-DIR:/tmp/foreign"}},
        {"vision_cfg": {"layers": 10**9}},
        {"text_cfg": {"tokenizer_kwargs": {"bpe_path": "/dev/zero"}}},
        {"text_cfg": {"hf_model_name": "FOREIGN", "hf_tokenizer_name": "FOREIGN"}},
        {"text_cfg": {"hf_model_name": "HUB", "hf_tokenizer_name": "HUB"}},
    ],
)
@pytest.mark.parametrize("scheme", ["local-dir", "hf-hub"])
def test_an_encoder_may_not_name_code_elsewhere(
    entries: dict[str, Any], scheme: str, tiny_clip: str, foreign: Path, hub: Any, tmp_path: Path, marker: Path
) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_clip.removeprefix("local-dir:"), folder)
    (foreign / "open_clip_config.json").unlink()
    names = {"FOREIGN": str(foreign), "HUB": hub(foreign)}
    described = json.loads((folder / "open_clip_config.json").read_text())
    for part, values in entries.items():
        described["model_cfg"][part] |= {k: names.get(v, v) if isinstance(v, str) else v for k, v in values.items()}
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    name = f"local-dir:{folder}" if scheme == "local-dir" else f"hf-hub:{hub(folder, 'someone/encoder')}"
    with pytest.raises(ModelUnavailableError, match=r"asks for|reaches out"):
        load_model(name, "cpu")
    assert not marker.exists()


def test_a_harmless_folder_does_not_stand_for_a_repository_of_its_name(
    tiny_clip: str, foreign: Path, hub: Any, tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_clip.removeprefix("local-dir:"), tmp_path / "someone/foreign")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelUnavailableError, match="asks for code"):
        load_model(f"hf-hub:{hub(foreign)}", "cpu")
    assert not marker.exists()


def test_no_architecture_that_open_clip_knows_is_refused(tmp_path: Path) -> None:
    import open_clip

    for name in open_clip.list_models():
        set_in(tmp_path, "open_clip_config.json", model_cfg=open_clip.get_model_config(name))
        check_folder(tmp_path)


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


class TouchAfterAMistake(Touch):
    def __reduce__(self) -> tuple[Any, ...]:
        return torch._utils._rebuild_tensor_v2, (), None, None, iter([("x", Touch(self.path))])


@pytest.mark.parametrize("kind", [Touch, TouchAfterAMistake])
@pytest.mark.parametrize("way", ["file", "folder"])
def test_pickled_weights_run_nothing_even_where_the_user_relaxed_torch(
    kind: type[Touch], way: str, tiny_clip: str, tmp_path: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_clip.removeprefix("local-dir:"), folder)
    (folder / "open_clip_model.safetensors").unlink()
    weights = folder / "open_clip_pytorch_model.bin"
    torch.save({"weight": kind(marker)}, weights)
    with pytest.raises(ModelUnavailableError):
        load_model(f"local-dir:{folder}" if way == "folder" else f"ViT-B-32/{weights}", "cpu")
    assert not marker.exists()
    assert os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] == "1"
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.parametrize("damage", ["deep", "pipe", "large", "not text"])
@pytest.mark.parametrize("entry", ["local-dir", "captioner", "sentence encoder"])
def test_a_hostile_description_is_refused_at_once(damage: str, entry: str, foreign: Path, tmp_path: Path) -> None:
    for file in foreign.glob("*config*.json"):
        file.unlink()
    names = ("open_clip_config.json", "config.json")
    for name in names:
        path = foreign / name
        if damage == "pipe":
            path.write_text("{}")
        else:
            path.write_bytes({"deep": b"[" * 10**6, "large": b" " * 10**7, "not text": b"\xff\xfe"}[damage])
    if damage == "pipe":
        os.mkfifo(foreign / "tokenizer.model")
    with pytest.raises(ModelUnavailableError, match=r"cannot be read|no regular file"):
        ENTRIES[entry](foreign, *[None] * 3)  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["~nobody-here/x", "a\0b", "\ud800", "a" * 5000, "b/" * 5000])
@pytest.mark.parametrize(
    "load_it",
    [
        lambda name: load_model(f"local-dir:{name}", "cpu"),
        lambda name: load_model("ViT-B-32", "cpu", weights=name),
        lambda name: load_model(f"ViT-B-32/{name}.pt", "cpu"),
        lambda name: load_captioner(name, "cpu"),
        lambda name: load_captioner(name * 200, "cpu"),
        lambda name: load_model(name * 200, "cpu"),
    ],
)
def test_names_that_no_file_can_have_are_refused_in_words(load_it: Callable[[str], object], name: str) -> None:
    with pytest.raises((ModelUnavailableError, UnknownModelError)) as caught:
        load_it(name)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    "modules",
    [{}, [1], [{"type": "x.Transformer", "path": "../other"}], [{"type": "x.Transformer", "path": "/etc"}], "x"],
)
def test_a_sentence_encoder_may_not_lead_out_of_its_folder(modules: object, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelUnavailableError, match="sentence encoder"):
        load_sentence_encoder(tmp_path, "cpu")


def test_a_model_that_takes_no_texts_is_no_sentence_encoder(tmp_path: Path) -> None:
    transformers.ViTModel(transformers.ViTConfig(**VISION)).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(ModelUnavailableError, match="sentence encoder"):
        load_sentence_encoder(tmp_path, "cpu")


@pytest.mark.parametrize("content", ["[1, 2]", "[" * 10**5, '{"ViT-B-32": "x"}', '{"ViT-B-32": NaN}', "\xff", "{" * 9])
def test_a_hostile_list_of_architectures_is_made_again(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import open_clip

    monkeypatch.setenv("CLIPNB_CACHE", str(tmp_path))
    monkeypatch.setattr(open_clip, "list_models", lambda: ["RN50"])
    file = tmp_path / f"architectures-{open_clip.__version__}.json"
    file.write_text(content, encoding="latin-1")
    assert load.list_models().set_index("name").parameters["RN50/openai"] == pytest.approx(102, abs=1)
    assert json.loads(file.read_text()) == {"RN50": pytest.approx(102, abs=1)}


def test_a_pickle_that_makes_open_clip_read_twice_is_one(tmp_path: Path) -> None:
    torch.save({"weight": TouchAfterAMistake(tmp_path / "marker")}, tmp_path / "weights.bin")
    with pytest.raises((TypeError, pickle.UnpicklingError)):
        torch.load(tmp_path / "weights.bin", weights_only=True)


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to nowhere"])
def test_an_embedding_file_that_is_none_is_made_again(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "names.safetensors"
    {"pipe": os.mkfifo, "folder": Path.mkdir, "link to nowhere": lambda path: path.symlink_to("nowhere")}[kind](file)
    files = EmbeddingFiles("names", torch.float32, lambda _: {})
    assert files.read(file, (5, 3)) is None


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("", "embed_dim", 10**7),
        ("text_cfg", "vocab_size", 10**8),
        ("text_cfg", "context_length", 10**5),
        ("vision_cfg", "image_size", 10**5),
        ("vision_cfg", "width", 10**6),
    ],
)
def test_a_model_far_larger_than_its_files_is_refused_before_memory_is_taken(
    part: str, key: str, value: int, tmp_path: Path
) -> None:
    name = save_open_clip(tmp_path / "clip", TINY_CONFIG)
    file = tmp_path / "clip" / "open_clip_config.json"
    description = json.loads(file.read_text())
    (description["model_cfg"][part] if part else description["model_cfg"])[key] = value
    file.write_text(json.dumps(description))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelUnavailableError, match=r"it describes \d+ MiB of weights, and its files hold \d+ MiB"):
        load_model(name, "cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**19  # KiB


@pytest.mark.parametrize("key", ["vocab_size", "hidden_size", "max_position_embeddings"])
def test_a_captioner_far_larger_than_its_files_is_refused_before_memory_is_taken(key: str, tmp_path: Path) -> None:
    model, processors = KINDS["git"]()
    for part in (model, *processors):
        part.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, key: 32 * 10**6}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelUnavailableError, match=r"it describes \d+ MiB of weights, and its files hold"):
        load_captioner(str(tmp_path), "cpu")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**19  # KiB


def test_a_captioner_of_which_layers_are_missing_is_refused(tmp_path: Path) -> None:
    model, processors = KINDS["git"]()
    for part in (model, *processors):
        part.save_pretrained(tmp_path)
    load_captioner(str(tmp_path), "cpu")
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 9}))
    with pytest.raises(ModelUnavailableError, match=r"its files hold \d+% of the weights that it describes"):
        load_captioner(str(tmp_path), "cpu")


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_pictures_are_not_prepared_by_numbers_that_are_not_finite(number: str, tmp_path: Path) -> None:
    name = save_open_clip(tmp_path / "clip", TINY_CONFIG)
    file = tmp_path / "clip" / "open_clip_config.json"
    file.write_text(file.read_text().replace("0.48145466", number))
    with pytest.raises(ModelUnavailableError, match=r"its mean\.0 is impossible"):
        load_model(name, "cpu")
