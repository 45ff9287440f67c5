"""A model as it is stored and used: the encoding of its columns, the fitted estimator and the recalibration, as one thing.

Whoever has one can score a table of features; nothing else is needed. Its state is plain (numbers, texts, arrays, tuples, scikit-learn's own
estimators), so that it can be stored without pickle. What does not belong here: which rows it is fitted on, and files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from fuller_popheath.errors import SettingsWrong
from fuller_popheath.risk.encoding import Encoding
from fuller_popheath.risk.recalibration import Recalibration, recalibration_of
from fuller_popheath.specs import Parameters

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_A_TIME = 32_768
"""People are scored in slices that fit the processor's memory; a person's score does not depend on the slice."""


class LabelledRows(Protocol):
    """People with features and what became of them: `training_sets.Rows`, or a table from elsewhere."""

    @property
    def features(self) -> pa.Table:
        """Who (person_id) and every feature column, a row a person."""

    @property
    def has_outcome(self) -> np.ndarray:
        """Whether each has the outcome, in the order of `features`."""


class Estimator(Protocol):
    """What `ModelSpec.make` returns."""

    def fit(self, matrix: np.ndarray, outcome: np.ndarray, sample_weight: np.ndarray | None = None) -> object:
        """Learns from a float64 matrix with NaN for missing, and the outcome of each row."""

    def decision_function(self, matrix: np.ndarray) -> np.ndarray:
        """Log-odds, or any score that rises with risk, of each row."""


@runtime_checkable
class Explainable(Protocol):
    """An estimator whose score is a sum over columns."""

    def contributions(self, matrix: np.ndarray) -> tuple[float, np.ndarray]:
        """The intercept, and what each column adds to it: (rows, columns)."""


@dataclass(frozen=True, eq=False)
class FittedModel:
    """One fitted model of one outcome and age group. `log_odds` is before recalibration, `probability` after it."""

    model: str
    outcome: str
    age_group: str
    encoding: Encoding
    estimator: Estimator
    recalibration: Recalibration

    @property
    def columns(self) -> tuple[str, ...]:
        """The feature columns it looks at, in the order of its contributions."""
        return self.encoding.columns

    @property
    def parameters(self) -> Parameters:
        """The hyper-parameters it was fitted with, the usual ones among them; none for a rule."""
        return dict(getattr(self.estimator, "parameters", {}))

    @property
    def can_explain(self) -> bool:
        """Whether its score is a sum over columns."""
        return isinstance(self.estimator, Explainable)

    def log_odds(self, features: pa.Table) -> np.ndarray:
        """The score of each row before recalibration: float64 (rows,). More columns do no harm. Raises ContractBroken where a column is missing."""
        parts = [self.estimator.decision_function(matrix) for matrix in self._matrices(features)]
        return np.concatenate(parts) if parts else np.empty(0)

    def probability(self, features: pa.Table) -> np.ndarray:
        """The probability of the outcome for each row, after recalibration: float64 (rows,). Errors as `log_odds`."""
        return self.probability_of(self.log_odds(features))

    def probability_of(self, log_odds: np.ndarray) -> np.ndarray:
        """The probability that belongs to a score of this model."""
        from scipy.special import expit

        return np.asarray(expit(self.recalibration.apply(log_odds)))

    def contributions(self, features: pa.Table) -> tuple[float, np.ndarray]:
        """The intercept, and what each of `columns` adds to the log-odds of each row (rows, columns), relative to the average of the people it was
        fitted on.

        Added up from the intercept on, column by column, they are `log_odds` (of the additive model to the last bit). Raises SettingsWrong for a
        model whose score is no such sum, ContractBroken where a column is missing.
        """
        if not isinstance(self.estimator, Explainable):
            raise SettingsWrong(f"the score of the model {self.model} is not a sum over columns: it cannot be explained person by person")
        intercept, parts = 0.0, np.empty((features.num_rows, len(self.columns)))
        done = 0
        for matrix in self._matrices(features, at_least=1):
            intercept, part = self.estimator.contributions(matrix)
            parts[done : done + len(part)] = part
            done += len(part)
        return intercept, parts

    def _matrices(self, features: pa.Table, at_least: int = 0) -> Iterator[np.ndarray]:
        wanted = features.select([name for name in features.column_names if name in self.encoding.columns])
        for start in range(0, max(features.num_rows, at_least), ROWS_AT_A_TIME):
            yield self.encoding.encode(wanted.slice(start, ROWS_AT_A_TIME))


def recalibrated(model: FittedModel, rows: LabelledRows) -> FittedModel:
    """The model with the recalibration that people it was not fitted on ask for. Raises ValueError for no people."""
    return replace(model, recalibration=recalibration_of(model.log_odds(rows.features), rows.has_outcome))
