"""Translations of functions of one row: texts, lists, times, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from daybook.optional import module
from daybook.spark.casts import as_time
from daybook.spark.making import call, spark, text
from daybook.spark.regex import java_regex
from daybook.spark.translate import Context, refuse

__all__ = ["RULES"]

#: Stands for no escape in patterns of LIKE: Spark has one where DuckDB has none.
_NO_ESCAPE = "\x01"
#: Where DuckDB's `time_bucket` begins to count: Monday, 2000-01-03.
_ORIGIN_US = 946_857_600_000_000
_UNITS_US = {"MICROSECOND": 1, "MILLISECOND": 1_000, "SECOND": 1_000_000, "MINUTE": 60_000_000, "HOUR": 3_600_000_000,
             "DAY": 86_400_000_000, "WEEK": 604_800_000_000}
_FORMATS = {"%Y": "yyyy", "%m": "MM", "%d": "dd", "%H": "HH", "%M": "mm", "%S": "ss"}


def _length(node: Any, context: Context) -> Any:
    kind = context.kind(node.this)
    exp = module("sqlglot").exp
    if kind == "text":
        return node
    if kind == "list" or isinstance(node.this, (exp.ArrayFilter, exp.Transform, exp.Array)):
        return call("size", node.this)
    refuse("`len` of what may be neither text nor list")


def _of_text(node: Any, context: Context) -> Any:
    if context.kind(node.this) not in ("text", "null"):
        refuse(f"`{node.sql('duckdb')[:60]}`, whose argument may be no text")
    return node


def _both_texts(node: Any, context: Context) -> Any:
    if not {context.kind(node.this), context.kind(node.expression)} <= {"text", "null"}:
        refuse(f"`{node.sql('duckdb')[:60]}`, whose arguments may be no texts")
    return node


def _contains(node: Any, context: Context) -> Any:
    if context.kind(node.this) == "list":
        return _list_contains(node, context)
    return _both_texts(node, context)


def _part(node: Any, context: Context) -> Any:
    _of_text(node, context)
    exp = module("sqlglot").exp
    numbers = [part for name in ("start", "length", "expression") if (part := node.args.get(name)) is not None]
    if not all(isinstance(part, exp.Literal) and part.name.isdigit() for part in numbers):
        refuse("a part of a text that does not begin and end at literals")
    if isinstance(node, exp.Substring) and int(node.args["start"].name) < 1:
        refuse("a part of a text that begins before its first character")
    return node


def _concat(node: Any, context: Context) -> Any:
    if any(context.kind(part) not in ("text", "whole", "null") for part in node.expressions):
        refuse("`concat` of what may be no text", "cast it to VARCHAR")
    parts = [spark("coalesce(CAST(:x AS STRING), '')", x=part) for part in node.expressions]
    return call("concat", *parts)


def _joined(node: Any, context: Context) -> Any:
    if not {context.kind(node.this), context.kind(node.expression)} <= {"text", "whole", "null"}:
        refuse("`||` of what may be no text", "cast it to VARCHAR")
    return node


def _like(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    _both_texts(node, context)
    if isinstance(node.parent, exp.Escape):
        refuse("`ESCAPE`")
    made = exp.Paren(this=exp.Escape(this=type(node)(this=node.this, expression=node.expression), expression=text(_NO_ESCAPE)))
    return exp.Paren(this=exp.Not(this=made)) if node.args.get("negate") else made


def _regex(node: Any, context: Context) -> Any:
    return spark(":x RLIKE :p", x=node.this, p=_java(node, node.args.get("flag"), context))


def _whole_regex(node: Any, context: Context) -> Any:
    return spark(":x RLIKE :p", x=node.this, p=_java(node, node.args.get("options"), context, whole=True))


def _java(node: Any, flags: Any, context: Context, *, whole: bool = False) -> Any:
    _of_text(node, context)
    pattern = context.text(node.expression)
    given = "" if flags is None else context.text(flags)
    if pattern is None or given is None:
        refuse("a pattern that is no literal or parameter")
    java = java_regex(pattern, given)
    if whole:
        end = java.index(")") + 1
        java = f"{java[:end]}\\A(?:{java[end:]})\\z"
    # As a parameter, of which nothing is read as an escape.
    name = f"daybook_pattern_{len(context.parameters)}"
    context.parameters[name] = java
    return module("sqlglot").exp.Placeholder(this=name)


def _list_contains(node: Any, context: Context) -> Any:
    if context.kind(node.this) != "list":
        refuse("`list_contains` of what may be no list")
    return spark("exists(:list, daybook_one -> coalesce(daybook_one = :x, false))", list=node.this, x=node.expression)


def _of_list(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    if context.kind(node.this) != "list" and not isinstance(node.this, (exp.Array, exp.ArrayFilter, exp.Transform)):
        refuse("a function of lists, of what may be no list")
    if len(node.expression.expressions) != 1:
        refuse("a lambda of more than one parameter")
    return node


def _truncated(node: Any, context: Context) -> Any:
    unit = node.args["unit"].name.upper()
    if unit not in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"):
        refuse(f"`date_trunc` to {unit.lower()}")
    if context.kind(node.this) != "time":
        refuse("`date_trunc` of what may be no timestamp", "cast it to TIMESTAMP")
    return call("date_trunc", text(unit), node.this)


def _bucket(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    interval = node.this
    if not isinstance(interval, exp.Interval) or context.kind(node.expression) not in ("time", "date"):
        refuse("`time_bucket` with these arguments")
    width = _UNITS_US.get(interval.args["unit"].name.upper().rstrip("S"), 0) * int(str(interval.this.this))
    if width <= 0:
        refuse("`time_bucket` of months or years", "use date_trunc")
    return spark("timestamp_micros(unix_micros(:t) - pmod(unix_micros(:t) - :origin, :width))", t=as_time(node.expression),
                 origin=spark(f"CAST({_ORIGIN_US} AS BIGINT)"), width=spark(f"CAST({width} AS BIGINT)"))


def _difference(node: Any, context: Context) -> Any:
    unit = str(node.args["unit"].name).upper()
    width = _UNITS_US.get(unit)
    if width is None or unit == "WEEK" or not {context.kind(node.this), context.kind(node.expression)} <= {"time", "date"}:
        refuse(f"`date_diff` in {unit.lower()} of these")

    # DuckDB counts how often a unit begins between both; Spark counts whole units.
    def started(side: Any) -> Any:
        return spark(f"CAST(floor(unix_micros(:t) / {width}) AS BIGINT)", t=as_time(side))

    return spark(":one - :other", one=started(node.this), other=started(node.expression))


def _field(function: str, shift: int = 0) -> Callable[[Any, Context], Any]:
    def made(node: Any, context: Context) -> Any:
        if context.kind(node.this) not in ("time", "date"):
            refuse(f"`{function}` of what may be no time")
        return _shifted(function, shift, node.this)
    return made


def _shifted(function: str, shift: int, value: Any) -> Any:
    made = call(function, value)
    return spark(f":x {'+' if shift > 0 else '-'} {abs(shift)}", x=made) if shift else made


_FIELDS = {"YEAR": ("year", 0), "QUARTER": ("quarter", 0), "MONTH": ("month", 0), "WEEK": ("weekofyear", 0),
           "DAY": ("day", 0), "HOUR": ("hour", 0), "MINUTE": ("minute", 0), "SECOND": ("second", 0),
           "DOY": ("dayofyear", 0), "DAYOFYEAR": ("dayofyear", 0), "DOW": ("dayofweek", -1), "DAYOFWEEK": ("dayofweek", -1),
           "ISODOW": ("weekday", 1)}


def _extract(node: Any, context: Context) -> Any:
    return _part_of_time(node.this.name, node.expression, context)


def _part_of_time(unit: str | None, time: Any, context: Context) -> Any:
    field = _FIELDS.get("" if unit is None else unit.upper())
    if field is None or context.kind(time) not in ("time", "date"):
        refuse(f"the part `{unit}` of a time")
    return _shifted(*field, time)


def _formatted(node: Any, context: Context) -> Any:
    form = context.text(node.args["format"])
    if form is None or context.kind(node.this) not in ("time", "date"):
        refuse("`strftime` with these arguments")
    if "'" in form:
        refuse("a quote in `strftime`")
    made = ""
    for code, plain in re.findall(r"(%.?)|([^%]+)", form, re.DOTALL):
        if code and code not in _FORMATS:
            refuse(f"`{code}` in `strftime`")
        made += _FORMATS[code] if code else f"'{plain}'"
    return call("date_format", node.this, text(made))


#: By what a number of `UnixToTime` counts, and of what it is.
_FROM_NUMBERS = {("3", "time"): "unix_millis", ("3", "whole"): "timestamp_millis", ("6", "whole"): "timestamp_micros"}


def _from_number(node: Any, context: Context) -> Any:
    scale = node.args.get("scale")
    function = _FROM_NUMBERS.get(("" if scale is None else scale.name, context.kind(node.this)))
    if function is None:
        refuse("this conversion of a time")
    if function == "unix_millis":
        # DuckDB rounds, and Spark cuts.
        return spark("CAST(round(unix_micros(:t) / CAST(1000 AS DOUBLE)) AS BIGINT)", t=node.this)
    return call(function, node.this)


def _round(node: Any, context: Context) -> Any:
    exp = module("sqlglot").exp
    digits, kind = node.args.get("decimals"), context.kind(node.this)
    if kind == "whole" and digits is None or kind == "decimal":
        return node
    if kind != "double":
        refuse("`round` of what may be no double")
    if digits is None:
        return call("round", node.this)
    if not isinstance(digits, exp.Literal) or not digits.name.isdigit() or int(digits.name) > 15:
        refuse("`round` to digits that are no literal from 0 to 15")
    # As DuckDB computes it: Spark rounds the decimal spelling of the double.
    power = f"CAST(1{'0' * int(digits.name)} AS DOUBLE)"
    return spark(f"round(:x * {power}) / {power}", x=node.this)


def _to_double(node: Any, context: Context) -> Any:
    kind = context.kind(node.this)
    if kind not in ("whole", "double"):
        refuse("this of what may be no number")
    exp = module("sqlglot").exp
    return node if kind == "whole" else exp.cast(type(node)(this=node.this), "DOUBLE")


def _alike(node: Any, context: Context) -> Any:
    kinds = {context.kind(part) for part in (node.this, *node.expressions)} - {"null"}
    if not (kinds <= {"whole", "double", "decimal"} or len(kinds) == 1 and kinds <= {"text", "time", "date"}):
        refuse("`greatest` and `least` of values of several types")
    return node


_NAMED: dict[str, tuple[int, str, tuple[str, ...]]] = {
    # A function's arguments, what it is in Spark, and of what its arguments may be.
    "isfinite": (1, "NOT isnan(:a) AND abs(:a) <> CAST('Infinity' AS DOUBLE)", ("double",)),
    "to_hours": (1, "make_dt_interval(0, CAST(:a AS INT))", ("whole",)),
    "to_minutes": (1, "make_dt_interval(0, 0, CAST(:a AS INT))", ("whole",)),
    "to_seconds": (1, "make_dt_interval(0, 0, 0, CAST(:a AS DECIMAL(18, 6)))", ("whole",)),
    "epoch_us": (1, "unix_micros(:a)", ("time",)),
}


def _by_name(node: Any, context: Context) -> Any:
    """A function that sqlglot does not know."""
    name, arguments = str(node.this).lower(), node.expressions
    if name in ("now", "get_current_timestamp", "transaction_timestamp") and not arguments:
        return call("current_timestamp")
    if name in ("date_part", "datepart") and len(arguments) == 2:
        return _part_of_time(context.text(arguments[0]), arguments[1], context)
    count, template, kinds = _NAMED.get(name, (-1, "", ()))
    if len(arguments) != count:
        refuse(f"the function `{name}`")
    if any(context.kind(argument) not in kinds for argument in arguments):
        refuse(f"`{name}` of what may be no {' or '.join(kinds)}")
    return spark(template, a=arguments[0])


def _given(template: str, *kinds: str) -> Callable[[Any, Context], Any]:
    def made(node: Any, context: Context) -> Any:
        if context.kind(node.this) not in kinds:
            refuse(f"`{node.sql('duckdb')[:60]}`, whose argument may be no {' or '.join(kinds)}")
        return spark(template, a=node.this)
    return made


RULES = {
    "Length": _length, "Lower": _of_text, "Upper": _of_text, "Trim": _of_text, "Substring": _part, "Left": _part,
    "Right": _part, "Concat": _concat, "DPipe": _joined, "Replace": _both_texts, "StartsWith": _both_texts,
    "EndsWith": _both_texts, "Contains": _contains, "Like": _like, "ILike": _like, "RegexpLike": _regex,
    "RegexpFullMatch": _whole_regex, "ArrayContains": _list_contains, "ArrayFilter": _of_list, "Transform": _of_list,
    "TimestampTrunc": _truncated, "DateTrunc": _truncated, "DateBin": _bucket, "DateDiff": _difference,
    "Extract": _extract, "TimeToStr": _formatted, "UnixToTime": _from_number, "Round": _round, "Floor": _to_double,
    "Ceil": _to_double, "Greatest": _alike, "Least": _alike, "Anonymous": _by_name, "Year": _field("year"),
    "Month": _field("month"), "Day": _field("day"), "Hour": _field("hour"), "Minute": _field("minute"),
    "Second": _field("second"), "Quarter": _field("quarter"), "DayOfWeek": _field("dayofweek", -1),
    "DayOfYear": _field("dayofyear"), "WeekOfYear": _field("weekofyear"), "Week": _field("weekofyear"),
    "DayOfWeekIso": _field("weekday", 1), "TimeToUnix": _given("unix_micros(:a) / CAST(1000000 AS DOUBLE)", "time"),
    "ToDays": _given("make_dt_interval(CAST(:a AS INT))", "whole"),
    "IsNan": _given("CASE WHEN :a IS NOT NULL THEN isnan(:a) END", "double"),
}
