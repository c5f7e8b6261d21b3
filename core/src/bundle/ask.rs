//! Answering a request where somebody else runs the SQL: statements go out, rows come in, until there is a report.

use super::needs::Needs;
use super::page::{Page, value_sql};
use crate::error::{Error, ErrorKind, Result};
use crate::query::analyses::{
    Analysis, Answer, Answers, AuditReport, Fetch, Found, HealthReport, Request, Scope, Search, Show,
    Statement, Templates, TemplatesReport, Walk,
};
use arrow::array::RecordBatch;
use serde::Serialize;
use serde_json::Value as Json;

/// A request that is being answered.
#[derive(Debug)]
pub struct Ask {
    request: Request,
    now_us: i64,
    text: String,
    lenient: bool,
    state: State,
}

#[derive(Debug)]
enum State {
    Begun,
    /// Rows of these statements are to come.
    Waiting,
    /// These statements are run if no other gave a row.
    Otherwise(Vec<Statement>),
    Searching(Walking),
    Fetching(Fetch),
    Sampling(Box<TemplatesReport>),
    Exemplifying(Box<TemplatesReport>),
    Done,
}

/// A search on its way back in time.
#[derive(Debug)]
struct Walking {
    walk: Walk,
    wanted: u64,
    found: Answer,
}

/// A statement to run.
#[derive(Clone, Debug, Serialize)]
pub struct ToRun {
    /// By which its rows are handed in.
    pub name: &'static str,
    /// Its SQL, with `$name` for parameters.
    pub sql: String,
    /// The parameters' names and values as SQL.
    pub parameters: Vec<(String, String)>,
    /// What its rows have in common.
    #[serde(skip)]
    pub needs: Needs,
}

/// What comes next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Statements are to be run.
    Run(Vec<ToRun>),
    /// The report.
    Done(Json),
}

/// The rows of a statement, by its name.
pub type Given = (String, Vec<RecordBatch>);

impl Ask {
    pub(super) fn new(request: Request, now_us: i64, text: String, lenient: bool) -> Ask {
        Ask { request, now_us, text, lenient, state: State::Begun }
    }

    /// Goes on with the rows of the statements of the step before.
    pub fn next(&mut self, page: &Page, given: Vec<Given>) -> Result<Step> {
        let (text, request) = (std::mem::take(&mut self.text), self.request.clone());
        let state = std::mem::replace(&mut self.state, State::Done);
        let (now_us, lenient) = (self.now_us, self.lenient);
        let next = page.scoped(now_us, &text, lenient, |scope| {
            let (state, step) = advance(&request, page, scope, state, given)?;
            self.state = state;
            Ok(step)
        });
        self.text = text;
        next
    }
}

fn advance(
    request: &Request,
    page: &Page,
    scope: &Scope<'_>,
    state: State,
    given: Vec<Given>,
) -> Result<(State, Step)> {
    match request {
        Request::Search(search) => searched(search, page, scope, state, given),
        Request::Show(show) => shown(show, scope, state, given),
        Request::Slowest(slowest) => simple(slowest, scope, state, given),
        Request::Stats(stats) => simple(stats, scope, state, given),
        Request::Timeline(timeline) => simple(timeline, scope, state, given),
        Request::Facets(facets) => simple(facets, scope, state, given),
        Request::History(history) => simple(history, scope, state, given),
        Request::FileHistory(history) => simple(history, scope, state, given),
        Request::Sessions(sessions) => simple(sessions, scope, state, given),
        Request::Session(session) => simple(session, scope, state, given),
        Request::Trace(trace) => simple(trace, scope, state, given),
        Request::Metrics(metrics) => simple(metrics, scope, state, given),
        Request::Health(health) => reported(health, scope, state, given, HealthReport::of),
        Request::Audit(audit) => reported(audit, scope, state, given, |mut report: AuditReport| {
            report.store.chain_now = page.head().cloned();
            report
        }),
        Request::Patterns(patterns) => simple(patterns, scope, state, given),
        Request::Sequences(sequences) => simple(sequences, scope, state, given),
        Request::Bursts(bursts) => simple(bursts, scope, state, given),
        Request::Rhythms(rhythms) => simple(rhythms, scope, state, given),
        Request::CoChanges(changes) => simple(changes, scope, state, given),
        Request::Actors(actors) => simple(actors, scope, state, given),
        Request::Templates(templates) => templated(templates, scope, state, given),
    }
}

fn simple<A: Analysis>(
    analysis: &A,
    scope: &Scope<'_>,
    state: State,
    given: Vec<Given>,
) -> Result<(State, Step)> {
    reported(analysis, scope, state, given, |report| report)
}

fn reported<A: Analysis, R: Serialize>(
    analysis: &A,
    scope: &Scope<'_>,
    state: State,
    given: Vec<Given>,
    shown: impl FnOnce(A::Report) -> R,
) -> Result<(State, Step)> {
    match answered(analysis.statements(scope)?, state, given)? {
        Answered::Run(state, step) => Ok((state, step)),
        Answered::All(answers) => done(&shown(analysis.report(scope, &answers)?)),
    }
}

enum Answered {
    Run(State, Step),
    All(Answers),
}

/// Runs the statements, and those that are fallbacks only if the others give no row.
fn answered(statements: Vec<Statement>, state: State, given: Vec<Given>) -> Result<Answered> {
    match state {
        State::Begun => {
            let (otherwise, first): (Vec<_>, Vec<_>) =
                statements.into_iter().partition(|one| one.is_fallback);
            let step = run(&first)?;
            let state = if otherwise.is_empty() { State::Waiting } else { State::Otherwise(otherwise) };
            Ok(Answered::Run(state, step))
        }
        State::Otherwise(otherwise) if given.iter().all(|(_, batches)| are_empty(batches)) => {
            let step = run(&otherwise)?;
            Ok(Answered::Run(State::Waiting, step))
        }
        _ => {
            let mut answers = Answers::default();
            for statement in &statements {
                if let Some((_, batches)) = given.iter().find(|(name, _)| name == statement.name) {
                    answers.add(statement.name, Answer::of(batches)?);
                }
            }
            Ok(Answered::All(answers))
        }
    }
}

fn searched(
    search: &Search,
    page: &Page,
    scope: &Scope<'_>,
    state: State,
    given: Vec<Given>,
) -> Result<(State, Step)> {
    let mut walking = match state {
        State::Searching(walking) => walking,
        _ => Walking {
            walk: Walk::new(page.days().to_vec(), search.span(scope)?),
            wanted: search.limit().saturating_add(1),
            found: Answer::default(),
        },
    };
    for batch in given.iter().flat_map(|(_, batches)| batches) {
        walking.found.add(batch)?;
        walking.wanted = walking.wanted.saturating_sub(batch.num_rows() as u64);
    }
    let within = if walking.wanted == 0 { None } else { walking.walk.next() };
    let Some(within) = within else {
        let more = walking.wanted == 0;
        let mut events = walking.found.objects(!search.columns.is_empty());
        events.truncate(usize::try_from(search.limit()).unwrap_or(usize::MAX));
        return done(&Found { events, more });
    };
    let step = run(&[search.statement(scope, Some(within), walking.wanted)?])?;
    Ok((State::Searching(walking), step))
}

fn shown(show: &Show, scope: &Scope<'_>, state: State, given: Vec<Given>) -> Result<(State, Step)> {
    let fetch = match state {
        State::Fetching(fetch) => match answered(fetch.statements(scope)?, State::Done, given)? {
            Answered::Run(..) => return Err(unexpected()),
            Answered::All(answers) => {
                let found: Found = fetch.report(scope, &answers)?;
                if !found.events.is_empty() || show.seq().is_none() || fetch.seqs != show.seq().as_slice() {
                    return done(&found);
                }
                // It is no number, then, but an id.
                let statements = show.statements(scope)?;
                let step = run(&statements)?;
                return Ok((State::Waiting, step));
            }
        },
        State::Begun => match show.seq() {
            Some(seq) => Fetch::seq(seq),
            None => {
                let statements = show.statements(scope)?;
                let step = run(&statements)?;
                return Ok((State::Waiting, step));
            }
        },
        waiting => match answered(show.statements(scope)?, waiting, given)? {
            Answered::Run(state, step) => return Ok((state, step)),
            Answered::All(answers) => show.report(scope, &answers)?,
        },
    };
    if fetch.seqs.is_empty() {
        return done(&Found::default());
    }
    let step = run(&fetch.statements(scope)?)?;
    Ok((State::Fetching(fetch), step))
}

fn templated(
    templates: &Templates,
    scope: &Scope<'_>,
    state: State,
    given: Vec<Given>,
) -> Result<(State, Step)> {
    let rows = || Answer::of(given.iter().flat_map(|(_, batches)| batches));
    match state {
        State::Sampling(mut report) => {
            report.add_samples(scope, &rows()?);
            let seqs = report.without_example();
            if seqs.is_empty() {
                return done(&*report);
            }
            let step = run(&[report.examples(scope, &seqs)?])?;
            Ok((State::Exemplifying(report), step))
        }
        State::Exemplifying(mut report) => {
            report.add_samples(scope, &rows()?);
            done(&*report)
        }
        state => match answered(templates.statements(scope)?, state, given)? {
            Answered::Run(state, step) => Ok((state, step)),
            Answered::All(answers) => {
                let report = templates.report(scope, &answers)?;
                match templates.samples(scope, &report)? {
                    None => done(&report),
                    Some(samples) => Ok((State::Sampling(Box::new(report)), run(&[samples.statement])?)),
                }
            }
        },
    }
}

fn run(statements: &[Statement]) -> Result<Step> {
    let to_run = |statement: &Statement| {
        let value = |(name, value): &(String, Json)| Ok((name.clone(), value_sql(value)?));
        Ok(ToRun {
            name: statement.name,
            sql: statement.sql.clone(),
            parameters: statement.parameters.iter().map(value).collect::<Result<_>>()?,
            needs: Needs::of(statement),
        })
    };
    Ok(Step::Run(statements.iter().map(to_run).collect::<Result<_>>()?))
}

fn done(report: &impl Serialize) -> Result<(State, Step)> {
    let report = serde_json::to_value(report);
    let report = report.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))?;
    Ok((State::Done, Step::Done(report)))
}

fn are_empty(batches: &[RecordBatch]) -> bool {
    batches.iter().all(|batch| batch.num_rows() == 0)
}

fn unexpected() -> Error {
    Error::new(ErrorKind::Internal, "an answer came to no question")
}
