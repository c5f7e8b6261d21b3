"""The Python package beside what else Python has: `python tests/bench/python.py FOLDER`, with `daybook` installed.

Calls: one call of each way to log, with three fields, into a file; the median of rounds that are shorter than the
queue, and the rate of a million calls. Time is that of the calling thread on a processor, so that other work on the machine
counts little. Of a call by `logging` half is logging's own, so that handlers are also compared by what they take of a record.
Durable: beside the same bytes handed to the library. Promises that are not kept make it fail. Answers: a million rows as a table of pyarrow, beside the package `duckdb` on
the same files. Import: a new interpreter, less one that imports nothing.
"""

import json
import logging
import os
import pathlib
import statistics
import subprocess
import sys
import time

import duckdb
import loguru
import structlog

import daybook
import daybook.values

ROUNDS, CALLS, ROWS = 15, 5_000, 1_000_000


class JsonFormatter(logging.Formatter):
    """What a service writes: a line of JSON a record."""

    def format(self, record):
        line = {"ts": record.created, "level": record.levelname.lower(), "logger": record.name,
                "message": record.getMessage(), "actor": record.actor, "order_id": record.order_id}
        if record.exc_info:
            line["stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


def standard(folder):
    return logger_with(logging.FileHandler(folder / "standard.log"), JsonFormatter())


def handler(folder):
    return logger_with(daybook.LoggingHandler(folder / "handler", source="bench"), None)


def logger_with(handler, formatter):
    logger = logging.Logger("bench")
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    call = lambda n: logger.info("order %d is on its way", n, extra={"actor": "ann", "order_id": n})  # noqa: E731
    return call, handler.flush, handler.close


def own(folder):
    log = daybook.Logger(folder / "logger", source="bench")
    call = lambda n: log.event("order", f"order {n} is on its way", actor="ann", order_id=n)  # noqa: E731
    return call, log.flush, log.close


def structured(folder):
    file = (folder / "structlog.log").open("w")
    logger = structlog.wrap_logger(
        structlog.WriteLogger(file), wrapper_class=structlog.make_filtering_bound_logger(0),
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True),
                    structlog.processors.JSONRenderer()]).bind(logger="bench")
    call = lambda n: logger.info(f"order {n} is on its way", actor="ann", order_id=n)  # noqa: E731
    return call, file.flush, file.close


def gurus(folder):
    logger = loguru.logger
    logger.remove()
    number = logger.add(folder / "loguru.log", serialize=True)
    call = lambda n: logger.info("order {} is on its way", n, actor="ann", order_id=n)  # noqa: E731
    return call, lambda: None, lambda: logger.remove(number)


def seconds(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


#: What must hold: a name, and the most that a ratio may be.
PROMISES = {"Logger.event of FileHandler": 0.5, "LoggingHandler.handle of FileHandler.handle": 0.5,
            "Logger.event of structlog": 1.0, "Logger.event of loguru": 1.0, "LoggingHandler of structlog": 1.0,
            "LoggingHandler of loguru": 1.0, "fsync of the library's": 1.25, "to_arrow of duckdb": 1.1,
            "import in 50 ms": 1.0}
ratios = {}


def on_processor(work):
    began = time.thread_time()
    work()
    return time.thread_time() - began


def handled(folder):
    """What handlers take of a record, without what logging does before."""
    record = logging.makeLogRecord({"name": "bench", "levelno": 20, "levelname": "INFO", "msg": "order %d is on its way",
                                    "args": (5,), "actor": "ann", "order_id": 5})
    file, ours = logging.FileHandler(folder / "handled.log"), daybook.LoggingHandler(folder / "handled", source="bench")
    file.setFormatter(JsonFormatter())
    taken = {file: [], ours: []}
    for _ in range(ROUNDS):
        for one, times in taken.items():
            times.append(on_processor(lambda: [one.handle(record) for _ in range(CALLS)]) / CALLS)
            one.flush()
    base, own = (statistics.median(times) for times in taken.values())
    ours.close()
    ratios["LoggingHandler.handle of FileHandler.handle"] = own / base
    print(f"a record  FileHandler.handle       {base * 1e6:7.2f} us")
    print(f"a record  LoggingHandler.handle    {own * 1e6:7.2f} us  {own / base:5.2f} of FileHandler.handle")


def calls(call):
    for n in range(CALLS):
        call(n)


def logging_calls(folder):
    ways = {"FileHandler with JSON": standard, "structlog": structured, "loguru": gurus, "LoggingHandler": handler,
            "Logger.event": own}
    made = {name: way(folder) for name, way in ways.items()}
    taken = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (call, flush, _) in made.items():
            taken[name].append(on_processor(lambda: calls(call)) / CALLS)
            flush()
    rates = {}
    for name in ("FileHandler with JSON", "LoggingHandler", "Logger.event"):
        call, flush, _ = made[name]
        rates[name] = 40 * CALLS / seconds(lambda: ([calls(call) for _ in range(40)], flush()))
    for _, _, close in made.values():
        close()
    medians = {name: statistics.median(times) for name, times in taken.items()}
    base = medians["FileHandler with JSON"]
    for name in ("Logger.event", "LoggingHandler"):
        ratios[f"{name} of FileHandler"] = medians[name] / base
        for other in ("structlog", "loguru"):
            ratios[f"{name} of {other}"] = medians[name] / medians[other]
    for name, median in medians.items():
        print(f"one call  {name:24} {median * 1e6:7.2f} us  {median / base:5.2f} of FileHandler with JSON")
    for name, rate in rates.items():
        print(f"sustained {name:24} {rate:9,.0f} events/s, on disk")


def durable(folder):
    """In turns, since a disk is not always as fast."""
    log = daybook.Logger(folder / "audit", source="bench")
    own = lambda n: log.audit.update("order", n, before={"a": 1}, after={"a": 2})  # noqa: E731
    record = daybook.values.encode(log._record("update", None, None, False, {
        "entity_type": "order", "entity_id": 5, "before": {"a": 1}, "after": {"a": 2}}))
    native = log.store._native
    taken = [(seconds(lambda: own(n)), seconds(lambda: native.append(record, "fsync"))) for n in range(300)]
    log.close()
    mine, library = (statistics.median(times) for times in zip(*taken))
    ratios["fsync of the library's"] = mine / library
    print(f"fsync     Logger.audit.update      {mine * 1e6:7.0f} us, the library {library * 1e6:.0f} us, "
          f"ratio {mine / library:.2f}")


def answers(folder):
    with daybook.open(folder / "rows", create=True) as store:
        store.ingest({"ts": 1_770_000_000_000_000 + n * 1000, "kind": ("deploy", "login", "order")[n % 3], "n": n,
                      "share": n / 7, "message": f"order {n} of customer {n % 1000}"} for n in range(ROWS))
        store.seal()
        files = sorted(str(file) for file in (folder / "rows").rglob("*.parquet"))
        files = [file for file in files if {"seq", "kind"} <= columns(file)]
        query = "SELECT ts, kind, n, share, message FROM "
        ours = lambda: store.sql(query + "events").to_arrow()  # noqa: E731
        listed = ", ".join(f"'{file}'" for file in files)
        con = duckdb.connect()
        theirs = lambda: con.sql(  # noqa: E731
            query + f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)").to_arrow_table()
        assert len(ours()) == len(theirs()) == ROWS
        taken = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    mine, duck = (statistics.median(times) for times in zip(*taken))
    ratios["to_arrow of duckdb"] = mine / duck
    print(f"to_arrow  {ROWS:,} rows: {mine * 1e3:.0f} ms, duckdb {duck * 1e3:.0f} ms, ratio {mine / duck:.2f}")


def columns(file):
    return set(duckdb.sql(f"SELECT * FROM read_parquet('{file}') LIMIT 0").columns)


def importing():
    def took(code):
        return min(seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True)) for _ in range(9))

    took_ms = (took("import daybook") - took("pass")) * 1e3
    ratios["import in 50 ms"] = took_ms / 50
    print(f"import daybook: {took_ms:.0f} ms; with Logger and open: "
          f"{(took('import daybook; daybook.Logger, daybook.open') - took('pass')) * 1e3:.0f} ms")


def judged():
    """Whether each promise is kept."""
    broken = [f"{name}: {ratios[name]:.2f}, at most {most}" for name, most in PROMISES.items() if ratios[name] > most]
    print("\n".join(f"broken: {one}" for one in broken) or f"all {len(PROMISES)} promises are kept")
    return not broken


if __name__ == "__main__":
    place = pathlib.Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    logging_calls(place)
    handled(place)
    durable(place)
    answers(place)
    importing()
    sys.exit(not judged())
