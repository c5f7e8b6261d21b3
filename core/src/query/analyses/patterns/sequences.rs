//! Sequences: which kinds follow which within a session, or within what an actor does without a pause.

use super::super::{Analysis, Answers, Row, Scope, Statement};
use super::finding::{Finding, What, number};
use super::math::{Count, LEAST, believed, surprise};
use super::{ALARM, alarm_is_valid};
use crate::error::Result;
use crate::event::time::{MINUTE_US, rfc3339};
use crate::query::filter::{Filter, Where};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// So many kinds are told apart: the most frequent. All others are one.
const KINDS_MAX: u64 = 400;
/// A path is a number with a digit a kind: 0 is none, and the last is what is rarer than all others.
const DIGIT: i64 = 512;
const RARER: i64 = DIGIT - 1;
/// So many kinds are the most of a path, and so many paths of each length are looked at.
const LENGTH_MAX: usize = 5;
const PATHS_MAX: u64 = 400;
const PAIRS_MAX: u64 = 40_000;
/// What says that a row is a session and not a path.
const SESSION: u64 = 6;
/// Sessions that leave the path: so many are looked at.
const SESSIONS_MAX: u64 = 100;
/// Times between are told apart by their logarithms, in parts of a tenth.
const BINS: f64 = 10.0;

/// Which kinds follow which.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequences {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// Without a session, what an actor does ends when nothing happens for so many minutes.
    #[serde(default = "gap_minutes")]
    pub gap_minutes: u32,
    /// How often a pair or a path must be there.
    #[serde(default = "support_least")]
    pub support: u64,
    /// The share of findings that may be chance.
    #[serde(default = "super::alarm")]
    pub alarm: f64,
    /// How many of each: pairs, paths, sessions.
    #[serde(default = "super::findings_shown")]
    pub limit: u64,
}

fn gap_minutes() -> u32 {
    30
}

fn support_least() -> u64 {
    5
}

/// The report of [`Sequences`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SequencesReport {
    /// Sessions of at least two events, and actors with steps of no session.
    pub sessions: u64,
    /// Steps from one event of a session to the next.
    pub steps: u64,
    /// The share of pairs that may be chance, and of sessions.
    pub alarm: f64,
    /// What follows what more often than by chance, the strongest first.
    pub pairs: Vec<Pair>,
    /// How many such pairs there are in all.
    pub pairs_found: u64,
    /// Frequent paths of three to five kinds.
    pub paths: Vec<FrequentPath>,
    /// Sessions that leave the usual path, the least likely first.
    pub unusual: Vec<UnusualSession>,
    /// What was not looked at, in sentences.
    pub left_out: Vec<String>,
}

/// A kind that follows another one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The first kind.
    pub first: String,
    /// The kind of the next event.
    pub then: String,
    /// How often.
    pub support: u64,
    /// The share of what follows the first kind.
    pub confidence: f64,
    /// How many times more often than by chance.
    pub lift: f64,
    /// Half of the times between them are at most so long, in seconds, to a tenth of it.
    pub seconds_median: f64,
    /// Nine of ten are at most so long.
    pub seconds_p90: f64,
    /// The probability of so many by chance.
    pub p: f64,
}

/// Kinds that often follow each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrequentPath {
    /// The kinds, in order.
    pub kinds: Vec<String>,
    /// How often.
    pub support: u64,
    /// The share of what follows all but the last kind.
    pub confidence: f64,
}

/// A session whose steps are seldom taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnusualSession {
    /// Its id; without one the actor, all of whose sessions count as one.
    pub session: String,
    /// When its first event happened.
    pub from: String,
    /// How many steps it has.
    pub steps: u64,
    /// The mean logarithm of the probabilities of its steps, in decimal places.
    pub likelihood: f64,
    /// Its rarest step.
    pub rarest: Vec<String>,
    /// How often that was taken in other sessions.
    pub rarest_support: u64,
    /// The probability of steps as rare as these together, at most.
    pub p: f64,
    /// The words of the command that shows it.
    pub show: Vec<String>,
}

impl Sequences {
    /// Of these events.
    pub fn new(filter: Filter) -> Sequences {
        let limit = super::findings_shown();
        Sequences { filter, gap_minutes: gap_minutes(), support: support_least(), alarm: ALARM, limit }
    }

    /// The events in their sessions, each with the steps that led to it; `back` of them.
    fn steps(&self, condition: &Where, back: usize) -> String {
        let gap = i64::from(self.gap_minutes).saturating_mul(MINUTE_US);
        let lagged = (1..=back)
            .map(|by| format!("lag(k, {by}) OVER w AS k{by}, lag(us, {by}) OVER w AS us{by}"))
            .collect::<Vec<_>>()
            .join(", ");
        format!(
            "chosen AS (SELECT session IS NOT NULL AS named, \
             CASE WHEN session IS NOT NULL THEN hash(session) ELSE hash(actor, 1) END AS who, \
             epoch_us(ts) AS us, seq, kind AS name_of FROM events \
             WHERE {} AND kind IS NOT NULL AND (session IS NOT NULL OR actor IS NOT NULL)), \
             counted AS (SELECT name_of AS name, count(*) AS n FROM chosen GROUP BY 1), \
             top AS (SELECT name, n, row_number() OVER (ORDER BY n DESC, name) AS id FROM counted \
             ORDER BY n DESC, name LIMIT {KINDS_MAX}), \
             coded AS (SELECT named, who, us, seq, coalesce(id, {RARER}) AS k FROM chosen \
             LEFT JOIN top ON name_of = name), \
             lagged AS (SELECT named, who, us, seq, k, {lagged} FROM coded \
             WINDOW w AS (PARTITION BY who ORDER BY us, seq)), \
             steps AS (SELECT who, us, seq, k, us - us1 AS gap, \
             CASE WHEN named OR us - us1 <= {gap} THEN k1 END AS k1{} FROM lagged)",
            condition.sql,
            (2..=back)
                .map(|by| {
                    let joined = (1..=by).map(|step| match step {
                        1 => format!("us - us1 <= {gap}"),
                        _ => format!("us{} - us{step} <= {gap}", step.saturating_sub(1)),
                    });
                    let joined = joined.collect::<Vec<_>>().join(" AND ");
                    format!(", CASE WHEN named OR ({joined}) THEN k{by} END AS k{by}")
                })
                .collect::<String>()
        )
    }

    /// Paths by length, times between, and the sessions that leave the path. The first column says which: 0 is a time,
    /// up to 5 the length of a path, and 6 a session. Then follow the path or the rarest step; how often it was taken,
    /// or the session's steps; and the part of a tenth of the logarithm of a time. The rest is of sessions.
    fn steps_taken(&self, condition: &Where) -> Statement {
        let digits = "coalesce(k4, 0) * 68719476736 + coalesce(k3, 0) * 134217728 + coalesce(k2, 0) * 262144 \
                      + coalesce(k1, 0) * 512 + k";
        let of_length = |length: u32| {
            let (least, modulus) = (DIGIT.pow(length.saturating_sub(1)), DIGIT.pow(length));
            let most = if length == 2 { PAIRS_MAX } else { PATHS_MAX };
            format!(
                "(SELECT {length} AS length, path % {modulus} AS path, sum(n)::BIGINT AS n, 0 AS bin FROM paths \
                 WHERE path % {modulus} >= {least} GROUP BY 2 ORDER BY n DESC, path LIMIT {most})"
            )
        };
        let lengths = (2..=5).map(of_length).collect::<Vec<_>>().join(" UNION ALL ");
        let sql = format!(
            "WITH {steps}, coded_steps AS (SELECT who, us, seq, CAST({digits} AS BIGINT) AS path, \
             CASE WHEN k1 IS NOT NULL THEN CAST(k1 * 512 + k AS INTEGER) END AS pair, \
             CAST(floor(ln(greatest(gap, 1)) * {BINS}) AS INTEGER) AS bin FROM steps), \
             sets AS MATERIALIZED (SELECT GROUPING(path, bin, who)::INTEGER AS g, path, pair, bin, who, count(*) AS n, \
             min(us) AS us, min(seq) AS seq FROM coded_steps \
             GROUP BY GROUPING SETS ((path), (pair, bin), (who, pair))), \
             paths AS (SELECT path, n FROM sets WHERE g = 3), \
             times AS (SELECT pair, bin, n FROM sets WHERE g = 5 AND pair IS NOT NULL \
             AND pair IN (SELECT path FROM {pairs})), {unusual} \
             SELECT *, NULL AS session, NULL AS actor, NULL::TIMESTAMP AS first_ts, NULL AS score, NULL AS likelihood, \
             NULL AS others, NULL AS sessions FROM ({lengths} UNION ALL \
             SELECT 0 AS length, pair AS path, n, bin FROM times UNION ALL \
             SELECT 1 AS length, -1 AS path, coalesce(sum(n), 0)::BIGINT, 0 FROM paths WHERE path < 512) UNION ALL \
             SELECT 6, rarest, steps::BIGINT, 0, session, actor, make_timestamp(first_us), score, likelihood, \
             others::BIGINT, sessions FROM worst JOIN named ON first_seq = named_seq",
            steps = self.steps(condition, 4),
            unusual = unusual(condition),
            pairs = "(SELECT path % 262144 AS path, sum(n) AS m FROM paths WHERE path % 262144 >= 512 GROUP BY 1 \
                     ORDER BY m DESC, path LIMIT 3000)",
        );
        Statement::over("steps", sql, condition)
    }

    /// The kinds by their numbers.
    fn kinds(condition: &Where) -> Statement {
        let sql = format!(
            "WITH counted AS (SELECT kind AS name, count(*) AS n FROM events WHERE {} AND kind IS NOT NULL \
             AND (session IS NOT NULL OR actor IS NOT NULL) GROUP BY 1) \
             SELECT name, n, (SELECT count(*) FROM counted) FROM counted ORDER BY n DESC, name LIMIT {KINDS_MAX}",
            condition.sql
        );
        Statement::over("kinds", sql, condition).reading(["kind", "session", "actor"], condition)
    }
}

/// The queries for sessions that leave the path, over `sets`. Each step's probability is that in other sessions. Against
/// it stands a walk that now and then takes any step: by Markov's inequality, a session is so much likelier under it
/// with at most the reverse of that as its probability.
fn unusual(condition: &Where) -> String {
    // Of steps that are as rare, always the same one.
    const TIE: &str = "(1 + pair * 1e-12)";
    format!(
        "taken AS (SELECT who, pair, n AS c FROM sets WHERE g = 6 AND pair IS NOT NULL), \
         begun AS (SELECT who AS begun_who, min(us) AS first_us, min(seq) AS first_seq FROM sets WHERE g = 6 GROUP BY 1), \
         pairs AS (SELECT pair AS of, sum(c)::DOUBLE AS n FROM taken GROUP BY 1), \
         firsts AS (SELECT of // 512 AS first, sum(n) AS m FROM pairs GROUP BY 1), \
         model AS (SELECT of, n, m, (SELECT count(DISTINCT of % 512) FROM pairs)::DOUBLE AS kinds \
         FROM pairs JOIN firsts ON of // 512 = first), \
         sizes AS (SELECT who AS whose, sum(c)::DOUBLE AS steps FROM taken GROUP BY 1), \
         rated AS (SELECT who, pair, c, n - c AS others, steps, kinds, 2 / (steps + 2) AS free, \
         (n - c + 0.5) / (m - c + 0.5 * kinds) AS p_first, \
         (n - c / 2 + 0.5) / (m - c / 2 + 0.5 * kinds) AS p_next \
         FROM taken JOIN model ON pair = of JOIN sizes ON who = whose), \
         scored AS (SELECT who, any_value(steps) AS steps, \
         sum(ln(1 - free + free / kinds / p_first) + (c - 1) * ln(1 - free + free / kinds / p_next)) AS score, \
         sum(ln(p_first) + (c - 1) * ln(p_next)) / any_value(steps) AS likelihood, \
         arg_min(pair, p_first * {TIE}) AS rarest, arg_min(others, p_first * {TIE}) AS others FROM rated GROUP BY who), \
         worst AS MATERIALIZED (SELECT scored.*, first_us, first_seq, (SELECT count(*) FROM sizes) AS sessions \
         FROM scored JOIN begun ON who = begun_who ORDER BY score DESC, steps DESC, who LIMIT {SESSIONS_MAX}), \
         named AS (SELECT seq AS named_seq, any_value(session) AS session, any_value(actor) AS actor FROM events \
         WHERE {} AND seq IN (SELECT first_seq FROM worst) GROUP BY 1)",
        condition.sql
    )
}

impl Analysis for Sequences {
    type Report = SequencesReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        alarm_is_valid(self.alarm)?;
        let condition = scope.condition(&self.filter)?;
        Ok(vec![Sequences::kinds(&condition), self.steps_taken(&condition)])
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<SequencesReport> {
        let kinds: Vec<String> =
            answers.rows("kinds").iter().map(|row| row.string(0).unwrap_or_default()).collect();
        let all = answers.first("kinds").map_or(0, |row| row.count(2));
        let mut left_out = Vec::new();
        if all > kinds.len() as u64 {
            let (shown, rarer) = (kinds.len(), number(all.saturating_sub(kinds.len() as u64) as f64));
            left_out.push(format!("the {shown} most frequent kinds are told apart, {rarer} others are not"));
        }
        let counted = Counted::of(answers.rows("steps"));
        let mut walks: Vec<&Row> =
            answers.rows("steps").iter().filter(|row| row.count(0) == SESSION).collect();
        let score = |row: &Row| row.number(7).unwrap_or_default();
        let name = |row: &Row| (row.string(4), row.string(5));
        walks.sort_by(|one, other| {
            score(other).total_cmp(&score(one)).then_with(|| name(one).cmp(&name(other)))
        });
        let (pairs, pairs_found) = self.pairs(&counted, &kinds);
        let unusual = self.sessions(&walks, &kinds);
        Ok(SequencesReport {
            sessions: walks.first().map_or(0, |row| row.count(10)),
            steps: counted.steps,
            alarm: self.alarm,
            pairs,
            pairs_found,
            paths: self.frequent(&counted, &kinds),
            unusual,
            left_out,
        })
    }
}

/// The rows of the statement `steps` but for the sessions.
#[derive(Default)]
struct Counted {
    steps: u64,
    /// Paths by length.
    paths: Vec<(usize, i64, u64)>,
    /// Times between, by pair: their parts and counts.
    times: HashMap<i64, Vec<(f64, f64)>>,
}

impl Counted {
    fn of(rows: &[Row]) -> Counted {
        let mut counted = Counted::default();
        for row in rows {
            let (length, path, count) = (row.count(0), row.get(1).as_i64().unwrap_or_default(), row.count(2));
            match length {
                0 => {
                    let bin = row.number(3).unwrap_or_default();
                    counted.times.entry(path).or_default().push((bin, count as f64));
                }
                1 | SESSION => {}
                _ => counted.paths.push((length as usize, path, count)),
            }
        }
        counted.steps = counted.pairs().map(|(_, count)| count).sum();
        counted
    }

    fn pairs(&self) -> impl Iterator<Item = (i64, u64)> {
        self.paths.iter().filter(|(length, ..)| *length == 2).map(|(_, path, count)| (*path, *count))
    }

    /// The time below which a share of the times between lies, in seconds.
    fn seconds(&self, pair: i64, share: f64) -> f64 {
        let Some(bins) = self.times.get(&pair) else { return 0.0 };
        let mut bins = bins.clone();
        bins.sort_by(|one, other| one.0.total_cmp(&other.0));
        let total: f64 = bins.iter().map(|(_, count)| count).sum();
        let mut upto = 0.0;
        let place = bins.iter().find(|(_, count)| {
            upto += count;
            upto >= total * share
        });
        let bin = place.map_or(0.0, |(bin, _)| *bin);
        // A time of a microsecond or less is none.
        if bin <= 0.0 { 0.0 } else { rounded(((bin + 0.5) / BINS).exp() / 1e6) }
    }
}

/// With two digits that count: the parts are no finer.
fn rounded(seconds: f64) -> f64 {
    let size = 10_f64.powf(1.0 - seconds.abs().max(1e-9).log10().floor());
    (seconds * size).round() / size
}

/// The kinds of a path; none if it has kinds that are not told apart.
fn kinds_of(path: i64, kinds: &[String]) -> Option<Vec<String>> {
    let mut rest = path;
    let mut found = Vec::new();
    while rest > 0 {
        let id = usize::try_from(rest % DIGIT).ok()?;
        found.push(kinds.get(id.checked_sub(1)?)?.clone());
        rest /= DIGIT;
    }
    found.reverse();
    Some(found)
}

impl Sequences {
    fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// The pairs that are there more often than by chance, the strongest first, and how many there are.
    fn pairs(&self, counted: &Counted, kinds: &[String]) -> (Vec<Pair>, u64) {
        let (mut firsts, mut thens): (HashMap<i64, f64>, HashMap<i64, f64>) = Default::default();
        for (path, count) in counted.pairs() {
            *firsts.entry(path / DIGIT).or_default() += count as f64;
            *thens.entry(path % DIGIT).or_default() += count as f64;
        }
        let tested = |(path, count): (i64, u64)| {
            let (first, then) = (firsts.get(&(path / DIGIT))?, thens.get(&(path % DIGIT))?);
            let expected = first * then / counted.steps.max(1) as f64;
            let p = Count::poisson(expected).least(count as f64).max(LEAST);
            Some((path, count, expected, count as f64 / first, p))
        };
        let all: Vec<_> = counted.pairs().filter_map(tested).collect();
        let tests = (firsts.len() as f64) * (thens.len() as f64);
        let bound = believed(all.iter().map(|(.., p)| *p).collect(), tests, self.alarm);
        let mut kept: Vec<_> = all
            .into_iter()
            .filter(|(_, count, expected, _, p)| {
                *p <= bound && *count >= self.support && *count as f64 > *expected
            })
            .collect();
        // How much more there is than by chance, in all.
        let strength = |count: u64, expected: f64| count as f64 * (count as f64 / expected).ln();
        kept.sort_by(|one, other| {
            strength(other.1, other.2).total_cmp(&strength(one.1, one.2)).then(one.0.cmp(&other.0))
        });
        let found = kept.len() as u64;
        let pairs = kept.into_iter().filter_map(|(path, support, expected, confidence, p)| {
            let [first, then]: [String; 2] = kinds_of(path, kinds)?.try_into().ok()?;
            let lift = support as f64 / expected;
            let (seconds_median, seconds_p90) = (counted.seconds(path, 0.5), counted.seconds(path, 0.9));
            Some(Pair { first, then, support, confidence, lift, seconds_median, seconds_p90, p })
        });
        (pairs.take(self.limit()).collect(), found)
    }

    /// Frequent paths of at least three kinds that are no part of a longer one that is nearly as frequent.
    fn frequent(&self, counted: &Counted, kinds: &[String]) -> Vec<FrequentPath> {
        let support: HashMap<(usize, i64), u64> =
            counted.paths.iter().map(|(length, path, count)| ((*length, *path), *count)).collect();
        let mut covered: HashMap<(usize, i64), u64> = HashMap::new();
        for (length, path, count) in &counted.paths {
            let shorter = length.saturating_sub(1);
            let modulus = u32::try_from(shorter).map_or(i64::MAX, |digits| DIGIT.saturating_pow(digits));
            for part in [path / DIGIT, path % modulus] {
                let most = covered.entry((shorter, part)).or_default();
                *most = (*most).max(*count);
            }
        }
        let mut paths: Vec<(FrequentPath, usize)> = counted
            .paths
            .iter()
            .filter(|(length, _, count)| (3..=LENGTH_MAX).contains(length) && *count >= self.support)
            .filter(|(length, path, count)| {
                covered.get(&(*length, *path)).is_none_or(|longer| (*longer as f64) < *count as f64 * 0.8)
            })
            .filter_map(|(length, path, count)| {
                let kinds = kinds_of(*path, kinds)?;
                let differ = kinds.iter().zip(kinds.iter().skip(1)).any(|(one, next)| one != next);
                let before = support.get(&(length.saturating_sub(1), path / DIGIT)).copied();
                let confidence = *count as f64 / before.unwrap_or(*count).max(*count).max(1) as f64;
                differ.then_some((FrequentPath { kinds, support: *count, confidence }, *length))
            })
            .collect();
        // A longer path says more.
        let weight =
            |path: &(FrequentPath, usize)| path.0.support.saturating_mul(path.1.saturating_sub(1) as u64);
        paths.sort_by(|one, other| weight(other).cmp(&weight(one)).then(one.0.kinds.cmp(&other.0.kinds)));
        paths.into_iter().take(self.limit()).map(|(path, _)| path).collect()
    }

    fn sessions(&self, rows: &[&Row], kinds: &[String]) -> Vec<UnusualSession> {
        let chance = |row: &Row| (-row.number(7).unwrap_or_default()).exp().clamp(LEAST, 1.0);
        let tests = rows.first().map_or(0, |row| row.count(10)) as f64;
        let bound = believed(rows.iter().map(|row| chance(row)).collect(), tests, self.alarm);
        let unusual = rows.iter().filter(|row| chance(row) <= bound).map(|row| {
            let from = row.time(6).unwrap_or_default();
            let actor = row.string(5).unwrap_or_default();
            let inferred = row.text(4).is_none();
            let session = row.string(4).unwrap_or_else(|| actor.clone());
            let pair = row.get(1).as_i64().unwrap_or_default();
            let steps = row.count(2);
            let shown = if inferred {
                format!("actor:{}", crate::query::filter::Value::text(&actor))
            } else {
                session.clone()
            };
            let show = if inferred { "search" } else { "session" };
            UnusualSession {
                session,
                from: rfc3339(from),
                steps,
                likelihood: row.number(8).unwrap_or_default() / std::f64::consts::LN_10,
                rarest: kinds_of(pair, kinds).unwrap_or_default(),
                rarest_support: row.count(9),
                p: chance(row),
                show: vec![show.to_string(), shown],
            }
        });
        unusual.take(self.limit()).collect()
    }
}

impl SequencesReport {
    /// The sessions that leave the path.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let finding = |session: &UnusualSession| {
            let title = format!(
                "{} steps that are seldom taken; the rarest, {}, in {} other sessions' steps",
                number(session.steps as f64),
                session.rarest.join(" → "),
                number(session.rarest_support as f64)
            );
            let mut finding =
                Finding::new(What::Session, format!("session:{}", session.session), title, session.p);
            finding.score = surprise(session.p * self.sessions.max(1) as f64);
            finding.from = Some(session.from.clone());
            finding.show = session.show.clone();
            finding
        };
        self.unusual.iter().map(finding).collect()
    }
}
