"""An imitation of the model hub on 127.0.0.1: its paths, headers, ranges and redirects to another host, and its faults.

It stands in for huggingface.co; nobody has compared it with the real one, byte by byte.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

COMMIT = "5" * 40
LARGE = 20_000  # bytes from which a file is kept elsewhere, as LFS's are, and redirected to


@dataclass
class Hub:
    """Repositories by name, each a dict from file to bytes, and what is to go wrong."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    served: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, Range
    sent: int = 0  # bytes of large files
    port: int = 0
    cut_at: list[float] = field(default_factory=list)  # shares of a large file at which connections end, one each
    statuses: list[int] = field(default_factory=list)  # answers to the next requests
    status: int = 0  # answer to all
    headers: dict[str, str] = field(default_factory=dict)  # of these answers
    wrong: int = 0  # how many times large files come with one other byte
    held_at: float | None = None  # share of a large file after which the rest waits for `go_on`
    go_on: threading.Event = field(default_factory=threading.Event)
    ignores_ranges: bool = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, repository: str, folder: Path) -> str:
        self.repositories[repository] = {
            str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()
        }
        return repository


@contextmanager
def hub_server() -> Iterator[Hub]:
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        hub, path = self.hub, unquote(self.path.partition("?")[0])
        hub.served.append((self.command, path, self.headers.get("Range", "")))
        status = hub.statuses.pop(0) if hub.statuses else hub.status
        if status:
            self._send(status, b"", dict(hub.headers))
        elif path.startswith("/cdn/"):
            self._send_large(path.removeprefix("/cdn/"))
        elif path.startswith("/api/models/"):
            self._send_list(path.removeprefix("/api/models/").partition("/revision/")[0])
        else:
            repository, _, rest = path.strip("/").partition("/resolve/")
            self._send_file(repository, rest.partition("/")[2])

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_list(self, repository: str) -> None:
        files = self.hub.repositories.get(repository)
        if files is None:
            self._send(401, b"", {"X-Error-Code": "RepoNotFound"})
            return
        about = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
        self._send(200, json.dumps(about).encode(), {"Content-Type": "application/json"})

    def _send_file(self, repository: str, name: str) -> None:
        files = self.hub.repositories.get(repository)
        if files is None or name not in files:
            code = "RepoNotFound" if files is None else "EntryNotFound"
            self._send(401 if files is None else 404, b"", {"X-Error-Code": code})
            return
        content, commit = files[name], {"X-Repo-Commit": COMMIT}
        if len(content) < LARGE:
            git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
            self._send(200, content, {**commit, "ETag": f'"{git}"'})
            return
        digest = hashlib.sha256(content).hexdigest()
        linked = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))}
        place = f"http://localhost:{self.hub.port}/cdn/{repository}/{name}"  # another host, as of the hub's files
        self._send(302, b"", {**commit, **linked, "Location": place})

    def _send_large(self, path: str) -> None:
        hub = self.hub
        owner, repository, name = path.split("/", 2)
        content = hub.repositories[f"{owner}/{repository}"][name]
        given = self.headers.get("Range", "")
        start = 0 if hub.ignores_ranges or not given else int(given.removeprefix("bytes=").split("-")[0])
        end = round(len(content) * hub.cut_at.pop(0)) if hub.cut_at else len(content)
        if hub.wrong:
            hub.wrong -= 1
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.send_response(206 if given and not hub.ignores_ranges else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if given and not hub.ignores_ranges:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if self.command == "HEAD":
            return
        for place in range(start, end, 2**16):
            if hub.held_at is not None and place >= hub.held_at * len(content):
                hub.go_on.wait()
            chunk = content[place : min(place + 2**16, end)]
            hub.sent += len(chunk)
            try:
                self.wfile.write(chunk)
            except OSError:  # who asked is gone
                break
        self.close_connection = True
