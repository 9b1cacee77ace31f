"""The command ``thalweg view``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from ...helpers import files_of, finished, thalweg


def started(*words):
    """Start the command in a process of its own; return it and the address that it prints."""
    command = [sys.executable, "-m", "thalweg.analysis", "view", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for other processes")
def test_it_serves_until_ctrl_c(stores):
    before = files_of(stores)
    process, url = started(stores / "lj13.zarr", stores / "ljat3.zarr", "--no-browser")
    try:
        with urlopen(url) as answer:
            assert "<title>lj13, ljat3</title>" in answer.read().decode()
        with pytest.raises(HTTPError, match="403") as caught:
            urlopen(url.rsplit("/", 2)[0] + "/")
        caught.value.close()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert (out, err, process.returncode) == ("", "", 0)
    assert files_of(stores) == before


def test_it_opens_a_browser_with_an_address_that_works_once(stores, monkeypatch):
    import webbrowser

    from thalweg.analysis.cli import view
    from thalweg.analysis.view.page_server import PageServer

    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(PageServer, "serve", lambda self: opened.append(self.url))
    said = finished("view", stores / "ljat3.zarr").strip()
    assert opened[1] == said
    assert opened[0] != said
    assert opened[0].rsplit("/", 1)[0] == said.rsplit("/", 2)[0]
    assert view.__all__ == ["view"]


def test_one_file(stores, tmp_path):
    said = finished("view", stores / "d1.zarr", "--output", tmp_path / "d1.html")
    assert said.split() == [str(tmp_path / "d1.html")]
    size = (tmp_path / "d1.html").stat().st_size
    assert 4_000_000 < size < 8_000_000
    again = thalweg("view", stores / "lj13.zarr", "--output", tmp_path / "d1.html")
    assert again.exit_code == 0
    (tmp_path / "mine.html").write_text("<p>mine</p>")
    refused = thalweg("view", stores / "lj13.zarr", "--output", tmp_path / "mine.html")
    assert refused.exit_code != 0
    assert (tmp_path / "mine.html").read_text() == "<p>mine</p>"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{stores}/nothing.zarr"], "nothing.zarr"),
        (["{stores}/lj13.zarr", "--output", "a.txt"], ".html"),
        (["{stores}"], "stores"),
        ([], "PATHS"),
        (["{stores}/lj13.zarr", "--port", "99999"], "--port"),
    ],
)
def test_errors_in_one_line(stores, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    result = thalweg("view", *(word.format(stores=stores) for word in words))
    assert result.exit_code in (1, 2)
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["--no-browser"], ["--output", "a.html"]])
def test_without_plotly(stores, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "plotly", None)
    result = thalweg("view", stores / "lj13.zarr", *words)
    assert result.exit_code == 1
    assert result.stderr.strip() == 'Error: the page needs plotly: pip install "thalweg[view]"'
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken(stores):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = thalweg("view", stores / "lj13.zarr", "--no-browser", "--port", port)
    assert result.exit_code == 1
    assert f"port {port}" in result.stderr


def test_help():
    said = finished("view", "--help")
    for word in ("--output", "--no-browser", "--port", "--trust", "127.0.0.1"):
        assert word in said
