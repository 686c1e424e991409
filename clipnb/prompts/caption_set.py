"""The captions of a folder of images: found, counted and edited together, previewed, saved, undone."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from clipnb.errors import PromptsError, shortened
from clipnb.files import expanded, read_bytes
from clipnb.progress import progress_bar
from clipnb.prompts import caption_edits
from clipnb.prompts.byte_order import check_encoding
from clipnb.prompts.caption_edits import Tags, named_tags, read_tag_list, wanted_tags
from clipnb.prompts.caption_files import (
    LONGEST_CAPTION,
    SUFFIXES,
    caption_name,
    caption_problem,
    checked_suffix,
    decoded,
    encoded_caption,
    find_captions,
    leads_out,
)
from clipnb.prompts.caption_log import CaptionLog, Rewrite, Written
from clipnb.prompts.caption_preview import Change, Preview
from clipnb.prompts.records import Prompt, Skipped
from clipnb.prompts.spelling import read_aliases
from clipnb.prompts.tag_line import TagLine, key_of, with_blanks, with_underscores

MOST_BYTES = 2**30  # of all captions together


class CaptionSet:
    """The captions beside the images of a folder, as training data has them.

    Edits change what this object holds; `save` writes it, `undo` takes back the last save. An edit returns a
    `Preview`. Tags stand between commas or line breaks; a comma inside brackets does not part them, and what an edit
    does not change keeps its blanks and line breaks. Tags are found in any case, with `_` for a blank or without.

    Attributes:
        folder: the images' folder.
        images: the images' paths in it, sorted.
        without_image: caption files that no image belongs to.
        skipped: captions that could not be read, with the reason; they are left alone.
        in_front: keys of the triggers that edits keep in front.

    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name, text in {"a": "1girl, long_hair", "b": "1girl, hat"}.items():
    ...     _ = (folder / f"{name}.png").write_bytes(b""), (folder / f"{name}.txt").write_text(text)
    >>> captions = CaptionSet(folder)
    >>> captions.count()
    {'1girl': 2, 'long_hair': 1, 'hat': 1}
    >>> print(captions.replace("long hair", "braid"))
    1 caption changes
      a.png
        - 1girl, long_hair
        + 1girl, braid
    >>> print(captions.save())
    1 caption written
    """

    def __init__(
        self,
        folder: str | Path,
        suffix: str | None = None,
        *,
        captions: str | Path | None = None,
        encoding: str | None = None,
        quiet: bool = True,
    ) -> None:
        """Read the captions; what a killed `save` left half done is finished first.

        Args:
            folder: the images' folder; folders in it belong to it.
            suffix: of caption files; `.txt`, else `.caption`, when None. New ones get it.
            captions: another folder for the captions, with the same folders in it.
            encoding: of captions that are no UTF-8 and have no byte order mark, such as `cp1252`; without it they are
                skipped. Where they are edited they become UTF-8.
            quiet: show no bar.

        Raises:
            PromptsError: no such folder or encoding, it cannot be read, or holds more than 1 GiB of captions.
        """
        check_encoding(encoding)
        self._encoding = encoding
        self._suffix = None if suffix is None else checked_suffix(suffix)
        self._root = expanded(folder if captions is None else captions)
        self._log = CaptionLog(self._root, SUFFIXES if self._suffix is None else (self._suffix,))
        self.in_front: tuple[str, ...] = ()
        self._in_front_saved: list[tuple[str, ...]] = [()]  # before the first save, and with each
        self.folder = expanded(folder)
        self._load(quiet=quiet)

    def _load(self, *, quiet: bool) -> None:
        self._log.resume(quiet=quiet)
        files = find_captions(self.folder, self._suffix, captions=self._root)
        self._bytes: dict[str, bytes] = {}  # these three by the caption's file, which images of one name share
        self._texts: dict[str, str] = {}
        self._saved: dict[str, str] = {}
        skipped = {one.source: one for one in files.skipped}
        total = 0
        with progress_bar("reading captions", "file", quiet=quiet) as report:
            for number, file in enumerate(dict.fromkeys(files.captions.values()), 1):
                if why := self._read(file):
                    skipped[file] = Skipped(file, why)
                elif (total := total + len(self._bytes[file])) > MOST_BYTES:
                    raise PromptsError(f"{self._root} holds more than 1 GiB of captions; name a part of it")
                report(number, len(files.captions))
        new = ((image, caption_name(image, self._suffix or SUFFIXES[0])) for image in files.without_caption)
        self._file = {image: file for image, file in sorted([*files.captions.items(), *new]) if file not in skipped}
        self.images = tuple(self._file)
        self.without_image = files.without_image
        self.skipped = tuple(skipped.values())

    def _read(self, file: str) -> str:
        """Read one caption; return why not, where it cannot be read."""
        path = os.path.join(self._root, file)  # noqa: PTH118 - a hundred thousand files
        try:
            if os.path.islink(path) and leads_out(self._root, path):  # noqa: PTH114
                return "it is a link that leads out of the folder"
            content = read_bytes(path, LONGEST_CAPTION)
            self._texts[file] = self._saved[file] = decoded(content, self._encoding)
        except (OSError, UnicodeError) as error:
            is_named = self._encoding or not isinstance(error, UnicodeDecodeError)
            return caption_problem(error) + ("" if is_named else "; name its encoding, such as cp1252")
        self._bytes[file] = content
        return ""

    # looking

    def __len__(self) -> int:
        """Number of images that have a caption."""
        return sum(file in self._texts for file in self._file.values())

    def __iter__(self) -> Iterator[str]:
        """Iterate over the images that have a caption."""
        return (image for image, file in self._file.items() if file in self._texts)

    def __getitem__(self, image: str) -> str:
        """Return the caption of an image as it is now, edits included; empty where it has none.

        Raises:
            PromptsError: there is no such image.
        """
        return self._texts.get(self._file_of(image), "")

    def __repr__(self) -> str:
        changes = self.changes()
        changed = f", {len(changes):,} not saved" if changes else ""
        return f"<CaptionSet: {len(self):,} captions of {len(self.images):,} images in {self.folder}{changed}>"

    @property
    def without_caption(self) -> tuple[str, ...]:
        """The images that have no caption yet."""
        return tuple(image for image, file in self._file.items() if file not in self._texts)

    def tags(self, image: str) -> tuple[str, ...]:
        """Return the tags of an image's caption, in their order."""
        return TagLine.parse(self[image]).tags

    def count(self) -> dict[str, int]:
        """Return how many captions have each tag, most frequent first, in the spelling that is most frequent."""
        images: Counter[str] = Counter()
        spellings: dict[str, Counter[str]] = {}
        for text in self._texts.values():
            found = {key_of(tag): tag for tag in TagLine.parse(text).tags}
            images.update(found.keys())
            for key, tag in found.items():
                spellings.setdefault(key, Counter())[tag] += 1
        return {spellings[key].most_common(1)[0][0]: number for key, number in images.most_common()}

    def find(self, tag: str | None = None, *, any: Tags = (), all: Tags = (), none: Tags = ()) -> list[str]:  # noqa: A002 - the plainest words
        """Return the images whose captions have a tag; any, all, none of some tags.

        >>> import tempfile
        >>> CaptionSet(tempfile.mkdtemp()).find("1girl", none=["hat"])
        []
        """
        some, never = named_tags(any).keys(), named_tags(none).keys()
        every = named_tags(all).keys() | named_tags(tag if tag is not None else ()).keys()
        found = []
        for image, file in self._file.items():
            keys = {key_of(one) for one in TagLine.parse(self._texts.get(file, "")).tags}
            if every <= keys and not never & keys and (not some or some & keys):
                found.append(image)
        return found

    def prompts(self) -> Iterator[Prompt]:
        """Yield the captions as prompts, each with the path of its image."""
        for image in self:
            yield Prompt(self[image], source=str(self._root / self._file[image]), picture=str(self.folder / image))

    # changing

    def set(self, image: str, text: str) -> Preview:
        """Give an image a caption of its own.

        Raises:
            PromptsError: there is no such image, or the text is none that a file can hold, or larger than 1 MiB.
        """
        return self._put({image: text})

    def replace(
        self, old: str | Mapping[str, str] | Path, new: str = "", *, images: Iterable[str] | None = None
    ) -> Preview:
        """Replace tags; where the new one is there already, the old one goes.

        Args:
            old: a tag, new tags by the old ones, or the path (a `Path`) of a CSV file with the columns `tag,becomes`.
            new: the tag in its place, or several.
            images: only in their captions; in all when None.

        Raises:
            PromptsError: nothing to replace it with (see `remove`), one spelling has two replacements, or the file
                cannot be read.
        """
        pairs = read_aliases(old) if isinstance(old, Path) else dict(old) if isinstance(old, Mapping) else {old: new}
        return self._edit(caption_edits.replacing(pairs), images)

    def remove(self, tags: Tags, *, images: Iterable[str] | None = None) -> Preview:
        """Remove tags."""
        return self._edit(caption_edits.removing(wanted_tags(tags)), images)

    def ban(self, tags: Tags | Path, *, images: Iterable[str] | None = None) -> Preview:
        """Remove the tags of a list, or of a text file (a `Path`): one a line or between commas, `#` begins comments.

        Raises:
            PromptsError: no tags are named, or the file cannot be read.
        """
        return self.remove(read_tag_list(tags) if isinstance(tags, Path) else tags, images=images)

    def append(self, tags: Tags, *, images: Iterable[str] | None = None) -> Preview:
        """Add tags at the end of captions that lack them; images without a caption get one."""
        return self._edit(caption_edits.appending(wanted_tags(tags)), self.images if images is None else images)

    def prepend(self, tags: Tags, *, images: Iterable[str] | None = None) -> Preview:
        """Add tags in front of captions that lack them, behind the triggers; images without a caption get one."""
        change = caption_edits.prepending(wanted_tags(tags), self.in_front)
        return self._edit(change, self.images if images is None else images)

    def sort(self, *, images: Iterable[str] | None = None) -> Preview:
        """Sort the tags of each caption by name, behind the triggers."""
        return self._edit(caption_edits.sorting(self.in_front), images)

    def unique(self, *, images: Iterable[str] | None = None) -> Preview:
        """Remove tags that a caption repeats."""
        return self._edit(TagLine.unique, images)

    def underscores(self, on: bool, *, images: Iterable[str] | None = None) -> Preview:
        """Write tags with `_` (True) or with blanks (False); faces such as `^_^` stay."""
        return self._edit(lambda line: line.mapped(with_underscores if on else with_blanks), images)

    def triggers(self, tags: Tags, *, images: Iterable[str] | None = None) -> Preview:
        """Move trigger words to the front of captions that have them, and keep them there in later edits."""
        self.in_front = tuple(wanted_tags(tags))
        return self._edit(caption_edits.fronting(self.in_front), images)

    def _edit(self, change: Callable[[TagLine], TagLine], images: Iterable[str] | None) -> Preview:
        names = list(self if images is None else images)
        return self._put({image: str(change(TagLine.parse(self[image]))) for image in names})

    def _put(self, texts: Mapping[str, str]) -> Preview:
        changes = self._differing(texts, self._texts)
        for one in changes:
            try:
                encoded_caption(one.after, self._bytes.get(self._file[one.image], b""))
            except PromptsError as error:
                raise PromptsError(f"the caption of {one.image} cannot be this: {error}") from None
        for one in changes:
            if one.after or self._file[one.image] in self._saved:
                self._texts[self._file[one.image]] = one.after
            else:
                self._texts.pop(self._file[one.image], None)
        return changes

    def _differing(self, texts: Mapping[str, str], base: Mapping[str, str]) -> Preview:
        rows = ((image, base.get(self._file_of(image), ""), text) for image, text in texts.items())
        changed = {self._file[image]: Change(image, before, text) for image, before, text in rows if text != before}
        return Preview(changed.values())

    # writing

    def changes(self) -> Preview:
        """Return what `save` would write."""
        return self._differing({image: self[image] for image in self}, self._saved)

    def discard(self) -> Preview:
        """Forget what was changed since the last save; return what that was."""
        forgotten = self.changes()
        self._texts, self.in_front = dict(self._saved), self._in_front_saved[-1]
        return forgotten

    def reload(self, *, quiet: bool = True) -> None:
        """Read the captions anew, as other programs have left them; edits that are not saved are forgotten."""
        self._load(quiet=quiet)

    def save(self, *, quiet: bool = True) -> Written:
        """Write what was changed, file by file, each whole or not at all.

        A file that another program changed since it was read is left alone; `Written.skipped` names it, and `reload`
        reads it anew. A save that is killed is finished by the next `CaptionSet` of the folder.

        Raises:
            OutputError: nothing can be written there, or another program saves captions into the same folder.
        """
        changes = self.changes()
        rewrites = [self._rewrite(one) for one in changes]
        written = self._log.save(rewrites, quiet=quiet)
        self._in_front_saved += [self.in_front] if written.count else []
        left = {one.source for one in written.skipped}
        for change, rewrite in zip(changes, rewrites, strict=True):
            if rewrite.file not in left and rewrite.after is not None:
                self._saved[rewrite.file], self._bytes[rewrite.file] = change.after, rewrite.after
        return written

    def undo(self, *, quiet: bool = True) -> Written:
        """Take back the last save into this folder, by whichever process, and read the captions anew.

        Raises:
            PromptsError: there is nothing to undo, or there are edits that are not saved.
        """
        if self.changes():
            raise PromptsError("there are edits that are not saved; save() or discard() them before undo()")
        written = self._log.undo(quiet=quiet)
        self._in_front_saved = self._in_front_saved[:-1] or [()]
        self.in_front = self._in_front_saved[-1]
        self._load(quiet=quiet)
        return written

    def _rewrite(self, change: Change) -> Rewrite:
        file = self._file[change.image]
        before = self._bytes.get(file)
        return Rewrite(file, before, encoded_caption(change.after, before or b""))

    def _file_of(self, image: str) -> str:
        if image not in self._file:
            first = ", ".join(islice(self._file, 3)) or "none"
            raise PromptsError(f"no image {shortened(image)!r} in {self.folder}; there is {first}")
        return self._file[image]
