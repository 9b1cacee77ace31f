"""Training data: outcomes of minimising three atoms, handwritten digits, and labels changed on purpose."""

from thalweg.datasets.labelled_data import Dataset
from thalweg.datasets.ljat3 import Labelling, ljat3_labels, ljat3_outcomes
from thalweg.datasets.mislabelling import mislabel
from thalweg.datasets.mnist_files import mnist
from thalweg.datasets.registry import DATASETS, dataset
from thalweg.datasets.sklearn_digits import digits
from thalweg.datasets.transition_models import overlap_noise

__all__ = [
    "DATASETS",
    "Dataset",
    "Labelling",
    "dataset",
    "digits",
    "ljat3_labels",
    "ljat3_outcomes",
    "mislabel",
    "mnist",
    "overlap_noise",
]
