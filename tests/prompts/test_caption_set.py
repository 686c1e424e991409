"""A data set's captions: counted, found, edited with a preview, saved, undone."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipnb import CaptionSet
from clipnb.errors import PromptsError
from clipnb.prompts.tag_line import TagLine, key_of

CAPTIONS = {
    "a": "sks, 1girl, long_hair, smile\n",
    "b": "1girl ,  Long hair,hat",
    "c": "1boy, (red, blue:1.2), ^_^, smile, Smile",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in CAPTIONS.items():
        (tmp_path / f"{name}.png").write_bytes(name.encode())
        (tmp_path / f"{name}.txt").write_bytes(text.encode())
    (tmp_path / "d.png").write_bytes(b"d")
    return tmp_path


def on_disk(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_bytes().decode() for path in sorted(folder.glob("*.txt"))}


def test_count_is_by_captions_in_the_commonest_spelling(folder: Path) -> None:
    counts = CaptionSet(folder).count()
    assert counts["1girl"] == 2
    assert counts["smile"] == 2
    assert {"long_hair", "Long hair"} & set(counts)
    assert sum(key_of(tag) == "long hair" for tag in counts) == 1


def test_find_by_all_any_and_none(folder: Path) -> None:
    captions = CaptionSet(folder)
    assert captions.find("long hair") == ["a.png", "b.png"]
    assert captions.find("long hair", none=["hat"]) == ["a.png"]
    assert captions.find(any="hat, 1boy") == ["b.png", "c.png"]
    assert captions.find(all=["1girl", "sks"]) == ["a.png"]
    assert captions.find(none="1girl") == ["c.png", "d.png"]


def test_an_edit_writes_nothing_until_save_and_undo_takes_it_back(folder: Path) -> None:
    captions = CaptionSet(folder)
    preview = captions.replace("long hair", "braid")
    assert [change.image for change in preview] == ["a.png", "b.png"]
    assert "2 captions change" in str(preview)
    assert "<table" in preview._repr_html_()
    assert type(preview._repr_html_()) is str, "marimo shows no other"
    assert on_disk(folder) == CAPTIONS
    assert captions.save().count == 2
    assert on_disk(folder) == {**CAPTIONS, "a": "sks, 1girl, braid, smile\n", "b": "1girl ,  braid,hat"}
    assert captions.undo().count == 2
    assert on_disk(folder) == CAPTIONS
    with pytest.raises(PromptsError, match="nothing to undo"):
        captions.undo()


def test_undo_works_in_another_process_save_after_save(folder: Path) -> None:
    for tag in ("one", "two"):
        captions = CaptionSet(folder)
        captions.append(tag)
        captions.save()
    assert on_disk(folder)["d"] == "one, two"
    CaptionSet(folder).undo()
    assert on_disk(folder)["d"] == "one"
    CaptionSet(folder).undo()
    assert on_disk(folder) == CAPTIONS


def test_twenty_saves_can_be_undone(folder: Path) -> None:
    captions = CaptionSet(folder)
    for number in range(23):
        captions.set("a.png", f"tag {number}")
        captions.save()
    for _ in range(20):
        captions.undo()
    assert captions["a.png"] == "tag 2"
    with pytest.raises(PromptsError, match="nothing to undo"):
        captions.undo()


def test_undo_with_unsaved_edits_is_refused_and_discard_forgets_them(folder: Path) -> None:
    captions = CaptionSet(folder)
    captions.append("x")
    with pytest.raises(PromptsError, match="not saved"):
        captions.undo()
    assert len(captions.discard()) == 4
    assert not captions.changes()
    assert captions.save().count == 0


@pytest.mark.parametrize(
    ("edit", "a", "b", "c"),
    [
        (lambda s: s.replace({"smile": "grin", "hat": "1girl"}), "sks, 1girl, long_hair, grin\n",
         "1girl ,  Long hair", "1boy, (red, blue:1.2), ^_^, grin"),
        (lambda s: s.replace("hat", "cap, brim"), None, "1girl ,  Long hair,cap, brim", None),
        (lambda s: s.remove(["long hair", "sks"]), "1girl, smile\n", "1girl,hat", None),
        (lambda s: s.append("hat, new"), "sks, 1girl, long_hair, smile, hat, new\n", "1girl ,  Long hair,hat, new",
         "1boy, (red, blue:1.2), ^_^, smile, Smile, hat, new"),
        (lambda s: s.prepend("sks"), None, "sks, 1girl ,  Long hair,hat",
         "sks, 1boy, (red, blue:1.2), ^_^, smile, Smile"),
        (lambda s: s.sort(), "1girl, long_hair, sks, smile\n", "1girl ,  hat,Long hair",
         "(red, blue:1.2), 1boy, ^_^, smile, Smile"),
        (lambda s: s.unique(), None, None, "1boy, (red, blue:1.2), ^_^, smile"),
        (lambda s: s.underscores(False), "sks, 1girl, long hair, smile\n", None, None),
        (lambda s: s.underscores(True), None, "1girl ,  Long_hair,hat", "1boy, (red,_blue:1.2), ^_^, smile, Smile"),
        (lambda s: s.triggers("smile, 1girl"), "smile, 1girl, sks, long_hair\n", None,
         "smile, Smile, 1boy, (red, blue:1.2), ^_^"),
        (lambda s: s.set("a.png", "new"), "new", None, None),
    ],
)  # fmt: skip
def test_edits_change_their_tags_and_nothing_else(edit, a, b, c, folder: Path) -> None:  # type: ignore[no-untyped-def]
    captions = CaptionSet(folder)
    edit(captions)
    captions.save()
    written = on_disk(folder)
    for name, text in (("a", a), ("b", b), ("c", c)):
        assert written[name] == (CAPTIONS[name] if text is None else text)


def test_triggers_stay_in_front_of_later_edits(folder: Path) -> None:
    captions = CaptionSet(folder)
    captions.triggers("sks")
    captions.sort()
    captions.prepend("photo")
    assert captions["a.png"] == "sks, photo, 1girl, long_hair, smile\n"


def test_mapping_file_and_ban_list(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text("tag,becomes\nlong_hair,braid\nsmile,grin\n")
    (tmp_path / "ban.list").write_text("# not these\nsks\nhat, 1boy\n")
    captions = CaptionSet(folder)
    captions.replace(tmp_path / "map.csv")
    captions.ban(tmp_path / "ban.list")
    assert captions["a.png"] == "1girl, braid, grin\n"
    assert captions["b.png"] == "1girl ,  braid" or captions["b.png"] == "1girl ,  Long hair"
    with pytest.raises(PromptsError, match="cannot read"):
        captions.ban(tmp_path / "none.txt")


@pytest.mark.parametrize("wrong", [("", "x"), ("x", ""), ("x", " , ")])
def test_replacing_by_nothing_is_refused(wrong: tuple[str, str], folder: Path) -> None:
    with pytest.raises(PromptsError, match="both must be tags"):
        CaptionSet(folder).replace(*wrong)


def test_useless_wishes_are_refused(folder: Path) -> None:
    captions = CaptionSet(folder)
    for wish in (captions.remove, captions.append, captions.triggers):
        with pytest.raises(PromptsError, match="no tags are named"):
            wish(" , ")
    with pytest.raises(PromptsError, match="no image"):
        captions.set("z.png", "x")
    with pytest.raises(PromptsError, match="half a character"):
        captions.append("half \ud800")
    with pytest.raises(PromptsError, match="would be replaced by"):
        captions.replace({"long hair": "a", "long_hair": "b"})
    assert not captions.changes()


def test_images_without_a_caption_get_one_beside_them(folder: Path) -> None:
    captions = CaptionSet(folder)
    assert captions.without_caption == ("d.png",)
    captions.set("d.png", "a dog")
    captions.save()
    assert on_disk(folder)["d"] == "a dog"
    captions.undo()
    assert "d" not in on_disk(folder)


def test_captions_of_a_mirrored_folder(folder: Path, tmp_path: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "e.png").touch()
    captions = CaptionSet(folder, captions=tmp_path / "elsewhere") if (tmp_path / "elsewhere").mkdir() is None else None
    assert captions is not None
    captions.append("x", images=["in/e.png"])
    captions.save()
    assert (tmp_path / "elsewhere" / "in" / "e.txt").read_text() == "x"
    assert on_disk(folder) == CAPTIONS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_encoding_and_line_ends_stay(encoding: str, folder: Path) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (folder / "a.txt").write_bytes((mark + "1girl,\r\nhat\r\n").encode(encoding))
    captions = CaptionSet(folder)
    captions.replace("hat", "cap")
    captions.save()
    assert (folder / "a.txt").read_bytes() == (mark + "1girl,\r\ncap\r\n").encode(encoding)


def test_a_named_encoding_is_for_captions_that_are_no_utf8(folder: Path) -> None:
    (folder / "a.txt").write_bytes("café, hat".encode("cp1252"))
    (folder / "b.txt").write_text("naïve, hat", encoding="utf-8")
    unnamed = CaptionSet(folder)
    assert [one.source for one in unnamed.skipped] == ["a.txt"]
    assert "name its encoding" in unnamed.skipped[0].why
    captions = CaptionSet(folder, encoding="cp1252")
    assert (captions["a.png"], captions["b.png"], captions.skipped) == ("café, hat", "naïve, hat", ())
    captions.replace("hat", "猫")
    captions.save()
    assert (folder / "a.txt").read_text(encoding="utf-8") == "café, 猫"
    captions.undo()
    assert (folder / "a.txt").read_bytes() == "café, hat".encode("cp1252")
    with pytest.raises(PromptsError, match="no encoding 'cp9999'"):
        CaptionSet(folder, encoding="cp9999")


def test_triggers_are_kept_in_front_until_they_are_undone(folder: Path) -> None:
    captions = CaptionSet(folder)
    captions.triggers("smile")
    captions.discard()
    captions.sort()
    assert captions["a.png"] == "1girl, long_hair, sks, smile\n"
    captions.discard()
    captions.triggers("smile")
    captions.save()
    captions.sort()
    assert captions["a.png"] == "smile, 1girl, long_hair, sks\n"
    captions.save()
    captions.undo()
    captions.sort()
    assert captions["a.png"] == "smile, 1girl, long_hair, sks\n"
    captions.discard()
    captions.undo()
    captions.sort()
    assert captions["a.png"] == "1girl, long_hair, sks, smile\n"


def test_images_are_never_changed_and_rights_stay(folder: Path) -> None:
    (folder / "a.txt").chmod(0o600)
    before = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.png")}
    captions = CaptionSet(folder)
    captions.append("x")
    captions.save()
    captions.undo()
    assert before == {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.png")}
    assert (folder / "a.txt").stat().st_mode & 0o777 == 0o600
    assert not list(folder.rglob("*.part"))


def test_what_another_program_changed_is_left_alone_and_said(folder: Path) -> None:
    captions = CaptionSet(folder)
    captions.append("x")
    (folder / "a.txt").write_text("by hand")
    (folder / "d.txt").write_text("by hand")
    written = captions.save()
    assert written.count == 2
    assert {one.source for one in written.skipped} == {"a.txt", "d.txt"}
    assert "another program changed it" in str(written)
    assert on_disk(folder)["a"] == on_disk(folder)["d"] == "by hand"
    assert [one.image for one in captions.changes()] == ["a.png", "d.png"]
    captions.reload()
    assert captions["a.png"] == "by hand"
    (folder / "b.txt").write_text("by hand")
    assert [one.source for one in captions.undo().skipped] == ["b.txt"]
    assert on_disk(folder) == {**CAPTIONS, "a": "by hand", "b": "by hand", "d": "by hand"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab ,_\né"), max_size=25), min_size=1, max_size=4), st.data())
def test_any_row_of_edits_is_undone_to_the_byte(texts: list[str], data: st.DataObject) -> None:
    folder = Path(tempfile.mkdtemp())
    for number, text in enumerate(texts):
        (folder / f"{number}.png").touch()
        (folder / f"{number}.txt").write_bytes(text.encode())
    before = on_disk(folder)
    captions = CaptionSet(folder)
    tags = {name: [key_of(tag) for tag in TagLine.parse(text).tags] for name, text in before.items()}
    captions.remove("a")
    captions.replace("b", "new")
    data.draw(st.sampled_from([captions.sort, captions.unique, lambda: captions.underscores(True)]))()
    captions.save()
    for name, text in on_disk(folder).items():
        kept = {key_of(tag) for tag in TagLine.parse(text).tags}
        assert {key for key in tags[name] if key not in ("a", "b") and key.strip("_ ")} <= kept  # "_ _" becomes "___"
    if len(list((folder / ".clipnb-captions").glob("*.jsonl"))):
        captions.undo()
    assert on_disk(folder) == before
