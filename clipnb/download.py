"""What is fetched from the web: http(s) only, with a limit of size and one of time in all."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from email.message import Message
from http.client import HTTPMessage
from typing import IO, Any

SILENT_SECONDS = 30.0
"""Seconds without a byte from a server."""
TOTAL_SECONDS = 300.0
"""Seconds for everything, redirects included."""
_CHUNK = 2**16


def is_url(source: str) -> bool:
    """Whether a text is a URL that can be downloaded."""
    return source.startswith(("http://", "https://"))


def download(url: str, limit: int, method: str = "GET") -> tuple[Message, bytes]:
    """Fetch a URL.

    Args:
        url: http or https.
        limit: largest size in bytes.
        method: "HEAD" for the headers alone.

    Returns:
        Headers and content.

    Raises:
        OSError: whyever it cannot be had: a malformed URL, an answer that is no HTTP, or too large, or too slow (30
            seconds without a byte, 300 in all), a redirect to anything but http(s).
    """
    answer: Future[tuple[Message, bytes]] = Future()
    given_up = threading.Event()

    def work() -> None:
        try:
            answer.set_result(_fetch(url, limit, method, given_up))
        except Exception as error:  # noqa: BLE001 - of a hostile answer the libraries raise anything at all
            answer.set_exception(error)

    # Whatever takes its time, a name server, a handshake, headers byte by byte: nobody waits longer than so long.
    threading.Thread(target=work, name="clipnb-download", daemon=True).start()
    try:
        return answer.result(TOTAL_SECONDS)
    except LateError:
        raise OSError(f"it takes longer than {TOTAL_SECONDS:.0f} seconds") from None
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"HTTP Error {error.code}: {error.reason}") from error
    except urllib.error.URLError as error:
        raise OSError(str(error.reason)) from error
    except Exception as error:
        raise OSError(str(error) or type(error).__name__) from error
    finally:
        given_up.set()


class _WebOnly(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        if not is_url(newurl):
            raise OSError(f"it redirects to {newurl}, which is no http or https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def http_error_302(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except Exception:
            fp.close()  # which urllib leaves open
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _fetch(url: str, limit: int, method: str, given_up: threading.Event) -> tuple[Message, bytes]:
    if not is_url(url):
        raise ValueError("it is no http or https URL")
    request = urllib.request.Request(url, method=method, headers={"User-Agent": "clipnb"})  # noqa: S310 - checked above
    content = bytearray()
    with urllib.request.build_opener(_WebOnly).open(request, timeout=SILENT_SECONDS) as answer:
        while not given_up.is_set() and (chunk := answer.read1(_CHUNK)):
            content += chunk
            if len(content) > limit:
                raise OSError(f"it is larger than {limit // 2**20} MiB")
        return answer.headers, bytes(content)
