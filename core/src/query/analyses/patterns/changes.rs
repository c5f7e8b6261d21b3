//! Co-changes and hot spots: entities that change together, and those that change most.

use super::super::{Analysis, Answers, Row, Scope, Statement};
use super::finding::{command, number};
use super::math::{Count, LEAST, believed};
use super::{ALARM, alarm_is_valid};
use crate::error::Result;
use crate::event::time::MINUTE_US;
use crate::query::filter::{Filter, Where};
use serde::{Deserialize, Serialize};

/// So many entities are looked at: those that change most.
const ENTITIES_MAX: u64 = 400;
/// Times in which more of them change say nothing of two.
const TOGETHER_MAX: u64 = 40;
const PAIRS_MAX: u64 = 10_000;

/// Entities that change together: in the same session or, without one, by the same actor within a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoChanges {
    /// Of which events.
    #[serde(default = "Filter::all")]
    pub filter: Filter,
    /// How long that while is, in minutes.
    #[serde(default = "window_minutes")]
    pub window_minutes: u32,
    /// How often two must change together.
    #[serde(default = "support_least")]
    pub support: u64,
    /// The share of pairs that may be chance.
    #[serde(default = "super::alarm")]
    pub alarm: f64,
    /// How many: pairs, and entities.
    #[serde(default = "super::findings_shown")]
    pub limit: u64,
}

fn window_minutes() -> u32 {
    10
}

fn support_least() -> u64 {
    3
}

/// The report of [`CoChanges`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CoChangesReport {
    /// Entities in all.
    pub entities: u64,
    /// Sessions, and whiles of actors, in which any of them changed.
    pub occasions: u64,
    /// The share of pairs that may be chance.
    pub alarm: f64,
    /// Entities that change together more often than by chance, the strongest first.
    pub together: Vec<Together>,
    /// How many such pairs there are in all.
    pub together_found: u64,
    /// The entities that change most.
    pub most_changed: Vec<HotSpot>,
    /// What was not looked at, in sentences.
    pub left_out: Vec<String>,
}

/// An entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// Its type.
    pub entity_type: Option<String>,
    /// Its id.
    pub entity_id: String,
}

/// Two entities that change together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Together {
    /// The one that changes more often.
    pub one: Entity,
    /// The other one.
    pub other: Entity,
    /// On how many occasions both changed.
    pub support: u64,
    /// The share of the occasions of the first one on which the other one changed too, and the reverse.
    pub confidence: [f64; 2],
    /// How many times more often than by chance.
    pub lift: f64,
    /// The probability of so many by chance.
    pub p: f64,
    /// The words of the command that shows the events.
    pub show: Vec<String>,
}

/// An entity that changes often.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HotSpot {
    /// Which one.
    #[serde(flatten)]
    pub entity: Entity,
    /// Its events.
    pub events: u64,
    /// Who made them.
    pub actors: u64,
    /// When the last one happened.
    pub last: Option<String>,
    /// The words of the command that shows them.
    pub show: Vec<String>,
}

impl CoChanges {
    /// Of these events.
    pub fn new(filter: Filter) -> CoChanges {
        let (window_minutes, support, limit) = (window_minutes(), support_least(), super::findings_shown());
        CoChanges { filter, window_minutes, support, alarm: ALARM, limit }
    }

    fn most(&self, condition: &Where) -> Statement {
        let sql = format!(
            "WITH named AS (SELECT entity_type, entity_id, count(*) AS n, max(ts) AS last_ts FROM events \
             WHERE {condition} AND entity_id IS NOT NULL GROUP BY 1, 2), \
             top AS (SELECT *, (SELECT count(*) FROM named) AS all_entities FROM named \
             ORDER BY n DESC, entity_type, entity_id LIMIT {ENTITIES_MAX}), \
             doers AS (SELECT entity_type AS t, entity_id AS e, count(DISTINCT actor) AS actors FROM events \
             WHERE {condition} AND entity_id IN (SELECT entity_id FROM top) GROUP BY 1, 2) \
             SELECT entity_type, entity_id, n, actors, last_ts, all_entities \
             FROM top JOIN doers ON entity_type IS NOT DISTINCT FROM t AND entity_id = e \
             ORDER BY n DESC, entity_type, entity_id",
            condition = condition.sql
        );
        Statement::over("entities", sql, condition)
    }

    fn together(&self, condition: &Where) -> Statement {
        let window = i64::from(self.window_minutes.max(1)).saturating_mul(MINUTE_US);
        let sql = format!(
            "WITH chosen AS (SELECT entity_type AS t, entity_id AS e, CASE WHEN session IS NOT NULL \
             THEN hash(session) ELSE hash(actor, epoch_us(ts) // {window}) END AS occasion FROM events \
             WHERE {condition} AND entity_id IS NOT NULL AND (session IS NOT NULL OR actor IS NOT NULL)), \
             named AS (SELECT entity_type, entity_id, count(*) AS n FROM events \
             WHERE {condition} AND entity_id IS NOT NULL GROUP BY 1, 2), \
             top AS (SELECT *, row_number() OVER (ORDER BY n DESC, entity_type, entity_id) AS id FROM named \
             ORDER BY n DESC, entity_type, entity_id LIMIT {ENTITIES_MAX}), \
             present AS MATERIALIZED (SELECT DISTINCT occasion, id FROM chosen JOIN top \
             ON t IS NOT DISTINCT FROM entity_type AND e = entity_id), \
             sizes AS (SELECT occasion AS moment, count(*) AS size FROM present GROUP BY 1), \
             kept AS (SELECT occasion, id FROM present JOIN sizes ON occasion = moment \
             WHERE size BETWEEN 2 AND {TOGETHER_MAX}), \
             singles AS (SELECT id AS single, count(*) AS n FROM present GROUP BY 1), \
             pairs AS (SELECT a.id AS one, b.id AS other, count(*) AS n FROM kept AS a JOIN kept AS b \
             ON a.occasion = b.occasion AND a.id < b.id GROUP BY 1, 2 HAVING count(*) >= {support} \
             ORDER BY 3 DESC, 1, 2 LIMIT {PAIRS_MAX}) \
             SELECT one, other, pairs.n, s.n, o.n, (SELECT count(DISTINCT occasion) FROM chosen), \
             (SELECT count(*) FROM sizes WHERE size > {TOGETHER_MAX}), (SELECT count(*) FROM top) \
             FROM pairs JOIN singles AS s ON one = s.single JOIN singles AS o ON other = o.single \
             ORDER BY pairs.n DESC, one, other",
            condition = condition.sql,
            support = self.support.max(1)
        );
        Statement::over("together", sql, condition)
    }
}

impl Analysis for CoChanges {
    type Report = CoChangesReport;

    fn statements(&self, scope: &Scope<'_>) -> Result<Vec<Statement>> {
        alarm_is_valid(self.alarm)?;
        let condition = scope.condition(&self.filter)?;
        Ok(vec![self.most(&condition), self.together(&condition)])
    }

    fn report(&self, _scope: &Scope<'_>, answers: &Answers) -> Result<CoChangesReport> {
        let rows = answers.rows("entities");
        let entities: Vec<Entity> = rows.iter().map(entity).collect();
        let all = rows.first().map_or(0, |row| row.count(5));
        let mut left_out = Vec::new();
        if all > ENTITIES_MAX {
            let rarer = number(all.saturating_sub(ENTITIES_MAX) as f64);
            left_out
                .push(format!("the {ENTITIES_MAX} entities that change most are looked at, {rarer} are not"));
        }
        let pairs = answers.rows("together");
        let large = pairs.first().map_or(0, |row| row.count(6));
        if large > 0 {
            let large = number(large as f64);
            left_out.push(format!(
                "{large} occasions on which more than {TOGETHER_MAX} of them changed are left out"
            ));
        }
        let (together, together_found) = self.believed(pairs, &entities);
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        Ok(CoChangesReport {
            entities: all,
            occasions: pairs.first().map_or(0, |row| row.count(5)),
            alarm: self.alarm,
            together,
            together_found,
            most_changed: rows.iter().take(limit).map(|row| self.hot(row)).collect(),
            left_out,
        })
    }
}

fn entity(row: &Row) -> Entity {
    Entity { entity_type: row.string(0), entity_id: row.string(1).unwrap_or_default() }
}

/// The filter of the events of an entity.
fn of_entity(entity: &Entity) -> Filter {
    use crate::query::filter::{Context, Op, Value};
    match &entity.entity_type {
        Some(entity_type) => Filter::entity(entity_type, &entity.entity_id),
        None => {
            let values = vec![Value::text(&entity.entity_id)];
            Filter::field("entity_id", Op::Equal, values, &Context::without_clock())
                .unwrap_or_else(|_| Filter::all())
        }
    }
}

impl CoChanges {
    fn hot(&self, row: &Row) -> HotSpot {
        let entity = entity(row);
        let show = command("search", &Filter::and(vec![self.filter.clone(), of_entity(&entity)]));
        HotSpot { entity, events: row.count(2), actors: row.count(3), last: row.string(4), show }
    }

    /// The pairs that are believed, the strongest first, and how many there are.
    fn believed(&self, rows: &[Row], entities: &[Entity]) -> (Vec<Together>, u64) {
        let tested = |row: &Row| {
            let (both, one, other) = (row.count(2) as f64, row.count(3) as f64, row.count(4) as f64);
            let expected = one * other / (row.count(5) as f64).max(1.0);
            (expected, Count::poisson(expected).least(both).max(LEAST))
        };
        let tests = rows.first().map_or(0.0, |row| {
            let looked_at = row.count(7) as f64;
            looked_at * (looked_at - 1.0) / 2.0
        });
        let bound = believed(rows.iter().map(|row| tested(row).1).collect(), tests, self.alarm);
        let pair = |row: &Row| {
            let (expected, p) = tested(row);
            let (both, one, other) = (row.count(2), row.count(3), row.count(4));
            if p > bound || both as f64 <= expected {
                return None;
            }
            let named = |column: usize| {
                let place = usize::try_from(row.count(column).checked_sub(1)?).ok()?;
                entities.get(place).cloned()
            };
            let (first, second) = (named(0)?, named(1)?);
            let either = Filter::or(vec![of_entity(&first), of_entity(&second)]);
            Some(Together {
                show: command("search", &Filter::and(vec![self.filter.clone(), either])),
                one: first,
                other: second,
                support: both,
                confidence: [both as f64 / one.max(1) as f64, both as f64 / other.max(1) as f64],
                lift: both as f64 / expected.max(1e-12),
                p,
            })
        };
        let mut kept: Vec<Together> = rows.iter().filter_map(pair).collect();
        let strength = |pair: &Together| pair.support as f64 * pair.lift.max(1.0).ln();
        kept.sort_by(|one, other| strength(other).total_cmp(&strength(one)));
        let found = kept.len() as u64;
        kept.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        (kept, found)
    }
}
