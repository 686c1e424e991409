"""The command `clipnb bundle`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from clipnb.options import add_model, refuse_together

if TYPE_CHECKING:
    from pathlib import Path

    from clipnb.bundle.plan import Plan

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_ON_KAGGLE, _KAGGLE_PYTHON = ("torch", "torchvision"), "3.12"
_DESCRIPTION = """\
Put everything that a machine without internet needs into one folder: wheels of clipnb and of what it needs, weights
from the local cache, embedded label tables, the notebooks, and a page that says how to use it. Sizes are shown and
asked for before any of it is fetched; what is there already is kept, so an interrupted run goes on where it was.
To find out what is needed pip reads descriptions from its index, and gets hatchling where clipnb runs from a checkout
and hatchling is not installed."""


def add_parser(commands: Commands) -> None:
    """Add the command to the parser of all commands."""
    parser = commands.add_parser(
        "bundle", help="everything that a machine without internet needs, in one folder", description=_DESCRIPTION
    )
    parser.add_argument("folder", metavar="DIR", help="where to, such as clipnb-bundle")
    add_model(parser, "an encoder on this machine; may be repeated (default: lite)", action="append", default=None)
    parser.add_argument(
        "--captioner",
        action="append",
        default=[],
        metavar="NAME",
        help="a captioner in the local cache, such as blip-base",
    )
    parser.add_argument("--python", metavar="3.X", help="version on the other machine (default: this one)")
    parser.add_argument(
        "--platform", metavar="TAG", help="such as linux_aarch64; of the same system (default: this one)"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PACKAGE,...",
        help="packages that are there already: left out, with what only they need",
    )
    parser.add_argument(
        "--kaggle",
        action="store_true",
        help=f"--platform linux_x86_64 --without {','.join(_ON_KAGGLE)}, and unless given --python {_KAGGLE_PYTHON}",
    )
    parser.add_argument("--extra", action="append", metavar="NAME", help="of clipnb; may be repeated (default: lite)")
    parser.add_argument("--wheel", metavar="FILE", help="clipnb's own wheel, in place of one made of what runs here")
    parser.add_argument("--yes", action="store_true", help="fetch without asking")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    import tempfile
    from pathlib import Path

    from clipnb.bundle.build import build
    from clipnb.bundle.manifest import BundleFolder
    from clipnb.bundle.plan import Wishes, make_plan
    from clipnb.bundle.target import Target
    from clipnb.files import expanded
    from clipnb.progress import say

    refuse_together(args, "kaggle", ["platform"], "--kaggle is short for a platform")
    wishes = Wishes(
        target=Target.make(
            args.python or (_KAGGLE_PYTHON if args.kaggle else None),
            args.platform or ("linux_x86_64" if args.kaggle else None),
        ),
        models=tuple(args.model or ("lite",)),
        captioners=tuple(args.captioner),
        without=_packages([*args.without, *(_ON_KAGGLE if args.kaggle else ())]),
        extras=tuple(args.extra or ("lite",)),
    )
    folder = expanded(args.folder)
    BundleFolder(folder)  # so that a folder that is somebody's is refused at once
    with tempfile.TemporaryDirectory() as scratch:
        say("finding out what is needed (a minute or two) ...")
        plan = make_plan(folder, wishes, _own_wheel(args.wheel, Path(scratch)))
        say("\n".join(plan.lines()))
        _require_room(plan)
        if not args.yes and not _agreed(plan):
            say("nothing was fetched")
            return 0
        manifest = build(plan)
    say(f"{folder}: {len(manifest.files)} files, {manifest.size / 2**20:.0f} MiB; its README.md says how to use it")
    return 0


def _packages(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for names in given for name in names.split(",") if name.strip()))


def _own_wheel(given: str | None, scratch: Path) -> Path:
    from clipnb.bundle.manifest import BundleError
    from clipnb.bundle.own_wheel import own_wheel
    from clipnb.files import expanded

    if given is None:
        return own_wheel(scratch)
    wheel = expanded(given)
    if not (wheel.is_file() and wheel.name.startswith("clipnb-") and wheel.suffix == ".whl"):
        raise BundleError(f"--wheel: {wheel} is no wheel of clipnb (clipnb-VERSION-py3-none-any.whl)")
    return wheel


def _require_room(plan: Plan) -> None:
    import shutil

    from clipnb.bundle.manifest import BundleError

    existing = next(place for place in (plan.folder.absolute(), *plan.folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(existing).free
    if free < plan.to_write:
        raise BundleError(
            f"{existing} has {free / 2**30:.1f} GiB free, and {plan.to_write / 2**30:.1f} GiB are needed; "
            "choose another folder, or leave packages out with --without"
        )


def _agreed(plan: Plan) -> bool:
    from clipnb.bundle.manifest import BundleError

    if not plan.missing:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise BundleError("nothing is fetched without being asked for: add --yes")
    return input("Fetch it? [y/N] ").strip().casefold() in ("y", "yes")
