"""What readers that are not ours find in a store."""

import base64
import datetime
import json

import deltalake
import duckdb
import polars
import pyarrow
import pyarrow.compute as compute
import pyarrow.dataset

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)


def micros(moment):
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return (moment - EPOCH) // MICROSECOND


def facts(events, distinct, ts, seq, kinds):
    """The same form for every reader."""
    return {
        "events": events,
        "distinct": distinct,
        "ts": [micros(moment) for moment in ts],
        "seq": list(seq),
        "kinds": dict(sorted(((kind or ""), count) for kind, count in kinds)),
    }


def of_arrow(table):
    ends = {name: compute.min_max(table[name]).as_py() for name in ("ts", "seq")}
    kinds = table.group_by("kind").aggregate([([], "count_all")]).to_pylist()
    return facts(
        table.num_rows,
        compute.count_distinct(table["seq"]).as_py(),
        [ends["ts"]["min"], ends["ts"]["max"]],
        [ends["seq"]["min"], ends["seq"]["max"]],
        [(row["kind"], row["count_all"]) for row in kinds],
    )


def table_of(store, version=None):
    return deltalake.DeltaTable(str(store), version=version)


def by_deltalake(store, version=None):
    return of_arrow(table_of(store, version).to_pyarrow_table(columns=["seq", "ts", "kind"]))


def by_polars(store, version=None):
    events = polars.scan_delta(str(store), version=version)
    ts, seq = polars.col("ts"), polars.col("seq")
    row = events.select(
        events=polars.len(), distinct=seq.n_unique(),
        ts_min=ts.min(), ts_max=ts.max(), seq_min=seq.min(), seq_max=seq.max(),
    ).collect().row(0, named=True)
    kinds = events.group_by("kind").len().collect().rows()
    return facts(
        row["events"], row["distinct"], [row["ts_min"], row["ts_max"]], [row["seq_min"], row["seq_max"]], kinds
    )


def by_duckdb(store, version=None, key=None):
    """DuckDB's own reading of the files, by its own idea of their types."""
    files = table_of(store, version).file_uris()
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    options = ""
    if key:
        connection.execute(f"PRAGMA add_parquet_key('store', '{base64.b64encode(key).decode()}')")
        options = ", encryption_config = {footer_key: 'store'}"
    events = connection.sql(f"FROM read_parquet({files}, union_by_name = true{options})")
    row = connection.sql(
        "SELECT count(*), count(DISTINCT seq), epoch_us(min(ts)), epoch_us(max(ts)), min(seq), max(seq) FROM events"
    ).fetchall()[0]
    kinds = connection.sql("SELECT kind, count(*) FROM events GROUP BY kind").fetchall()
    found = facts(row[0], row[1], [], row[4:6], kinds)
    return {**found, "ts": list(row[2:4])}


def by_pyarrow(store, version=None):
    """Arrow's own reading of the files."""
    files = table_of(store, version).file_uris()
    fields = [("seq", pyarrow.int64()), ("ts", pyarrow.timestamp("us", "UTC")), ("kind", pyarrow.string())]
    dataset = pyarrow.dataset.dataset(files, schema=pyarrow.schema(fields))
    return of_arrow(dataset.to_table())


READERS = {"deltalake": by_deltalake, "polars": by_polars, "duckdb": by_duckdb, "pyarrow": by_pyarrow}

# The types of `daybook schema`, as Delta and Polars name them.
TYPES = {
    "bool": ("boolean", polars.Boolean()),
    "int8": ("byte", polars.Int8()),
    "int32": ("integer", polars.Int32()),
    "int64": ("long", polars.Int64()),
    "double": ("double", polars.Float64()),
    "string": ("string", polars.String()),
    "timestamp": ("timestamp", polars.Datetime("us", "UTC")),
}


def types_by_deltalake(store):
    fields = json.loads(table_of(store).schema().to_json())["fields"]
    return {
        field["name"]: ("list of", field["type"]["elementType"]) if isinstance(field["type"], dict) else field["type"]
        for field in fields
    }


def types_by_polars(store):
    return dict(polars.scan_delta(str(store)).collect_schema())


def expected_types(columns):
    """What Delta and Polars should say, from the columns of `daybook schema`."""
    delta, frame = {}, {}
    for column in columns:
        is_list = column["type"].startswith("list of ")
        delta_type, polars_type = TYPES[column["type"].removeprefix("list of ")]
        delta[column["name"]] = ("list of", delta_type) if is_list else delta_type
        frame[column["name"]] = polars.List(polars_type) if is_list else polars_type
    return {**delta, "day": "date"}, {**frame, "day": polars.Date()}
