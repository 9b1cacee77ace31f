"""The server of the page: who is answered, what is answered, and what it leaves alone."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import Event
from urllib.parse import urlsplit

import numpy as np
import pytest

from thalweg.analysis import KineticTransitionNetwork

from ...helpers import files_of
from .pages import served

WELLS = KineticTransitionNetwork([0.0, 1.0, 0.5], [2.0, 3.0], [[0, 1], [1, 2]])


def asked(server, path, method="GET", **headers):
    """Return status, headers and body of an answer; the path is taken as it is."""
    place = urlsplit(server.url)
    connection = HTTPConnection(place.hostname, place.port, timeout=20)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def token_of(server):
    return urlsplit(server.url).path


QUESTIONS = ("", "api/landscape?store=0", "api/changed?store=0", "api/point?store=0&kind=minima&row=0")


def test_only_this_machine_is_listened_to():
    with served(WELLS) as server:
        assert server._http.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_request_without_the_token_gets_nothing(question):
    """Without it, with a part of it, another one, or in another place."""
    with served(WELLS) as server:
        token = token_of(server)
        assert asked(server, token + question)[0] == 200
        other = f"/{'A' * (len(token) - 2)}/"
        for start in ("/", f"{token[:-2]}/", other, "//", "/../", f"/x{token}", f"/?token={token}", "/%00/"):
            status, _, body = asked(server, start + question)
            assert status == 403, start
            assert body == b"The address of this page has a token, which is missing or wrong.\n"
        assert asked(server, question or "x")[0] in (400, 403)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "127.0.0.1", ""]
)
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_foreign_name_that_leads_here_gets_nothing(question, host):
    """A page elsewhere may have its own name lead to 127.0.0.1; the browser says so in the header Host."""
    with served(WELLS) as server:
        port = urlsplit(server.url).port
        assert asked(server, token_of(server) + question, Host=host.format(port=port))[0] == 403
        assert asked(server, token_of(server) + question, Host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_nothing_but_reading_is_answered(method):
    with served(WELLS) as server:
        assert asked(server, token_of(server), method)[0] == 501


def test_tokens_are_drawn_anew_and_long():
    tokens = set()
    for _ in range(3):
        with served(WELLS) as server:
            tokens.add(token_of(server))
    assert len(tokens) == 3
    assert min(map(len, tokens)) >= 32


def test_an_address_for_the_browser_s_command_line_works_once():
    """Other users of the machine can read command lines: what they find there is used."""
    with served(WELLS) as server:
        once = urlsplit(server.single_use_url()).path
        assert token_of(server).strip("/") not in once
        assert asked(server, once, Host="evil.example")[0] == 403
        status, headers, body = asked(server, once)
        assert (status, headers["Location"], body) == (303, token_of(server), b"")
        assert asked(server, once)[0] == 403


def test_answers_are_not_kept_and_go_nowhere():
    with served(WELLS) as server:
        for question in ("", "api/landscape?store=0", "nothing"):
            headers = asked(server, token_of(server) + question)[1]
            assert headers["Cache-Control"] == "no-store"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Access-Control-Allow-Origin"] is None
            assert headers["Server"] == "thalweg"


@pytest.mark.parametrize(
    ("question", "status", "said"),
    [
        ("nothing", 404, "there is nothing at nothing"),
        ("../../etc/passwd", 404, "there is nothing"),
        ("api/point?store=0&kind=minima&row=3", 400, "row is 3; there are 3 minima"),
        ("api/point?store=0&kind=minima&row=-1", 400, "row is -1"),
        ("api/point?store=0&kind=other&row=0", 400, "kind is 'other'"),
        ("api/point?store=0&kind=minima", 400, "row"),
        ("api/point?store=1&kind=minima&row=0", 400, "store is 1; there are 1"),
        ("api/point?store=x&kind=minima&row=0", 400, "invalid literal"),
        ("api/column?store=0&kind=minima&name=__class__", 400, "there is no column '__class__'"),
        ("api/path?store=0&first=0&second=9", 400, "9"),
        ("api/landscape", 400, "store"),
    ],
)
def test_questions_that_make_no_sense(question, status, said):
    with served(WELLS) as server:
        answer, headers, body = asked(server, token_of(server) + question)
        assert answer == status
        assert headers["Content-Type"] == "application/json"
        assert said in json.loads(body)["error"]


def test_answers_of_a_network():
    with served(WELLS) as server:
        token = token_of(server)
        point = json.loads(asked(server, f"{token}api/point?store=0&kind=minima&row=1")[2])
        assert point["neighbours"] == [[0, 2.0, 1.0, 0, 0.0], [1, 3.0, 2.0, 2, 0.5]]
        path = json.loads(asked(server, f"{token}api/path?store=0&first=0&second=2")[2])
        assert path["row"] == [0, 0, 1, 1, 2]
        assert path["energy"] == [0.0, 2.0, 1.0, 3.0, 0.5]


def test_clicks_are_answered_while_a_long_path_is_followed(stores, monkeypatch):
    """Also while a calculator takes minutes: here it takes until the click has been answered."""
    from thalweg.analysis.view import viewed_landscape

    clicked = Event()

    def slow(*arguments, patient):
        return {"waited": clicked.wait(60)} if patient else {}

    monkeypatch.setattr(viewed_landscape, "animated_path", slow)
    with served(stores / "slab.zarr") as server, ThreadPoolExecutor(1) as pool:
        token = token_of(server)
        path = pool.submit(asked, server, f"{token}api/path?store=0&first=0&second=1&patient=true")
        assert asked(server, f"{token}api/point?store=0&kind=minima&row=0")[0] == 200
        assert not path.done()
        clicked.set()
        assert json.loads(path.result()[2]) == {"waited": True}


def test_reading_writes_nothing(stores):
    path = stores / "d1.zarr"
    before = files_of(stores)
    with served(path) as server:
        token = token_of(server)
        for kind in ("minima", "states"):
            assert asked(server, f"{token}api/point?store=0&kind={kind}&row=0")[0] == 200
        ends = KineticTransitionNetwork.read(path).ts_minima
        first, second = ends[np.flatnonzero(ends[:, 0] != ends[:, 1])[0]]
        assert asked(server, f"{token}api/path?store=0&first={first}&second={second}&patient=true")[0] == 200
        assert asked(server, f"{token}api/changed?store=0")[0] == 200
    assert files_of(stores) == before
