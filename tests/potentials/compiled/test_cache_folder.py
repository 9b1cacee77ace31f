"""Where compiled code is kept: the first of several folders that can be written."""

from __future__ import annotations

import os
import stat

import pytest

from .small_package import finish, start, write

FUNCTION = "@jit(float64(float64))\ndef g(x): return 2.0 * x\n"
CODE = "from small.module import g; print(g(3.0))"


@pytest.fixture
def blocked(tmp_path):
    """A folder in which files stand where the package's, the user's and a given cache folder would have to be.

    Modes of folders would not do: an administrator may write anywhere.
    """
    write(tmp_path, module=FUNCTION)
    for name in ("small/__pycache__", "home", "given"):
        (tmp_path / name).write_text("in the way")
    (tmp_path / "tmp").mkdir()
    return tmp_path


def run(folder, code=CODE, *options, **environment):
    """Run code with the home and temporary folders inside this one; return the functions compiled, and stderr."""
    places = {"XDG_CACHE_HOME": folder / "home" / "cache", "HOME": folder / "home", "TMPDIR": folder / "tmp"}
    environment = {**{name: str(path) for name, path in places.items()}, **environment}
    _, compiled, err = finish(start(folder, code, *options, **environment))
    return compiled, err


def kept(folder):
    """Return where the compiled code of the package is, relative to a folder."""
    return [str(path.parent.relative_to(folder)) for path in folder.rglob("module.g-*.nbc")]


def test_the_folder_given_comes_first(tmp_path):
    write(tmp_path, module=FUNCTION)
    run(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "given"))
    (place,) = kept(tmp_path)
    assert place.startswith("given/small_")


def test_then_the_package_s_own(tmp_path):
    write(tmp_path, module=FUNCTION)
    assert run(tmp_path) == (["g"], "")
    assert kept(tmp_path) == ["small/__pycache__"]


def test_then_the_user_s(blocked):
    (blocked / "home").unlink()
    assert run(blocked, NUMBA_CACHE_DIR=str(blocked / "given")) == (["g"], "")
    (place,) = kept(blocked)
    assert place.startswith("home/cache/thalweg/compiled/small_")
    assert run(blocked) == ([], "")


def test_then_a_temporary_one_which_is_said_in_one_line(blocked):
    compiled, err = run(blocked, CODE, "-W", "error")
    assert compiled == ["g"]
    assert err.count("\n") == 1
    assert "NUMBA_CACHE_DIR" in err
    (place,) = kept(blocked)
    assert place.startswith("tmp/thalweg-compiled-")
    folder = blocked / "tmp" / place.split("/")[1]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    compiled, err = run(blocked)
    assert compiled == []
    assert err.count("\n") == 1


def test_a_child_process_uses_the_same_temporary_folder_and_is_silent(blocked):
    child = "import subprocess, sys; from small.module import g; import small.other as o; print(o.done.returncode)"
    write(blocked, other=f"""
import subprocess, sys
done = subprocess.run([sys.executable, "-c", {CODE!r}], capture_output=True, text=True)
assert done.stderr == "", done.stderr
""")  # fmt: skip
    compiled, err = run(blocked, child)
    assert compiled == ["g"]
    assert err.count("\n") == 1
    assert len(kept(blocked)) == 1


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="folders have no owner here")
@pytest.mark.parametrize("kind", ["others may write", "a link"])
def test_a_temporary_folder_that_is_not_safe_is_not_used(blocked, kind):
    (blocked / "elsewhere").mkdir(mode=0o700)
    folder = blocked / "tmp" / f"thalweg-compiled-{os.getuid()}"
    if kind == "a link":
        folder.symlink_to(blocked / "elsewhere")
    else:
        folder.mkdir()
        folder.chmod(0o777)
    assert run(blocked)[0] == ["g"]
    assert not list(folder.iterdir())
    (place,) = kept(blocked)
    assert stat.S_IMODE((blocked / "tmp" / place.split("/")[1]).stat().st_mode) == 0o700


def test_where_nothing_can_be_written_it_compiles_and_says_so(blocked):
    code = """
import tempfile
def nowhere(*args, **kwargs): raise FileNotFoundError("no usable temporary directory")
tempfile.gettempdir = tempfile.mkdtemp = nowhere
"""
    compiled, err = run(blocked, code + CODE, "-W", "error")
    assert compiled == ["g"]
    assert err.count("\n") == 1
    assert "NUMBA_CACHE_DIR" in err
