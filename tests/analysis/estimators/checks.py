"""scikit-learn's own checks of an estimator."""

from __future__ import annotations

from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import check_estimator

# a split in parts cannot be the same for a datum that is given twice and for one of weight 2
_OF_SPLITS = {
    f"check_sample_weight_equivalence_on_{kind}_data": "a random split takes a repeated datum apart"
    for kind in ("dense", "sparse")
}


def passes_sklearns_checks(estimator: BaseEstimator) -> None:
    """Assert that all checks pass; those of the array interface are skipped unless SCIPY_ARRAY_API is set."""
    splits = estimator.get_params()["pick"] == "validation"
    results = check_estimator(estimator, on_skip=None, expected_failed_checks=_OF_SPLITS if splits else {})
    assert {result["status"] for result in results} <= {"passed", "skipped", "xfail"}
    skipped = [result["check_name"] for result in results if result["status"] == "skipped"]
    assert set(skipped) <= {"check_array_api_input"}
    failed = [result["check_name"] for result in results if result["status"] == "xfail"]
    assert set(failed) <= (set(_OF_SPLITS) if splits else set())
