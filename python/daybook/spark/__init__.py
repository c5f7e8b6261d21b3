"""A store on Spark: its data files as DataFrames, and Daybook's SQL and questions over them.

    tables = daybook.spark.open(spark, "my-store")
    tables.events.groupBy("kind").count().show()
    daybook.spark.sql(spark, "my-store", "SELECT kind, count(*) AS n FROM events GROUP BY 1").show()

Spark's workers need to reach the folder of the store, and nothing of this package. `pip install daybook[spark]`
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from daybook.requests import Time
from daybook.spark.rows import to_dicts
from daybook.spark.tables import Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["Tables", "open", "sql", "to_dicts"]


def open(spark: SparkSession, path: str | os.PathLike[str], *, at: int | Time | None = None) -> Tables:
    """One version of a store, the latest or the one `at` a version or time. What is not yet in data files is not in it:
    `daybook.open(path).seal()` puts it there."""
    return Tables(spark, path, at)


def sql(spark: SparkSession, path: str | os.PathLike[str], query: str, /, *, at: int | Time | None = None,
        **parameters: Any) -> DataFrame:
    """The answer to a query of DuckDB's SQL, as `Store.sql` takes it. What Spark would answer in another way is refused
    with `UnsupportedError`."""
    return open(spark, path, at=at).sql(query, **parameters)
