"""MNIST from files and from a server of our own, scikit-learn's digits, and datasets by name."""

from __future__ import annotations

import gzip
import hashlib
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from sklearn.datasets import load_digits

from thalweg.datasets import dataset, digits, mnist, mnist_files
from thalweg.datasets.idx import read_idx

USUAL = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    header = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return header + array.astype({8: ">u1", 13: ">f4"}[kind]).tobytes()


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 28, 28))


@pytest.fixture
def labels() -> np.ndarray:
    return np.array([3, 0, 9, 1, 1, 7, 5])


def write(folder, images, labels, names=USUAL, pack=lambda content: content):
    for name, array in zip(names, (images, labels), strict=True):
        (folder / name).write_bytes(pack(idx(array)))


@pytest.mark.parametrize(
    ("names", "pack", "train"),
    [
        (USUAL, bytes, True),
        ([f"{name}.gz" for name in USUAL], gzip.compress, True),
        (("train-images.idx3-ubyte", "train-labels.idx1-ubyte"), bytes, True),
        (("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"), gzip.compress, False),
        (("images-idx3-ubyte", "labels-idx1-ubyte.gz"), bytes, True),
    ],
)
def test_files_at_hand(tmp_path, images, labels, names, pack, train):
    write(tmp_path, images, labels, names, pack)
    data = mnist(tmp_path, train=train)
    np.testing.assert_array_equal(data.inputs, images.reshape(7, 784) / 255)
    np.testing.assert_array_equal(data.labels, labels)
    assert data.n_classes == 10
    assert data.inputs.max() <= 1.0
    assert data.identity["name"] == "MNIST"


def test_pixels_as_in_the_files(tmp_path, images, labels):
    write(tmp_path, images, labels)
    raw, scaled = mnist(tmp_path, pixels="0 to 255"), mnist(tmp_path)
    np.testing.assert_array_equal(raw.inputs, images.reshape(7, 784))
    np.testing.assert_array_equal(raw.labels, scaled.labels)
    assert dict(raw.identity) == {**scaled.identity, "pixels": "0 to 255"}
    np.testing.assert_array_equal(dataset("mnist", path=tmp_path, pixels="0 to 255").inputs, raw.inputs)
    with pytest.raises(ValueError, match="pixels must be one of '0 to 1', '0 to 255'; it is 'raw'"):
        mnist(tmp_path, pixels="raw")


def test_shared_digits(shared):
    data = mnist(shared / "data" / "mnist")
    assert data.inputs.shape == (10_000, 784)
    assert data.inputs.min() == 0.0
    assert data.inputs.max() == 1.0
    # About a tenth of each, and a mean grey level of 0.1307 in all of MNIST.
    assert (np.abs(data.class_fractions - 0.1) < 0.02).all()
    assert data.inputs.mean() == pytest.approx(0.1307, abs=0.002)
    # A one has the least ink of all digits, a zero the most.
    ink = [data.inputs[data.labels == digit].mean() for digit in range(10)]
    assert np.argmin(ink) == 1
    assert np.argmax(ink) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an IDX file"),
        (b"\x00\x01\x08\x01\x00\x00\x00\x00", "not an IDX file"),
        (b"\x00\x00\x07\x01\x00\x00\x00\x00", "not an IDX file"),
        (b"\x00\x00\x08\x03\x00\x00", "cut short"),
        (idx(np.zeros((2, 28, 28)))[:-1], "cut short"),
        (idx(np.zeros((2, 28, 28))) + b"\x00", "too long"),
        (b"\x00\x00\x08\x03" + b"\xff" * 12, "cut short"),
        (gzip.compress(idx(np.zeros((2, 28, 28))), mtime=0)[:-10], "truncated gzip"),
        (gzip.compress(idx(np.zeros((9, 28, 28))), mtime=0)[:12] + b"junk" * 9, "truncated gzip"),
    ],
)
def test_damaged_files_are_named(tmp_path, images, labels, content, said):
    write(tmp_path, images, labels)
    (tmp_path / USUAL[0]).write_bytes(content)
    with pytest.raises(ValueError, match=rf"(?s){USUAL[0]}.*{said}"):
        mnist(tmp_path)


def unpacking_to(size):
    """A gzip file that unpacks to so many zeros, of a thousandth of that."""
    import io

    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write(b"\0\0\x08\x03" + struct.pack(">3I", size // 784, 28, 28))
        for _ in range(size // 2**20):
            file.write(bytes(2**20))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\0\0\x0e\x01" + b"\x10\0\0\0", "announces an array of shape"),  # two gigabytes of float64
        (b"\0\0\x08\xff" + b"\0\0\0\x01" * 255, "255 axes"),
        (b"\0\0\x08\x03" + b"\0\0\0\0" + b"\xff" * 8, "announces an array of shape"),
        (gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12, mtime=0), "announces an array of shape"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x04" + bytes(2**24), mtime=0), "too long"),
        (b"bomb", "announces an array of shape"),
    ],
)
def test_headers_that_ask_for_gigabytes_are_refused_in_little_memory(tmp_path, content, said):
    import tracemalloc

    from thalweg.datasets.idx import read_idx

    file = tmp_path / "images"
    file.write_bytes(unpacking_to(2**29) if content == b"bomb" else content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=rf"images.*{said}"):
            read_idx(file)
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (np.zeros((7, 28, 28)), np.zeros(6), "not a pair"),
        (np.zeros((7, 20, 28)), np.zeros(7), "28 by 28"),
        (np.zeros((7, 28)), np.zeros(7), "28 by 28"),
        (np.zeros((7, 28, 28)), np.zeros((7, 1)), "list of bytes"),
        (np.zeros((7, 28, 28)), np.full(7, 10), "labels 0 to 9"),
    ],
)
def test_files_that_disagree(tmp_path, images, labels, said):
    write(tmp_path, images, labels)
    with pytest.raises(ValueError, match=said):
        mnist(tmp_path)


def test_images_of_floats_are_refused(tmp_path, images, labels):
    write(tmp_path, images, labels)
    (tmp_path / USUAL[0]).write_bytes(idx(images, kind=13))
    np.testing.assert_array_equal(read_idx(tmp_path / USUAL[0]), images)
    with pytest.raises(ValueError, match="28 by 28 bytes"):
        mnist(tmp_path)


def test_missing_files_and_folders(tmp_path, images, labels):
    with pytest.raises(FileNotFoundError, match="must be a folder"):
        mnist(tmp_path / "nowhere")
    write(tmp_path, images, labels, ("images-idx3-ubyte", "labels-idx1-ubyte"))
    with pytest.raises(FileNotFoundError, match="t10k-images-idx3-ubyte"):
        mnist(tmp_path, train=False)


@pytest.fixture
def server(tmp_path):
    """Serve a folder on this machine; the folder, its address, and the requests it had."""
    folder, requests = tmp_path / "served", []
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            requests.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_address[1]}/", requests
        httpd.shutdown()
        thread.join()


def test_download_is_checked_and_kept(tmp_path, server, images, labels, monkeypatch):
    folder, address, requests = server
    names = [f"{name}.gz" for name in USUAL]
    write(folder, images, labels, names, gzip.compress)
    sums = {name: "md5:" + hashlib.md5((folder / name).read_bytes()).hexdigest() for name in names}
    monkeypatch.setattr(mnist_files, "CHECKSUMS", sums)
    monkeypatch.setattr(mnist_files, "MIRRORS", (address + "missing/", address))
    data = mnist(cache=tmp_path / "cache")
    np.testing.assert_array_equal(data.labels, labels)
    asked = len(requests)
    np.testing.assert_array_equal(mnist(cache=tmp_path / "cache").inputs, data.inputs)
    assert len(requests) == asked


def test_a_wrong_checksum_is_refused(tmp_path, server, images, labels, monkeypatch):
    folder, address, _ = server
    write(folder, images, labels, [f"{name}.gz" for name in USUAL], gzip.compress)
    monkeypatch.setattr(mnist_files, "MIRRORS", (address,))
    with pytest.raises(ConnectionError, match=r"(?s)give it as path=.*hash"):
        mnist(cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.gz"))


def test_without_network_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist_files, "MIRRORS", ("http://127.0.0.1:9/",))
    with pytest.raises(ConnectionError, match="put MNIST's IDX files in a folder and give it as path="):
        mnist(cache=tmp_path)
    with pytest.raises(ValueError, match="cache must not be False"):
        mnist(cache=False)


def test_digits_are_scikit_learns():
    pixels, labels = load_digits(return_X_y=True)
    data = digits()
    np.testing.assert_array_equal(data.inputs * 16, pixels)
    np.testing.assert_array_equal(data.labels, labels)
    assert (data.n_classes, data.inputs.max()) == (10, 1.0)


def test_datasets_by_name(tmp_path, images, labels):
    write(tmp_path, images, labels)
    assert dataset("mnist", path=tmp_path).name == "MNIST"
    assert dataset("digits").name == "digits"
    with pytest.raises(ValueError, match="no dataset 'D4'; there are D1, D2, D3, MNIST, digits"):
        dataset("D4")
