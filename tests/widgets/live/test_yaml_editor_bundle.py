"""The program of the YAML editor: made of what the lock file names, its licences beside it, and it asks for nothing."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from clipnb.widgets.common.frontend import static

FRONTEND = Path(__file__).parents[3] / "frontend"
if not FRONTEND.is_dir():
    pytest.skip("not a checkout", allow_module_level=True)
LICENCES = static("yaml_editor.licences.txt")
PACKAGES = json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8"))["packages"]
BUNDLED = {
    path.removeprefix("node_modules/"): facts["version"]
    for path, facts in PACKAGES.items()
    if path and not facts.get("dev")
}


def test_the_licence_and_version_of_every_bundled_package_is_listed() -> None:
    listed = dict(re.findall(r"^(@?[\w./-]+) ([\d.]+): MIT$", LICENCES, re.MULTILINE))
    assert len(listed) > 10
    assert listed.items() <= BUNDLED.items(), "build it anew: npm --prefix frontend run build"
    assert {"@codemirror/view", "@lezer/yaml", "style-mod"} <= listed.keys()
    assert LICENCES.count("Permission is hereby granted") == len(listed)


def test_the_program_was_made_of_the_present_sources() -> None:
    sources = [FRONTEND / "package-lock.json", *sorted((FRONTEND / "src").iterdir())]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    assert f"SHA-256 {digest} " in static("yaml_editor.js")[:200], "npm --prefix frontend run build, and commit it"


def test_the_program_asks_for_nothing() -> None:
    program = static("yaml_editor.js") + static("yaml_field.js")
    asking = r"\bfetch\(|\bimport\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|\.src="
    assert re.findall(asking + r"|url\((?![\"'`]data:)", program) == []
    outside = set(re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}", program))
    assert outside <= {"http://www.w3.org"}, "the names of SVG's and XML's spaces, which nothing is asked of"


def test_the_lock_file_names_no_place_to_download_from() -> None:
    lock = (FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    assert "http" not in lock
    assert "omit-lockfile-registry-resolved=true" in (FRONTEND / ".npmrc").read_text(encoding="utf-8")
