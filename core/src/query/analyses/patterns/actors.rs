//! Actors: who does most, and who does what is new for them at an hour that is new for them.

use super::super::{Analysis, Answers, Row, Scope, Statement};
use super::finding::{Finding, What, is, number, search};
use super::math::{LEAST, believed, surprise};
use super::{ALARM, alarm_is_valid};
use crate::error::Result;
use crate::event::time::{HOUR_US, rfc3339};
use crate::query::filter::{Filter, IS_ERROR, Where};
use serde::{Deserialize, Serialize};

/// So many actors are looked at: those with most events.
const ACTORS_MAX: u64 = 5_000;
const UNUSUAL_MAX: u64 = 300;

/// Who does most, and what is unusual for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actors {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// The share of unusual hours that may be chance.
    #[serde(default = "super::alarm")]
    pub alarm: f64,
    /// How many: actors, and unusual hours.
    #[serde(default = "super::findings_shown")]
    pub limit: u64,
}

/// The report of [`Actors`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ActorsReport {
    /// Actors in all.
    pub actors: u64,
    /// Hours of actors in which they did anything.
    pub hours: u64,
    /// The share of unusual hours that may be chance.
    pub alarm: f64,
    /// What an actor did for once, the most surprising first.
    pub unusual: Vec<UnusualHour>,
    /// Who did most.
    pub most_active: Vec<Activity>,
    /// What was not looked at, in sentences.
    pub left_out: Vec<String>,
}

/// An hour in which an actor did what they did in no other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnusualHour {
    /// Who.
    pub actor: String,
    /// When the hour begins.
    pub from: String,
    /// How many events they have in it.
    pub events: u64,
    /// In how many other hours they did anything.
    pub other_hours: u64,
    /// What kind was new for them.
    pub new_kind: Option<String>,
    /// What type of entity was new for them.
    pub new_entity_type: Option<String>,
    /// The hour of the day in UTC, if they did nothing in it on any other day.
    pub new_hour: Option<u64>,
    /// What kind they did far more often than in other hours.
    pub many: Option<String>,
    /// The probability of that by chance.
    pub p: f64,
    /// How surprising that is among all hours of all actors: decimal places.
    pub score: f64,
    /// The words of the command that shows the events.
    pub show: Vec<String>,
}

/// What an actor does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Activity {
    /// Who.
    pub actor: String,
    /// Events.
    pub events: u64,
    /// Those that are errors.
    pub errors: u64,
    /// Kinds of events.
    pub kinds: u64,
    /// Days with events.
    pub days: u64,
    /// When the first event happened.
    pub first: Option<String>,
    /// When the last event happened.
    pub last: Option<String>,
}

/// The columns that the queries read.
const READ: [&str; 6] = ["ts", "actor", "kind", "entity_type", "severity", "status"];

impl Actors {
    /// Of these events.
    pub fn new(filter: Filter) -> Actors {
        Actors { filter, alarm: ALARM, limit: super::findings_shown() }
    }

    fn active(&self, condition: &Where) -> Statement {
        let sql = format!(
            "WITH chosen AS (SELECT actor, kind, ts, coalesce({IS_ERROR}, FALSE) AS failed FROM events \
             WHERE {} AND actor IS NOT NULL), \
             grouped AS (SELECT actor, kind, epoch_us(ts) // {HOUR_US} AS h, count(*) AS n, \
             count(*) FILTER (WHERE failed) AS e, min(ts) AS f, max(ts) AS l FROM chosen GROUP BY 1, 2, 3), \
             named AS (SELECT actor, sum(n)::BIGINT AS n, sum(e)::BIGINT AS errors, count(DISTINCT kind) AS kinds, \
             count(DISTINCT h // 24) AS days, min(f) AS f, max(l) AS l FROM grouped GROUP BY 1) \
             SELECT *, (SELECT count(*) FROM named), \
             (SELECT count(*) FROM (SELECT DISTINCT actor, h FROM grouped)) FROM named ORDER BY n DESC, actor LIMIT {}",
            condition.sql,
            self.limit.clamp(1, 10_000)
        );
        Statement::over("active", sql, condition).reading(READ, condition)
    }

    /// Hours with a value that the actor has in no other: how probable is one so rare, if values that are new
    /// for an actor come as often as for all of them, and after as many hours. And hours with many events of a
    /// kind: the tail of their number is exponential, or as heavy as the thousandth part of all hours says.
    fn unusual(&self, condition: &Where) -> Statement {
        let sql = format!(
            "WITH chosen AS (SELECT actor, epoch_us(ts) // {HOUR_US} AS h, kind, entity_type FROM events \
             WHERE {} AND actor IS NOT NULL), \
             totals AS (SELECT actor AS name, count(*) AS n FROM chosen GROUP BY 1), \
             top AS (SELECT name, row_number() OVER (ORDER BY n DESC, name) AS a FROM totals \
             ORDER BY n DESC, name LIMIT {ACTORS_MAX}), \
             coded AS MATERIALIZED (SELECT a, h, kind, entity_type, count(*) AS n FROM chosen \
             JOIN top ON actor = name GROUP BY 1, 2, 3, 4), \
             marks AS MATERIALIZED (SELECT DISTINCT a, h, 0 AS attribute, CAST((h % 24 + 24) % 24 AS VARCHAR) AS x \
             FROM coded UNION ALL \
             SELECT DISTINCT a, h, 1, kind FROM coded WHERE kind IS NOT NULL UNION ALL \
             SELECT DISTINCT a, h, 2, entity_type FROM coded WHERE entity_type IS NOT NULL), \
             own AS (SELECT a, attribute, x, count(*) AS v, max(h) AS h FROM marks GROUP BY 1, 2, 3), \
             world AS (SELECT attribute, x, sum(v) AS g FROM own GROUP BY 1, 2), \
             tails AS (SELECT attribute AS of, x AS rare, sum(g) OVER (PARTITION BY attribute ORDER BY g, x) \
             / sum(g) OVER (PARTITION BY attribute) AS tail FROM world), \
             sizes AS (SELECT a AS whose, count(DISTINCT h) AS hours FROM marks GROUP BY 1), \
             several AS (SELECT a AS who, h AS hour_of, attribute AS what, count(*) AS d FROM marks GROUP BY 1, 2, 3), \
             new AS (SELECT a, h, attribute, arg_min(x, tail) AS x, \
             least(1.0, min(2.0 * tail / (hours + 1)) * any_value(d)) AS p, any_value(hours) AS hours \
             FROM own JOIN tails ON attribute = of AND x = rare JOIN sizes ON a = whose \
             JOIN several ON a = who AND h = hour_of AND attribute = what WHERE v = 1 GROUP BY a, h, attribute), \
             counts AS (SELECT a, h, kind, sum(n) AS c FROM coded WHERE kind IS NOT NULL GROUP BY 1, 2, 3), \
             means AS (SELECT a AS mean_of, kind AS kind_of, sum(c) AS s, count(*) AS k FROM counts GROUP BY 1, 2), \
             usual AS (SELECT kind AS usual_kind, avg(c) AS world_mean FROM counts GROUP BY 1), \
             ratios AS (SELECT a, h, kind, c / greatest((s - c + 1.0) / k, world_mean) AS r FROM counts \
             JOIN means ON a = mean_of AND kind = kind_of JOIN usual ON kind = usual_kind), \
             heavy AS (SELECT greatest(1.0, quantile_cont(r, 0.999) / 6.9) AS scale FROM ratios), \
             loud AS (SELECT a, h, 3 AS attribute, arg_max(kind, r) AS x, \
             least(1.0, greatest(exp(-max(r) / any_value(scale)), 1e-100) * count(*)) AS p, \
             any_value(hours) AS hours FROM ratios JOIN sizes ON a = whose, heavy GROUP BY a, h HAVING max(r) > 5), \
             all_new AS (SELECT * FROM new UNION ALL SELECT * FROM loud), \
             joined AS (SELECT a, h, any_value(hours) AS hours, sum(ln(p)) AS score, \
             any_value(x) FILTER (WHERE attribute = 0) AS new_hour, \
             any_value(x) FILTER (WHERE attribute = 1) AS new_kind, \
             any_value(x) FILTER (WHERE attribute = 2) AS new_type, \
             any_value(x) FILTER (WHERE attribute = 3) AS loud_kind FROM all_new GROUP BY a, h \
             ORDER BY score, a, h LIMIT {UNUSUAL_MAX}), \
             events_of AS (SELECT a AS who, h AS hour_of, sum(n)::BIGINT AS n FROM coded GROUP BY 1, 2) \
             SELECT name, h, n, hours, score, new_hour, new_kind, new_type, \
             loud_kind \
             FROM joined JOIN top ON joined.a = top.a JOIN events_of ON joined.a = who AND h = hour_of ORDER BY score, name, h",
            condition.sql
        );
        Statement::over("unusual_hours", sql, condition).reading(READ, condition)
    }
}

impl Analysis for Actors {
    type Report = ActorsReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        alarm_is_valid(self.alarm)?;
        let condition = scope.condition(&self.filter)?;
        Ok(vec![self.active(&condition), self.unusual(&condition)])
    }

    fn report(&self, scope: &Scope<'_>, answers: &Answers) -> Result<ActorsReport> {
        let rows = answers.rows("unusual_hours");
        let hours = answers.first("active").map_or(0, |row| row.count(8));
        let bound = believed(rows.iter().map(together).collect(), hours as f64, self.alarm);
        let mut kept: Vec<&Row> = rows.iter().filter(|row| together(row) <= bound).collect();
        kept.sort_by(|one, other| together(one).total_cmp(&together(other)));
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let active = answers.rows("active");
        let actors = active.first().map_or(0, |row| row.count(7));
        let mut left_out = Vec::new();
        if actors > ACTORS_MAX {
            let rarer = number(actors.saturating_sub(ACTORS_MAX) as f64);
            left_out.push(format!("the {ACTORS_MAX} actors with most events are looked at, {rarer} are not"));
        }
        Ok(ActorsReport {
            actors,
            hours,
            alarm: self.alarm,
            unusual: kept.into_iter().take(limit).map(|row| self.hour(row, hours, scope)).collect(),
            most_active: active.iter().take(limit).map(activity).collect(),
            left_out,
        })
    }
}

/// The probability that four independent probabilities have so small a product: Fisher's way to add up.
fn together(row: &Row) -> f64 {
    let log = row.number(4).unwrap_or_default().min(0.0);
    (log.exp() * (1.0 - log + log * log / 2.0 - log * log * log / 6.0)).clamp(LEAST, 1.0)
}

fn activity(row: &Row) -> Activity {
    Activity {
        actor: row.string(0).unwrap_or_default(),
        events: row.count(1),
        errors: row.count(2),
        kinds: row.count(3),
        days: row.count(4),
        first: row.string(5),
        last: row.string(6),
    }
}

impl Actors {
    fn hour(&self, row: &Row, hours: u64, scope: &Scope<'_>) -> UnusualHour {
        let actor = row.string(0).unwrap_or_default();
        let from = row.get(1).as_i64().unwrap_or_default().saturating_mul(HOUR_US);
        let parts = vec![
            self.filter.clone(),
            is("actor", &actor, scope),
            Filter::since(from),
            Filter::until(from.saturating_add(HOUR_US)),
        ];
        let p = together(row);
        UnusualHour {
            actor,
            from: rfc3339(from),
            events: row.count(2),
            other_hours: row.count(3).saturating_sub(1),
            new_hour: row.text(5).and_then(|hour| hour.parse().ok()),
            new_kind: row.string(6),
            new_entity_type: row.string(7),
            many: row.string(8),
            p,
            score: surprise(p * hours.max(1) as f64),
            show: search(&Filter::and(parts)),
        }
    }
}

impl UnusualHour {
    /// What is new, in words.
    pub fn novelty(&self) -> String {
        let kind = self.new_kind.as_ref().map(|kind| format!("kind {kind}"));
        let entity = self.new_entity_type.as_ref().map(|name| format!("entity type {name}"));
        let hour = self.new_hour.map(|hour| format!("hour {hour:02}:00"));
        let many = self.many.as_ref().map(|kind| format!("so many of kind {kind}"));
        [many, kind, entity, hour].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl ActorsReport {
    /// The unusual hours.
    pub(super) fn findings(&self) -> Vec<Finding> {
        let finding = |hour: &UnusualHour| {
            let title = format!(
                "new for this actor at {}, in {} events: {}",
                super::finding::minute(crate::event::time::read_text(&hour.from).map_or(0, |(us, _)| us)),
                number(hour.events as f64),
                hour.novelty()
            );
            let mut finding = Finding::new(What::Actor, format!("actor:{}", hour.actor), title, hour.p);
            finding.score = hour.score;
            finding.from = Some(hour.from.clone());
            finding.seen = Some(hour.events as f64);
            finding.show = hour.show.clone();
            finding
        };
        self.unusual.iter().map(finding).collect()
    }
}
