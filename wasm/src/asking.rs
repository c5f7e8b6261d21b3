//! A request that is being answered.

use crate::events::{Common, Events};
use crate::failure::{Thrown, thrown};
use crate::rows;
use daybook::Result;
use daybook::bundle::{Ask, Given, Page, Step, ToRun};
use js_sys::Uint8Array;
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;

/// A request that is being answered: statements go out, rows come in.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Asking {
    ask: Option<Ask>,
    given: Vec<Given>,
    to_run: Vec<ToRun>,
}

#[wasm_bindgen]
impl Asking {
    /// Goes on: `{"run": [{name, sql, parameters}]}`, or `{"done": report}`.
    pub fn next(&mut self, events: &Events) -> std::result::Result<String, Thrown> {
        thrown(self.advance(&events.page))
    }

    /// Takes the rows of a statement, by its name: an Arrow stream.
    pub fn give(&mut self, name: &str, stream: &Uint8Array) -> std::result::Result<(), Thrown> {
        let (_, batches) = thrown(rows(&stream.to_vec()))?;
        self.given.push((name.to_string(), batches));
        Ok(())
    }

    /// What a statement says of its rows, for [`Events::needed`].
    pub fn common(&self, number: usize) -> Common {
        Common { needs: self.to_run.get(number).map(|one| one.needs.clone()).unwrap_or_default() }
    }
}

impl Asking {
    pub(crate) fn begin(page: &Page, request: &str, now_us: i64, lenient: bool) -> Result<Asking> {
        let request = serde_json::from_str(request).map_err(|error| {
            daybook::Error::new(daybook::ErrorKind::Invalid, format!("the request cannot be read: {error}"))
        })?;
        let ask = Some(page.ask(request, now_us, lenient)?);
        Ok(Asking { ask, given: Vec::new(), to_run: Vec::new() })
    }

    fn advance(&mut self, page: &Page) -> Result<String> {
        let given = std::mem::take(&mut self.given);
        let Some(ask) = &mut self.ask else { return Ok(json!({"run": []}).to_string()) };
        Ok(match ask.next(page, given)? {
            Step::Done(report) => json!({"done": report}).to_string(),
            Step::Run(to_run) => {
                let run = json!({"run": to_run}).to_string();
                self.to_run = to_run;
                run
            }
        })
    }
}
