/** Functions that the editor offers, each with what it takes; the engine has many more. */
export const FUNCTIONS: readonly [string, string][] = [
  ["abs", "(number)"], ["any_value", "(value)"], ["approx_count_distinct", "(value)"], ["approx_quantile", "(number, share)"],
  ["arg_max", "(value, by)"], ["arg_min", "(value, by)"], ["avg", "(number)"], ["coalesce", "(value, …)"], ["concat", "(value, …)"],
  ["contains", "(text, part)"], ["count", "(*)"], ["count_if", "(condition)"], ["date_diff", "(part, from, to)"], ["date_part", "(part, time)"],
  ["date_trunc", "(part, time)"], ["day", "(time)"], ["dayname", "(time)"], ["dense_rank", "() OVER"], ["epoch_ms", "(time)"],
  ["extract", "(part FROM time)"], ["first", "(value)"], ["first_value", "(value) OVER"], ["floor", "(number)"], ["greatest", "(value, …)"],
  ["histogram", "(value)"], ["hour", "(time)"], ["lag", "(value) OVER"], ["last", "(value)"], ["lead", "(value) OVER"], ["least", "(value, …)"],
  ["left", "(text, count)"], ["length", "(text)"], ["list", "(value)"], ["lower", "(text)"], ["max", "(value)"], ["median", "(number)"],
  ["min", "(value)"], ["minute", "(time)"], ["mode", "(value)"], ["month", "(time)"], ["nullif", "(value, other)"], ["quantile_cont", "(number, share)"],
  ["rank", "() OVER"], ["regexp_extract", "(text, regex, group)"], ["regexp_matches", "(text, regex)"], ["regexp_replace", "(text, regex, by)"],
  ["replace", "(text, part, by)"], ["round", "(number, digits)"], ["row_number", "() OVER"], ["split_part", "(text, by, at)"],
  ["starts_with", "(text, part)"], ["stddev", "(number)"], ["strftime", "(time, format)"], ["string_agg", "(text, by)"],
  ["string_split", "(text, by)"], ["strptime", "(text, format)"], ["substr", "(text, from, count)"], ["sum", "(number)"],
  ["time_bucket", "(INTERVAL, time)"], ["trim", "(text)"], ["try_cast", "(value AS type)"], ["unnest", "(list)"], ["upper", "(text)"], ["year", "(time)"],
];

/** Phrases that are typed often. */
export const WORDS: readonly string[] = ["GROUP BY ALL", "ORDER BY", "GROUP BY", "FILTER (WHERE", "COUNT(*)"];
