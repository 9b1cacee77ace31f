"""A server on this machine for the page: it answers only who knows the token in the page's address."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from thalweg.analysis.view.class_links import class_link
from thalweg.analysis.view.encoding import Json, page_json
from thalweg.analysis.view.html_page import page_html
from thalweg.analysis.view.viewed_landscape import ViewedLandscape
from thalweg.potentials.conversion.printable import printable

__all__ = ["PageServer"]

_HOSTS = ("127.0.0.1", "localhost")


class PageServer:
    """A server of the page of some landscapes, bound to 127.0.0.1.

    Parameters
    ----------
    views : sequence of ViewedLandscape
    port : int
        Port; any free one by default.

    Attributes
    ----------
    url : str
        Address of the page, with a token that is drawn anew for each server.

    Raises
    ------
    OSError
        If something else listens to the port.
    ModuleNotFoundError
        If plotly is not installed.

    Examples
    --------
    >>> from urllib.error import HTTPError
    >>> from urllib.request import urlopen
    >>> from thalweg.analysis import KineticTransitionNetwork
    >>> from thalweg.analysis.view.page_server import PageServer
    >>> from thalweg.analysis.view.viewed_landscape import ViewedLandscape
    >>> network = KineticTransitionNetwork([0.0, 1.0], [2.0], [[0, 1]])
    >>> server = PageServer([ViewedLandscape(network)])
    >>> server.url.startswith("http://127.0.0.1:")
    True
    >>> server.close()
    """

    def __init__(self, views: Sequence[ViewedLandscape], port: int = 0) -> None:
        self._views = list(views)
        self._locks = [Lock() for _ in views]
        self._token = secrets.token_urlsafe(24)
        self._tickets: set[str] = set()
        title = ", ".join(view.name for view in views)
        link = class_link([view.landscape for view in views])
        data: dict[str, Json] = {"names": [view.name for view in views], "link": link}
        self._page = page_html(title, data, live=True).encode()
        try:
            self._http = _LocalServer(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise OSError(error.errno, f"port {port} of 127.0.0.1 cannot be listened to: {error.strerror}") from error
        self._http.page_server = self
        self._root = f"http://127.0.0.1:{self._http.server_address[1]}/"
        self.url = f"{self._root}{self._token}/"

    def single_use_url(self) -> str:
        """Return an address that leads to the page once.

        It is for a browser's command line, which other users of the machine can read: they find it used.
        """
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return f"{self._root}{ticket}"

    def redeemed(self, path: str) -> str | None:
        """Return the path of the page to whoever comes first with an address of :meth:`single_use_url`."""
        try:
            self._tickets.remove(path[1:])
        except KeyError:
            return None
        return f"/{self._token}/"

    def serve(self) -> None:
        """Answer until :meth:`close` is called from another thread, or the process is interrupted."""
        self._http.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stop answering."""
        self._http.server_close()

    def stop(self) -> None:
        """End :meth:`serve` in another thread, and close."""
        self._http.shutdown()
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def is_allowed(self, host: str, path: str) -> bool:
        """Say whether a request is for this machine by its own name, and begins with the token."""
        token = path.split("/")[1] if path.startswith("/") else ""
        return self.is_own_name(host) and hmac.compare_digest(token.encode(), self._token.encode())

    def is_own_name(self, host: str) -> bool:
        """Say whether a Host header is this machine's own name; a foreign name may be made to lead here."""
        name, _, port = host.rpartition(":")
        return name in _HOSTS and port == str(self._http.server_address[1])

    def answer(self, path: str, asked: Mapping[str, str]) -> bytes | dict[str, Json]:
        """Return the page, or what it asks for.

        Raises
        ------
        LookupError
            If there is nothing at that path; KeyError and ValueError where a parameter is missing or makes no sense.
        """
        if path == "":
            return self._page
        what = _ANSWERS.get(path)
        if what is None:
            raise LookupError(f"there is nothing at {path}")
        place = int(asked["store"])
        if not 0 <= place < len(self._views):
            raise IndexError(f"store is {place}; there are {len(self._views)}")
        if asked.get("patient") == "true":  # for minutes, in which others are answered
            return what(self._views[place].again(), asked)
        with self._locks[place]:  # one thread reads a store at a time
            return what(self._views[place], asked)


def _changed(view: ViewedLandscape, asked: Mapping[str, str]) -> dict[str, Json]:
    view.refresh()
    return {"version": list(view.version)}


_ANSWERS: dict[str, Callable[[ViewedLandscape, Mapping[str, str]], dict[str, Json]]] = {
    "api/landscape": lambda view, asked: view.summary(),
    "api/changed": _changed,
    "api/column": lambda view, asked: view.column(asked["kind"], asked["name"]),
    "api/point": lambda view, asked: view.point(asked["kind"], int(asked["row"])),
    "api/path": lambda view, asked: view.path(
        int(asked["first"]), int(asked["second"]), patient=asked.get("patient") == "true"
    ),
}


class _LocalServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # Windows would let two servers listen to one port
    page_server: PageServer


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: _LocalServer

    def version_string(self) -> str:
        """Return the server's name without versions."""
        return "thalweg"

    def do_GET(self) -> None:
        served = self.server.page_server
        parts = urlsplit(self.path)
        page = served.redeemed(parts.path) if served.is_own_name(self.headers.get("Host", "")) else None
        if page is not None:
            self._send(303, "text/plain", b"", Location=page)
            return
        if not served.is_allowed(self.headers.get("Host", ""), parts.path):
            self._send(403, "text/plain", b"The address of this page has a token, which is missing or wrong.\n")
            return
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            found = served.answer(parts.path.split("/", 2)[2] if parts.path.count("/") > 1 else "", asked)
        except Exception as error:  # of a calculator, say, which may raise anything: the page shows it
            said = printable(error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}")
            status = 404 if type(error) is LookupError else 400
            self._send(status, "application/json", page_json({"error": said}).encode())
            return
        if isinstance(found, bytes):
            self._send(200, "text/html; charset=utf-8", found)
        else:
            self._send(200, "application/json", page_json(found).encode())

    def _send(self, status: int, kind: str, body: bytes, **more: str) -> None:
        headers = {
            **more,
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",  # the token is in the address
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:  # the page was closed meanwhile
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: whoever started the command sees its own lines only."""
