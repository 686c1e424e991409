"""Files of the model hub: a cut connection or a killed process loses nothing, and nothing half or wrong comes to use.

The hub's own client keeps nothing of a download that was cut (from its version 2 on), and compares no digests. Files go
to its cache, in its own layout, so that all libraries find them there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from huggingface_hub import constants
from huggingface_hub.utils import build_hf_headers, get_session  # type: ignore[attr-defined]  # there, but not listed

from clipnb.errors import ClipnbError, first_line, listed, reason, shortened
from clipnb.files import locked, open_for_writing, size_in_words, write_atomically
from clipnb.progress import log, progress_bar

OPEN_CLIP = (r"open_clip_model\.safetensors", r"open_clip_pytorch_model\.bin")
"""Names of weights that open_clip reads from a repository, the first that is there."""
CAPTIONERS = (
    r"model\.safetensors",
    r"model-\d+-of-(\d+)\.safetensors",
    r"pytorch_model\.bin",
    r"pytorch_model-\d+-of-(\d+)\.bin",
    r"model\.onnx",
)
"""Likewise those of captioners and taggers; the group is in how many parts they are."""
_DESCRIPTIONS = re.compile(r"[\w-][\w.-]*\.(json|txt|model|jinja|csv|spm)")
_SHA256, _SHA1 = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{40}")
_TRIES = 4  # without a byte between them
_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds before the second try, doubled each time; most that a hub may ask for
_BUSY = (408, 429, 500, 502, 503, 504)
_CHUNK = 2**20
LARGEST_ANSWER = 16 * 2**20
"""Bytes of what the hub says about a repository, which are read at most."""


class HubError(ClipnbError, OSError):
    """Why a file of the hub cannot be had, and what to do."""


class RemoteFile(NamedTuple):
    """What the hub says of a file before it is fetched."""

    url: str
    commit: str
    digest: str  # sha256 of its bytes, or git's sha1 of a small one
    size: int


class _CutError(Exception):
    """A connection that broke, or was none."""


def fetch(repository: str, file: str, *, quiet: bool = False) -> Path:
    """Return a file of a repository from the hub's cache, where it is fetched to unless it is there.

    What an earlier try left is gone on with; its digest is compared before the file gets its name.

    Args:
        repository: "org/repo".
        file: its name in there.
        quiet: show no bar.

    Raises:
        HubError: it cannot be had.
    """
    remote = look_up(repository, file)
    home = _home(repository)
    place, blob = home / "snapshots" / remote.commit / file, home / "blobs" / remote.digest
    try:
        if not place.is_file():
            with _alone(home.parent / ".locks" / home.name / f"{remote.digest}.lock", file):
                if not blob.is_file() and not place.is_file():
                    _receive_whole(remote, blob.with_suffix(".part"), f"{repository}/{file}", quiet=quiet)
                    blob.with_suffix(".part").replace(blob)
                _link(blob, place)
        with write_atomically(home / "refs" / "main") as temporary:
            temporary.write_text(remote.commit, encoding="utf-8")
    except HubError:
        raise
    except OSError as error:
        raise HubError(
            f"{home} cannot be written to: {reason(error)}; set HF_HUB_CACHE to a folder that can be"
        ) from error
    return place


def fetch_repository(repository: str, weights: Sequence[str], *, described: bool = True, quiet: bool = False) -> Path:
    """Fetch what is missing of a repository's descriptions and weights; return the last file, which is of weights.

    Args:
        repository: "org/repo".
        weights: regular expressions of names; files of the first one that matches any are fetched.
        described: the descriptions too: configurations, tokenizers, lists of tags.
        quiet: show no bars.

    Raises:
        HubError: something cannot be had, or there are no such weights.
    """
    url = f"{constants.ENDPOINT}/api/models/{repository}/revision/main"
    try:
        names = [str(one["rfilename"]) for one in json.loads(_ask("GET", url, repository)[1])["siblings"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HubError(f"the hub's answer about {repository} makes no sense; try again later") from error
    found = next((found for kind in weights if (found := [name for name in names if re.fullmatch(kind, name)])), [])
    if weights and not found:
        raise HubError(f"{repository} holds no weights of a kind that is read, only {listed(names)}")
    wanted = [name for name in names if described and _DESCRIPTIONS.fullmatch(name)]
    wanted += [name for name in found if name not in wanted]  # last: where weights are, all is there
    places = [fetch(repository, name, quiet=quiet) for name in wanted]
    if not places:
        raise HubError(f"{repository} holds nothing that describes a model")
    return places[-1]


def is_whole(folder: Path, weights: Sequence[str]) -> bool:
    """Whether a folder holds weights, all parts of them."""
    names = [path.name for path in folder.iterdir() if path.exists()]
    for kind in weights:
        found = [match for name in names if (match := re.fullmatch(kind, name))]
        if found and len(found) == int((found[0].groups() or ("1",))[0]):
            return True
    return False


def look_up(repository: str, file: str) -> RemoteFile:
    """Ask the hub about a file.

    Raises:
        HubError: it cannot be had.
    """
    url = f"{constants.ENDPOINT}/{repository}/resolve/main/{quote(file)}"
    headers, _ = _ask("HEAD", url, repository, file)
    digest = headers.get("X-Linked-Etag") or headers.get("ETag") or ""
    digest = digest.removeprefix("W/").strip('"')
    size = headers.get("X-Linked-Size") or headers.get("Content-Length") or ""
    commit = headers.get("X-Repo-Commit") or ""
    known = (_SHA256.fullmatch(digest) or _SHA1.fullmatch(digest)) and _SHA1.fullmatch(commit)
    if not known or not size.isdecimal():
        raise HubError(
            f"{constants.ENDPOINT} does not answer as the model hub does about {repository}/{file}; "
            "is a proxy or a login page in between?"
        )
    return RemoteFile(url, commit, digest, int(size))


def _home(repository: str) -> Path:
    return Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"


def _link(blob: Path, place: Path) -> None:
    """Let the name in a snapshot lead to the bytes, as the hub's own client does; Drive and Windows know no links."""
    if place.is_file():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)  # a link that leads nowhere
    try:
        place.symlink_to(os.path.relpath(blob, place.parent))
    except OSError:
        blob.replace(place)


@contextmanager
def _alone(lock: Path, file: str) -> Iterator[None]:
    """Wait until no other process fetches the same; the lock is the one of the hub's own client."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open_for_writing(lock) as handle:
        if not locked(handle):
            log.info("another process fetches %s; waiting for it", file)
            while not locked(handle):
                time.sleep(0.2)
        yield


def _receive_whole(remote: RemoteFile, partial: Path, name: str, *, quiet: bool) -> None:
    """Fetch what is missing of a file, and compare its digest; what has another one is thrown away."""
    partial.parent.mkdir(parents=True, exist_ok=True)
    before = _size(partial)
    free = shutil.disk_usage(partial.parent).free
    if free < remote.size - before:
        raise HubError(
            f"{name} needs {size_in_words(remote.size - before)}, and {partial.parents[2]} has {size_in_words(free)} "
            "free; make room, or set HF_HUB_CACHE to a folder on another disk"
        )
    with progress_bar(name.rpartition("/")[2], "B", quiet=quiet) as report:
        report(before, remote.size)
        _receive(remote, partial, name, report)
    if _digest(partial, remote.digest) == remote.digest:
        return
    partial.unlink()
    if before:  # whatever it was that was gone on with
        _receive_whole(remote, partial, name, quiet=quiet)
        return
    raise HubError(
        f"what came for {name} is not what the hub says it is (digest {remote.digest[:12]}...), and was thrown away; "
        "try again, and from another network if it stays so"
    )


def _receive(remote: RemoteFile, partial: Path, name: str, report: Callable[[int, int], None]) -> None:
    failures = 0
    while (before := _size(partial)) != remote.size:
        if before > remote.size:
            partial.unlink()
            continue
        try:
            _receive_some(remote, partial, before, name, report)
            problem = "the connection was cut"
        except _CutError as error:
            problem = str(error)
        except OSError as error:
            if isinstance(error, HubError):
                raise
            partial.unlink(missing_ok=True)
            raise HubError(f"{partial} cannot be written: {reason(error)}; what had come was removed") from error
        failures = 0 if _size(partial) > before else failures + 1
        if failures == _TRIES:
            share = f"{_size(partial) / remote.size:.0%}"
            raise HubError(f"{name} came to {share} ({problem}); try again: only the rest is fetched then")
        if failures:
            time.sleep(_PAUSE * 2 ** (failures - 1))


def _receive_some(
    remote: RemoteFile, partial: Path, before: int, name: str, report: Callable[[int, int], None]
) -> None:
    """Append what comes until the connection ends."""
    with _answer("GET", remote.url, name, {"Range": f"bytes={before}-"}) as answer:
        goes_on = answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {before}-")
        done = before if goes_on else 0
        with partial.open("ab" if goes_on else "wb", buffering=0) as file:
            for chunk in _chunks(answer):
                file.write(chunk)
                done += len(chunk)
                report(min(max(done, before), remote.size), remote.size)
                if done > remote.size:
                    break


def _chunks(answer: Any) -> Iterator[bytes]:
    try:
        yield from answer.iter_raw()  # in pieces of a given size it would lose what it has of one when it is cut
    except Exception as error:  # of a network the libraries raise many kinds
        raise _CutError(first_line(error)) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _digest(path: Path, like: str) -> str:
    git = _SHA1.fullmatch(like)
    digest = hashlib.sha1(b"blob %d\0" % _size(path), usedforsecurity=False) if git else hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _ask(method: str, url: str, repository: str, file: str = "") -> tuple[Any, bytes]:
    """Return the headers and the body of an answer of the hub."""
    name = f"{repository}/{file}" if file else repository
    for failure in range(1, _TRIES + 1):
        try:
            with _answer(method, url, name) as answer:
                body = bytearray()
                for chunk in _chunks(answer):
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        most = size_in_words(LARGEST_ANSWER)
                        raise HubError(f"the hub's answer about {name} has more than {most}; try again later")
                return answer.headers, bytes(body)
        except _CutError as error:
            problem = str(error)
        if failure < _TRIES:
            time.sleep(_PAUSE * 2 ** (failure - 1))
    raise HubError(f"the model hub ({constants.ENDPOINT}) cannot be reached for {name}: {problem}; try again later")


@contextmanager
def _answer(method: str, url: str, name: str, more: dict[str, str] | None = None) -> Iterator[Any]:
    """Open an answer that says yes; ask again where the hub is busy, and say in words what it says no to."""
    headers = {**build_hf_headers(library_name="clipnb"), "Accept-Encoding": "identity", **(more or {})}
    for failure in range(1, _TRIES + 1):
        with _opened(method, url, headers) as answer:
            if answer.status_code < 400:
                yield answer
                return
            status, said = answer.status_code, answer.headers
        asked = said.get("Retry-After", "")
        pause = float(asked) if asked.isdecimal() else _PAUSE * 2 ** (failure - 1)
        if status not in _BUSY or failure == _TRIES or pause > _LONGEST_PAUSE:
            raise HubError(_in_words(status, said, name))
        time.sleep(pause)


@contextmanager
def _opened(method: str, url: str, headers: dict[str, str]) -> Iterator[Any]:
    """Open an answer; of a HEAD the hub's own is wanted, not the one of the server that it leads to."""
    session: Any = get_session()
    try:
        for _ in range(5):
            waiting = session.stream(
                method,
                url,
                headers=headers,
                follow_redirects=method != "HEAD",
                timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
            )
            answer = waiting.__enter__()
            target = urljoin(url, answer.headers.get("Location", ""))
            if "X-Linked-Etag" in answer.headers or not answer.is_redirect or _host(target) != _host(url):
                break
            waiting.__exit__(None, None, None)
            url = target
    except Exception as error:  # as in _chunks
        raise _CutError(first_line(error)) from error
    try:
        yield answer
    finally:
        with suppress(Exception):
            waiting.__exit__(None, None, None)


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _in_words(status: int, said: Any, name: str) -> str:
    code, repository = said.get("X-Error-Code", ""), "/".join(name.split("/")[:2])
    page = f"{constants.ENDPOINT}/{repository}"
    if code == "GatedRepo":
        return f"{repository} is given only to who agreed to its terms ({status}): agree at {page}, and set HF_TOKEN"
    if code == "EntryNotFound":
        return f"the hub has no {name} ({status})"
    if code == "RepoNotFound" or status == 404:
        return f"the hub has no {repository}, or it is private ({status}): look at {page}, or set HF_TOKEN"
    if status in (401, 403):
        return (
            f"the hub does not let you have {name} ({status}): set HF_TOKEN to a token that may, or unset a wrong one"
        )
    if status == 429:
        wait = f"in {shortened(said['Retry-After'])} seconds" if said.get("Retry-After") else "later"
        return f"the hub has had too many requests from here for now ({status}); try again {wait}, or set HF_TOKEN"
    if status >= 500:
        return f"the hub has a fault of its own ({status}); try again later"
    return f"the hub refuses {name} ({status})"
