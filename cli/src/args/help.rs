//! Examples and tables at the end of each command's help.

pub const ROOT: &str = "\
Examples:
  daybook demo                                    a year of sample events to explore
  daybook log deploy \"version 2.1 is live\"        one event
  daybook ingest app.jsonl.zst                    a whole file
  daybook sql \"SELECT kind, count(*) FROM events GROUP BY kind\"

Exit codes:
  0    done
  1    a failure that you can mend, a refused or timed-out query, or a check that found something
  2    wrong usage, or SQL that does not parse
  70   a defect in Daybook
  130  Ctrl-C";

pub const DEMO: &str = "\
Examples:
  daybook demo
  daybook demo --until 2026-06-30 --store /tmp/demo";

pub const LOG: &str = "\
Examples:
  daybook log deploy \"version 2.1 is live\" --actor ci --level info
  daybook log edit \"limit raised\" --entity file:limits.toml --before '{\"max\":10}' --after @new.json
  daybook log payment \"card charged\" --status success --field amount=12.5 --field currency=EUR
  my-app | daybook log -

With `-`, each line of standard input is one JSON event. One line is printed for each, in order, as
soon as the event is on disk: its seq, or `quarantined: why` for a line that cannot be read. Blank
lines are skipped.

VALUE of --field is taken as JSON where it is JSON (12.5, true, [1,2], \"12\"), else as text.";

pub const INGEST: &str = "\
Examples:
  daybook ingest app.jsonl
  daybook ingest logs/2026-02-*.jsonl.gz
  zcat old.jsonl.gz | daybook ingest - --json
  daybook ingest --follow /var/log/nginx/access.log /var/log/syslog

The same file twice is stored once; a file that grew continues where it stopped. What cannot be
read is kept with its reason: see `daybook quarantine`.

With --follow, what is in the files is stored, and each further line within a second. A file that
is rotated is read to its end, and the one that takes its place from its beginning; one that is not
there is waited for. Stopped with Ctrl-C, SIGTERM or kill -9, the same command goes on where it was,
also with lines that were rotated away meanwhile.";

pub const QUARANTINE: &str = "\
Examples:
  daybook quarantine
  daybook quarantine list --reason \"not JSON\"
  daybook quarantine retry --from text --input app.log

What cannot be read is kept here with the reason, its input and where it stood, and without its
secrets. The table `quarantine` has all of it for SQL.";

pub const QUARANTINE_SUMMARY: &str = "\
Examples:
  daybook quarantine summary
  daybook quarantine summary --since 2026-02-03 --json";

pub const QUARANTINE_LIST: &str = "\
Examples:
  daybook quarantine list
  daybook quarantine list --input app.log --limit 100
  daybook quarantine list --reason \"not JSON at byte …\" --json

TEXT of --reason may be a reason as the summary has it, where … stands for any number. Long texts
are cut; `daybook sql \"SELECT raw FROM quarantine WHERE seq = ...\"` has the whole.";

pub const QUARANTINE_RETRY: &str = "\
Examples:
  daybook quarantine retry --from text --reason \"not JSON\"
  daybook quarantine retry --map ts=request.when --reason \"no timestamp\"
  daybook quarantine retry --mapping shop --input orders

Each record is read alone. Those that can be read become events, under the numbers that they had,
and leave the quarantine; the others stay. Records of which only the beginning was kept are not
tried. This is also the way to mend a file that was read as the wrong format: to ingest it again
changes nothing, because its records are known.";

pub const SQL: &str = "\
Examples:
  daybook sql \"SELECT * FROM events ORDER BY ts DESC LIMIT 10\"
  daybook sql \"SELECT day, count(*) FROM events WHERE severity >= 17 GROUP BY day\" --json
  daybook sql \"SELECT * FROM events WHERE actor = \\$who\" --param who=alice --format csv
  daybook sql \"SELECT count(*) FROM events\" --at 2026-02-01T00:00:00Z
  daybook sql - < report.sql

Tables: events, quarantine, commits. The SQL is DuckDB's, and only reads.
VALUE of --param is taken as JSON where it is JSON (12.5, true, \"12\"), else as text.";

pub const SCHEMA: &str = "\
Examples:
  daybook schema
  daybook schema --json";

pub const INFO: &str = "\
Examples:
  daybook info
  daybook info --json --store /var/lib/my-app/daybook";

pub const EXPORT: &str = "\
Examples:
  daybook export events.jsonl
  daybook export - --original | gzip > events.jsonl.gz

FILE gets its name only when it is complete.";

pub const COMPACT: &str = "\
Examples:
  daybook compact
  daybook compact --day 2026-02-03";

pub const COMPLETIONS: &str = "\
Examples:
  daybook completions bash > ~/.local/share/bash-completion/completions/daybook
  daybook completions zsh > ~/.zfunc/_daybook
  daybook completions fish > ~/.config/fish/completions/daybook.fish";

pub const MAN: &str = "\
Examples:
  daybook man | man -l -
  daybook man sql > daybook-sql.1";
