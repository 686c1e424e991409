"""aphantasia (2021, by Vadim Epstein): text to picture by the spectrum, many cuts a step.

Options of its programs clip_fft, illustra and illustrip, as https://github.com/eps696/aphantasia lists them.
"""

from __future__ import annotations

from typing import Any

from clipnb.errors import ConfigError, quoted
from clipnb.optimise.importers import parts
from clipnb.optimise.importers.options import FLAG, Given, Option, Tool, dropped
from clipnb.optimise.importers.reading import WHOLE

_TRANSFORMS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "fast": [parts.TILT, {"random_rotate": {"degree": [-15, 15], "outside": "mirror"}}],
    "custom": [{"random_rotate": {"degree": [-10, 10], "outside": "mirror"}}, {"random_scale": [0.9, 1.1]}],
    "elastic": [parts.TILT],
}
_STYLE = 0.5  # weight of the second text, beside the first
_OVERSCAN = {"uniform": 0.0, "central": 0.0, "overscan": 0.25, "overmax": 0.5}  # about
_SHARED = (
    Option("-s --size", "1280-720", "resolution"),
    Option("-t --in_txt", "", "features"),
    Option("-t2 --in_txt2", "", "features, weight .5"),
    Option("-v --verbose", True, "verbose", count=FLAG),
    Option("-nv --no-verbose", False, "verbose", count=FLAG),
    Option("-m --model", "ViT-B/32", "model"),
    Option("--samples", 200, "cutouts.count"),
    Option("-lr --lrate", 0.05, "learnrate"),
    Option("--out_dir", "_out", "output"),
    Option("-tf --transform", "fast", "transforms, about the same"),
    *dropped("write the text in English", Option("-tr --translate", False, count=FLAG)),
    *dropped("name both in models: [...] to use them together", Option("-dm --dualmod", 0)),
    Option("-a --align", "uniform", "cutouts.overscan, about the same"),
    *dropped(
        "contrast and colours follow from the constraints mean, std, saturation and contrast here",
        Option("--contrast", 1.1),
        Option("--colors", 1.8),
    ),
    *dropped("no sharpening; constraints tv and edge_mean are near", Option("-sh --sharp", 0.0)),
    *dropped("no model of taste is here", Option("--aest", 0.0)),
    *dropped(
        "views are compared with texts only, not with one another",
        Option("-e --enforce", 0.0),
        Option("-x --expand", 0.0),
    ),
    *dropped("noise is added to views here (fnoise), not to the parameters", Option("-n --noise", 0.0)),
    *dropped("similarity is the cosine; l1 and l2 are losses of features", Option("--sim", "mix")),
    *dropped(parts.HOUSEKEEPING, Option("--save_pt", False, count=FLAG)),
)
_FFT = (
    *_SHARED,
    Option("-t0 --in_txt0", "", "features, weight -1"),
    Option("-i --in_img", "", "features[].image"),
    Option("-wi --weight_img", 0.5, "features[].weight"),
    Option("-r --resume", "", "init.image"),
    Option("--steps", 200, "epochs"),
    Option("-p --prog", False, "learnrate_scale", count=FLAG),
    Option("-opt --optimizer", "adam_custom", "optimizer"),
    Option("--decay", 1.5, "pixels.fourier.decay"),
    Option("-mm --macro", 0.4, "cutouts.macro"),
    Option("--invert", False, "features[].weight", count=FLAG),
    *dropped("pictures are saved by time: snapshot_interval", Option("-ops --opt_step", 1)),
    *dropped("there are no wavelets here", Option("--dwt", False, count=FLAG), Option("-w --wave", "coif2")),
    Option("-c --sync", 0.0, "constraints.like by features, falling"),
)
_FILM = (
    Option("-im --in_img", "", "features[].image"),
    Option("-r --resume", "", "init.image"),
    Option("-mc --macro", 0.4, "cutouts.macro"),
)
_ILLUSTRA = (
    *_SHARED,
    *_FILM,
    Option("--steps", 150, "epochs"),
    Option("-opt --optimr", "adam", "optimizer"),
    Option("-d --decay", 1.5, "pixels.fourier.decay"),
    *dropped(
        parts.FILMS,
        Option("--save_step", 1),
        Option("--loop", False, count=FLAG),
        Option("-l --length", 0),
        Option("--lsteps", 25),
        Option("--fps", 25),
        Option("--keep", 1.5),
        Option("--separate", False, count=FLAG),
    ),
)
_ILLUSTRIP = (
    *_SHARED,
    *_FILM,
    Option("-pre --in_txt_pre", "", "features"),
    Option("-post --in_txt_post", "", "features"),
    Option("-t0 --in_txt0", "", "features, weight -1"),
    Option("-wi --weight_img", 0.5, "features[].weight"),
    Option("--invert", False, "features[].weight", count=FLAG),
    Option("--gen", "RGB", "pixels"),
    Option("--steps", 300, "epochs"),
    Option("-opt --optimizer", "adam_custom", "optimizer"),
    *dropped(
        parts.FILMS,
        Option("-ops --opt_step", 1),
        Option("-sm --smooth", False, count=FLAG),
        Option("-it --interpol", True),
        Option("--fstep", 100),
        Option("--scale", 0.012),
        Option("--shift", 10.0),
        Option("--angle", 0.8),
        Option("--shear", 0.4),
        Option("--anima", True),
        Option("-d --depth", 0.0),
        Option("--depth_model", "b"),
        Option("--depth_dir", ""),
        Option("--fixcontrast", False, count=FLAG),
        Option("--rem", ""),
    ),
)


def _build(given: Given) -> dict[str, Any]:
    size = _size(str(given["size"]))
    image = str(given["resume"])
    if image and not parts.is_picture(image):
        given.lose("resume", "parameters that another program saved cannot be read; begin with a picture: init.image")
        image = ""
    is_rgb = str(given.values.get("gen", "FFT")).upper() == "RGB"
    return {
        "epochs": given["steps"],
        "resolution": size,
        **parts.models(given, "model", [given["model"]]),
        **parts.rate(given, "lrate", 0.05 if "gen" not in given.values else 0.1),
        **({"learnrate_scale": "1 + t"} if given.values.get("prog") else {}),
        **parts.optimiser(given, "optimr" if "optimr" in given.values else "optimizer"),
        **parts.output(given, "out_dir"),
        "verbose": 0 if given["no_verbose"] or not given["verbose"] else 2,
        "pixels": "rgb" if is_rgb else {"fourier": {"decay": given.values.get("decay", 1.5)}},
        "init": {"image": image} if image else {"std": 0.02},
        "targets": _targets(given, min(size)),
    }


def _targets(given: Given, side: int) -> list[dict[str, Any]]:
    name, align = str(given["transform"]), str(given["align"])
    for option, value, known in (("transform", name, _TRANSFORMS), ("align", align, _OVERSCAN)):
        if value not in known:
            raise ConfigError(f"--{option} is one of {', '.join(known)}, not {quoted(value)}")
    if align == "central":
        given.lose("align central", "views are cut evenly out of the whole picture")
    macro = {"macro": min(1.0, max(0.0, given["macro"])), "overscan": _OVERSCAN[align], "outside": "wrap"}
    cuts = parts.cutouts(given["samples"], 224 / side, **macro)
    sync = given.values.get("sync") or 0
    kept = parts.like(str(given["in_img"]), f"{sync:g} * ti" if sync else 0, "features")
    transforms = [cuts, *_TRANSFORMS[name]]
    return [{"name": "views", "features": _features(given), "transforms": transforms, "constraints": kept}]


def _features(given: Given) -> list[dict[str, Any]]:
    sign = -1.0 if given.values.get("invert") else 1.0
    around = [str(given.values.get(name, "")) for name in ("in_txt_pre", "in_txt_post")]
    features = parts.prompts(given, "in_txt", sign)
    features = [{**one, "text": " ".join(filter(None, (around[0], one["text"], around[1])))} for one in features]
    features += parts.prompts(given, "in_txt2", _STYLE * sign)
    if given.values.get("in_txt0"):
        features += parts.prompts(given, "in_txt0", -sign)
    features += parts.plain(given, "in_img", given.values.get("weight_img", 0.5) * sign, "image")
    if not features:
        raise ConfigError("there is neither a text (-t) nor a picture (-i) to go towards")
    return features


def _size(text: str) -> list[int]:
    sides = text.split("-")
    if not (1 <= len(sides) <= 2 and all(WHOLE.fullmatch(side) and int(side) > 0 for side in sides)):
        raise ConfigError(f"--size is WIDTH-HEIGHT in pixels, such as 1280-720, not {quoted(text)}")
    return [int(side) for side in (sides * 2)[:2]]


APHANTASIA = Tool({"clip_fft": _FFT, "illustra": _ILLUSTRA, "illustrip": _ILLUSTRIP, "aphantasia": _FFT}, _build)
