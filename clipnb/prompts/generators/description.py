"""What describes a picture in no generator's own form: a description in XMP, EXIF, IPTC or a comment; Midjourney's."""

from __future__ import annotations

import re

from clipnb.prompts.containers.texts import Texts
from clipnb.prompts.generators.base import Generator, first_text, settings_of
from clipnb.prompts.records import Prompt

_PLACES = ("dc:description", "Description", "UserComment", "ImageDescription", "XPComment", "IPTC caption", "Comment")
_JOB = re.compile(r"\s*Job ID: ?([0-9a-fA-F-]{36})\s*$")
# Cameras and programs put their own names there.
_NO_DESCRIPTION = re.compile(
    r"(?i)\s*(OLYMPUS DIGITAL CAMERA|SONY DSC|SAMSUNG|MINOLTA DIGITAL CAMERA|KODAK|DCIM|Screenshot|AppleMark"
    r"|CREATOR: gd-jpeg|Created with|Made with|Lavc|LEAD Technologies|Optimized|File (source|written)|Intel\(R\)"
    r"|default|none|binary comment)"
)


def _read(texts: Texts) -> Prompt | None:
    for place in _PLACES:
        text, data = texts.text(place), texts.json(place)
        if data is not None:
            prompt = first_text(data, "prompt", "positive_prompt", "caption", "description")
            if prompt:
                negative = first_text(data, "negative_prompt", "negativePrompt", "negative")
                return Prompt(prompt, negative, settings=settings_of(data, ("prompt", "negative_prompt")))
        elif len(text.strip()) > 1 and "\0" not in text and not _NO_DESCRIPTION.match(text):
            return Prompt(text.strip())
    return None


def _read_midjourney(texts: Texts) -> Prompt | None:
    text = texts.get("Description") or texts.get("dc:description", "")
    job = _JOB.search(text[-80:])
    if not job:
        return None
    return Prompt(text[: text.rindex("Job ID:")].strip(), settings={"Job ID": job[1]})


MIDJOURNEY = Generator(
    "Midjourney",
    _read_midjourney,
    (
        {"Description": "a cat on a sofa --ar 16:9 --v 6.1 Job ID: 01234567-89ab-cdef-0123-456789abcdef"},
        Prompt("a cat on a sofa --ar 16:9 --v 6.1", settings={"Job ID": "01234567-89ab-cdef-0123-456789abcdef"}),
    ),
)
DESCRIPTION = Generator(
    "description", _read, ({"dc:description": "A cat on a sofa."}, Prompt("A cat on a sofa.")), last_resort=True
)
