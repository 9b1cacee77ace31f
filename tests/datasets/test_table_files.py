"""Data of one's own from tables and archives, and the scaling of inputs."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from thalweg.datasets import Dataset, Scaling, dataset, read_dataset

TABLE = "length,width,species\n1.5,0.25,b\n2.5,1.25,a\n3.5,2.25,b\n"


def write(folder, text, name="table.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (TABLE, "table.csv"),
        (TABLE.replace(",", ";"), "table.csv"),
        (TABLE.replace(",", "\t"), "table.tsv"),
        (b"\xef\xbb\xbf" + TABLE.encode(), "table.CSV"),
        (TABLE.replace("\n", "\r\n") + "\r\n", "table.csv"),
        ('"length", "width", "species"\n 1.5,0.25,"b"\n2.5, 1.25,a\n\n3.5,2.25, b', "table.csv"),
    ],
)
def test_every_spelling_of_a_table_is_the_same(tmp_path, text, name):
    data = read_dataset(write(tmp_path, text, name), "species")
    np.testing.assert_array_equal(data.inputs, [[1.5, 0.25], [2.5, 1.25], [3.5, 2.25]])
    assert (data.labels.tolist(), data.identity["classes"]) == ([1, 0, 1], ["a", "b"])
    assert data.identity["inputs"] == ["length", "width"]


def test_columns_without_names_and_some_of_the_inputs(tmp_path):
    path = write(tmp_path, "5.1,7,setosa\n4.9,8,other\n")
    np.testing.assert_array_equal(read_dataset(path, "2").inputs, [[5.1, 7], [4.9, 8]])
    np.testing.assert_array_equal(read_dataset(path, "2", inputs=["1"]).inputs, [[7], [8]])
    # names that are numbers are names where the target is beside them, as pandas writes them
    path = write(tmp_path, "0,1,target\n3,4,10\n5,6,9\n")
    data = read_dataset(path, "target")
    assert (len(data), data.identity["classes"], data.labels.tolist()) == (2, ["9", "10"], [1, 0])


def test_iris_by_csv_npz_and_parquet(tmp_path):
    pandas, _ = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    iris = load_iris()
    names = iris.target_names[iris.target]
    frame = pandas.DataFrame(iris.data, columns=iris.feature_names).assign(species=names)
    frame.to_csv(tmp_path / "iris.csv", index=False)
    frame.to_parquet(tmp_path / "iris.parquet")
    np.savez(tmp_path / "iris.npz", X=iris.data, y=names)
    targets = {"iris.csv": "species", "iris.parquet": "species", "iris.npz": None}
    for name, target in targets.items():
        data = read_dataset(tmp_path / name, target)
        np.testing.assert_array_equal(data.inputs, iris.data)
        np.testing.assert_array_equal(data.labels, iris.target)
        assert data.identity["classes"] == list(iris.target_names)


@settings(max_examples=30, deadline=None)
@given(x=arrays(np.float64, (7, 3), elements=st.floats(allow_nan=False, allow_infinity=False)), y=st.data())
def test_what_python_writes_is_read_bit_for_bit(tmp_path_factory, x, y):
    labels = y.draw(st.lists(st.sampled_from(["one", "two, too", 'th"ree', "vier"]), min_size=7, max_size=7))
    labels[0], labels[1] = "one", "vier"
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["a", "b", "c", "label"])
        rows.writerows([*map(repr, row.tolist()), label] for row, label in zip(x, labels, strict=True))
    data = read_dataset(path, "label")
    np.testing.assert_array_equal(data.inputs, x)
    assert [data.identity["classes"][code] for code in data.labels] == labels


@pytest.mark.parametrize(
    ("text", "target", "said"),
    [
        (TABLE, None, r"target \(--target\); there are 'length', 'width', 'species'"),
        (TABLE, "kind", "there is no column 'kind'"),
        (TABLE.replace("1.25", "wide"), "species", "line 3, column 'width' is 'wide'"),
        (TABLE.replace("1.25", ""), "species", "line 3, column 'width' is empty"),
        (TABLE.replace("1.25", "nan"), "species", "line 3, column 'width' is nan"),
        (TABLE.replace(",a", ","), "species", "line 3, column 'species' is empty"),
        (TABLE.replace("2.5,", ""), "species", "line 3 has 2 cells, the first line 3"),
        (TABLE.replace("a", "b"), "species", "all labels are b"),
        (TABLE, "width", r"the target holds 0\.25: classes are names or whole numbers"),
        (TABLE.replace("width", "length"), "species", "two columns are named 'length'"),
        ("", "species", "empty"),
        ("length,species\n", "species", "no points"),
        (b"\xff\xfe\x00", "species", "UTF-8"),
        ("species\na\nb\n", "species", "no inputs beside the target"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, target, said):
    if target == "width":
        text = text.replace(",b", ",1").replace(",a", ",2")
    with pytest.raises(ValueError, match=said):
        read_dataset(write(tmp_path, text), target)


@pytest.mark.parametrize(
    ("arrays", "target", "said"),
    [
        ({"inputs": np.zeros((2, 1))}, None, "no array 'labels' or 'y' of labels; there are 'inputs'"),
        ({"labels": np.arange(2)}, None, "no array 'inputs' or 'X'"),
        ({"X": np.zeros(3), "y": np.arange(3)}, None, r"shape \(n, d\)"),
        ({"X": np.zeros((3, 1)), "y": np.arange(2)}, None, r"shape \(3,\)"),
        ({"X": np.full((2, 1), np.inf), "y": np.arange(2)}, None, "row 0, column 0 of the inputs is inf"),
        ({"X": np.array([["a"], ["b"]]), "y": np.arange(2)}, None, "must be numbers"),
        ({"X": np.zeros((2, 1)), "y": np.array([{}, {}], dtype=object)}, None, "no .npz file of plain arrays"),
        ({"X": np.zeros((2, 1)), "y": np.arange(2)}, "species", "no array 'species' of labels"),
    ],
)
def test_wrong_archives(tmp_path, arrays, target, said):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(ValueError, match=said):
        read_dataset(tmp_path / "data.npz", target)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_dataset(tmp_path / "none.csv", "a")
    for name in ("x.npz", "x.parquet"):
        with pytest.raises(ValueError, match=r"it is no (\.npz|Parquet) file"):
            read_dataset(write(tmp_path, "not one", name), "a")
    with pytest.raises(ValueError, match=r"not from '\.xlsx'"):
        read_dataset(write(tmp_path, "not one", "x.xlsx"), "a")


@pytest.mark.parametrize(
    ("name", "load"), [("iris", load_iris), ("wine", load_wine), ("breast_cancer", load_breast_cancer)]
)
def test_tables_of_scikit_learn(name, load):
    data, known = dataset(name), load()
    np.testing.assert_array_equal(data.inputs, known.data)
    np.testing.assert_array_equal(data.labels, known.target)
    assert data.identity["classes"] == list(known.target_names)


FINITE = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@settings(max_examples=50, deadline=None)
@given(x=arrays(np.float64, (9, 2), elements=FINITE), other=arrays(np.float64, (4, 2), elements=FINITE))
def test_scaling_is_that_of_scikit_learn(x, other):
    x = np.column_stack([x, np.full(9, 0.1)])  # a constant, whose deviation is rounding error
    other = np.column_stack([other, np.full(4, 0.1)])
    for kind, scaler in (("standard", StandardScaler()), ("minmax", MinMaxScaler())):
        theirs, ours = scaler.fit(x), Scaling.of(x, kind)
        scale = 1 + np.abs(theirs.transform(other)).max()
        np.testing.assert_allclose(ours.inputs(other), theirs.transform(other), rtol=1e-9, atol=1e-9 * scale)
    assert Scaling.described(ours.describe()) == ours


def test_scaling_is_told_by_the_identity():
    data = Dataset([[1.0], [3.0]], [0, 1], 2, identity={"name": "two"})
    assert Scaling.of(data.inputs, "none").apply(data) is data
    scaled = Scaling.of(data.inputs, "minmax").apply(data)
    assert scaled.identity["scaling"] == {"kind": "minmax", "shift": [1.0], "width": [2.0]}
    with pytest.raises(ValueError, match="there is no scaling 'log'"):
        Scaling.of(data.inputs, "log")
    with pytest.raises(ValueError, match=r"shape \(n, 1\)"):
        Scaling.of(data.inputs, "minmax").inputs([[1.0, 2.0]])
