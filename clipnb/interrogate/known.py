"""The prompt that a picture carries inside, beside the one that was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clipnb.interrogate.image_query import ImageQuery
from clipnb.prompts.metadata import Embedded

LONGEST_KNOWN = 100_000
"""Characters of a prompt inside a picture that are compared and kept."""


@dataclass(frozen=True)
class Known:
    """The prompt that a picture carries inside, compared with the found one.

    Attributes:
        prompt: what made the picture; "" where it carries none.
        negative: the negative prompt; "" where there is none.
        generator: the program that wrote it, such as "A1111"; "" where there is none.
        similarity: cosine of this prompt and the image, in [-1, 1]; None without a prompt.
        agreement: cosine of this prompt and the found one, in [-1, 1]; None without a prompt.
        problems: what was damaged or cut, in a few words each.
    """

    prompt: str = ""
    negative: str = ""
    generator: str = ""
    similarity: float | None = None
    agreement: float | None = None
    problems: tuple[str, ...] = ()

    def facts(self) -> list[tuple[str, str]]:
        """Return names and values, for people."""
        found = [("inside the picture", f"{self.prompt} ({self.generator})" if self.prompt else "no prompt")]
        if self.similarity is not None and self.agreement is not None:
            shown = f"{100 * self.similarity:.1f} to the picture, {100 * self.agreement:.1f} to the prompt found"
            found.append(("its similarity", shown))
        return [*found, *(("inside the picture", problem) for problem in self.problems)]


def compare_known(
    queries: Sequence[ImageQuery], prompts: Sequence[str], inside: Sequence[Embedded | None]
) -> list[Known | None]:
    """Compare the prompts inside images with those that were found, by one pass of the encoder; None stays None."""
    known = [None if one is None else _cut(one) for one in inside]
    rows = [(place, one) for place, one in enumerate(known) if one is not None and one.prompt]
    if rows:
        texts = [text for place, one in rows for text in (one.prompt, prompts[place])]
        embeddings = queries[0].encoder.encode_text(texts)
        for (place, one), own, found in zip(rows, embeddings[::2], embeddings[1::2], strict=True):
            similarity, agreement = float(own @ queries[place].features), float(own @ found)
            known[place] = replace(one, similarity=similarity, agreement=agreement)
    return known


def _cut(inside: Embedded) -> Known:
    prompt = inside.prompt
    if prompt is None:
        return Known(problems=inside.problems)
    text, negative = (_holdable(some[:LONGEST_KNOWN]) for some in (prompt.text, prompt.negative))
    longest = max(len(prompt.text), len(prompt.negative))
    cut = (f"{longest:,} characters; the first {LONGEST_KNOWN:,} are taken",) if longest > LONGEST_KNOWN else ()
    return Known(text, negative, inside.generator, problems=(*inside.problems, *cut))


def _holdable(text: str) -> str:
    return text.replace("\0", "\ufffd").encode(errors="backslashreplace").decode()
