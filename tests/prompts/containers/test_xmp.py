"""Descriptions in packets of XMP."""

from __future__ import annotations

import pytest

from clipnb.prompts.metadata import embedded_prompt
from tests.prompts.picture_files import FORMATS, with_xmp, xmp_of


@pytest.mark.parametrize("kind", ["PNG", *FORMATS])
@pytest.mark.parametrize("form", ["attribute", "element", "languages"])
def test_description_in_xmp(kind: str, form: str) -> None:
    text = "a cat &amp; &lt;fur&gt;"
    languages = f"<rdf:Alt><rdf:li xml:lang='x-default'>{text}</rdf:li><rdf:li xml:lang='de'>Katze</rdf:li></rdf:Alt>"
    xmp = {
        "attribute": xmp_of(attributes=f"dc:description='{text}'"),
        "element": xmp_of(f"<dc:description>{text}</dc:description>"),
        "languages": xmp_of(f"<dc:description>{languages}</dc:description>"),
    }[form]
    found = embedded_prompt(with_xmp(kind, xmp))
    assert found.prompt is not None
    assert (found.prompt.text, found.generator) == ("a cat & <fur>", "description")
