"""XMP: the few properties that hold texts. No tree is built, and a document type, which could expand, is refused."""

from __future__ import annotations

from xml.parsers import expat

from clipnb.prompts.containers.texts import Texts, decoded

_NAMES = {
    "http://purl.org/dc/elements/1.1/ description": "dc:description",
    "http://ns.adobe.com/exif/1.0/ UserComment": "UserComment",
    "http://ns.adobe.com/xap/1.0/ CreatorTool": "CreatorTool",
    "http://ns.adobe.com/tiff/1.0/ ImageDescription": "ImageDescription",
    "http://ns.adobe.com/xmp/note/ HasExtendedXMP": "HasExtendedXMP",
}


def read_xmp(data: bytes, texts: Texts) -> None:
    """Read the texts of an XMP packet, written as attributes, elements, or lists of languages (their first)."""
    try:
        _Properties(texts).parse(decoded(data).rstrip("\0"))
    except expat.ExpatError:
        texts.note("its XMP is damaged")
    except _DocumentTypeError:
        texts.note("its XMP has a document type, which is not read")


class _DocumentTypeError(Exception):
    pass


class _Properties:
    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._name = ""  # of the property that is open
        self._depth = 0  # of elements inside it
        self._pieces: list[str] = []
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        self._parser = parser

    def parse(self, document: str) -> None:
        self._parser.Parse(document.lstrip("\ufeff \r\n\t"), True)

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        for attribute, value in attributes.items():
            if attribute in _NAMES:
                self._texts.keep(_NAMES[attribute], value)
        if self._name:
            self._depth += 1
        elif element in _NAMES:
            self._name, self._depth = _NAMES[element], 0

    def _text(self, piece: str) -> None:
        if self._name:
            self._pieces.append(piece)

    def _end(self, element: str) -> None:
        del element
        if not self._name:
            return
        self._texts.keep(self._name, "".join(self._pieces).strip())
        self._pieces.clear()
        if self._depth == 0:
            self._name = ""
        self._depth -= 1

    def _refuse(self, *declaration: object) -> None:
        del declaration
        raise _DocumentTypeError
