"""Training data: outcomes of minimising three atoms, well-known sets, data of one's own, and wrong labels."""

from thalweg.datasets.adversarial_labels import adversarial_noise
from thalweg.datasets.labelled_data import Dataset
from thalweg.datasets.ljat3 import Labelling, ljat3_labels, ljat3_outcomes
from thalweg.datasets.mislabelling import mislabel
from thalweg.datasets.mnist_files import mnist
from thalweg.datasets.registry import DATASETS, dataset
from thalweg.datasets.scaling import Scaling
from thalweg.datasets.sklearn_data import breast_cancer, digits, iris, wine
from thalweg.datasets.table_files import read_dataset
from thalweg.datasets.transition_models import asymmetric_noise, overlap_noise

__all__ = [
    "DATASETS",
    "Dataset",
    "Labelling",
    "Scaling",
    "adversarial_noise",
    "asymmetric_noise",
    "breast_cancer",
    "dataset",
    "digits",
    "iris",
    "ljat3_labels",
    "ljat3_outcomes",
    "mislabel",
    "mnist",
    "overlap_noise",
    "read_dataset",
    "wine",
]
