//! The events of a page: a bundle's, or those of a file that was dropped.

use crate::asking::Asking;
use crate::failure::{Thrown, thrown, told};
use crate::stream;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use daybook::bundle::{
    BundleFile, ChunkPlace, Fetched, Footer, Manifest, Needs, Page, Plan, Stored, read_dropped,
    templates_table, without_zones,
};
use daybook::event::column::{FieldPath, TableSchema};
use daybook::ingest::blocks::ReadAs;
use daybook::query::filter::TsSpan;
use daybook::query::statement;
use daybook::query::view::MixedField;
use daybook::{Error, ErrorKind, Format, Result};
use js_sys::{Array, Uint8Array};
use serde_json::{Value as Json, json};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;

/// Events that can be asked about.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Events {
    pub(crate) page: Page,
    manifest: Option<Manifest>,
    footers: Vec<Option<Footer>>,
    held: Vec<RecordBatch>,
    about: Json,
}

/// What rows have in common that a question is about.
#[wasm_bindgen]
#[derive(Clone, Debug, Default)]
pub struct Common {
    pub(crate) needs: Needs,
}

/// A filter's condition.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Condition {
    sql: String,
    common: Common,
}

/// What a query needs of the events.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Needed {
    reads: bool,
    columns: TableSchema,
    fields: Vec<MixedField>,
    needs: Needs,
}

#[wasm_bindgen]
impl Events {
    /// Reads a bundle's manifest.
    pub fn bundle(manifest: &[u8]) -> std::result::Result<Events, Thrown> {
        thrown(Events::of_manifest(manifest))
    }

    /// Reads a file of any format, in memory; `format` may be empty. `now` is in milliseconds since 1970. A compressed file may
    /// have `limit` bytes at most when it is not.
    pub fn dropped(
        bytes: Vec<u8>,
        name: &str,
        format: &str,
        now: f64,
        limit: f64,
    ) -> std::result::Result<Events, Thrown> {
        thrown(Events::of_file(bytes, name, format, now, limit as u64))
    }

    /// How many there are.
    pub fn rows(&self) -> f64 {
        self.about.get("events").and_then(Json::as_f64).unwrap_or_default()
    }

    /// What there is, as JSON.
    pub fn about(&self) -> String {
        self.about.to_string()
    }

    /// Whether there is a column of this name, which reads as it is stored.
    #[wasm_bindgen(js_name = isPlain)]
    pub fn is_plain(&self, column: &str) -> bool {
        self.page.is_plain(column)
    }

    /// The columns as JSON: name, path and type.
    pub fn columns(&self) -> String {
        let path = |path: &FieldPath| path.keys().map(str::to_string).collect::<Vec<_>>();
        let column = |column: &daybook::event::column::Column| json!({"name": column.name, "path": column.path.as_ref().map(path), "type": column.column_type.name()});
        Json::from(self.page.schema().columns().iter().map(column).collect::<Vec<_>>()).to_string()
    }

    /// What makes DuckDB ready, as JSON: the statements to `begin` with, the `place` of the table [`Events::planned`] that comes
    /// after them, `views`, those of `planning` for the connection that plans, and last `sealing`.
    pub fn setup(&self) -> std::result::Result<String, Thrown> {
        let page = &self.page;
        let (schema, name, _) = thrown(page.planned())?;
        let place = json!({"schema": schema, "name": name});
        Ok(json!({
            "begin": page.setup(), "place": place, "views": page.views(),
            "planning": [page.planning()], "sealing": page.sealing(),
        })
        .to_string())
    }

    /// The rows of the table that queries are planned over, as an Arrow stream.
    pub fn planned(&self) -> std::result::Result<Vec<u8>, Thrown> {
        thrown(self.page.planned().and_then(|(_, _, rows)| stream(&[rows])))
    }

    /// Refuses what is no question; else gives the statement without `EXPLAIN`, or nothing if it explains.
    pub fn question(&self, sql: &str) -> std::result::Result<Option<String>, Thrown> {
        let split = thrown(statement::split(sql))?;
        thrown(statement::check_begins(split.body))?;
        Ok(split.explain.is_empty().then(|| split.body.to_string()))
    }

    /// What an error of DuckDB's means: `{kind, message, hint}` as JSON.
    pub fn explain(&self, text: &str) -> String {
        told(&self.page.explain(text))
    }

    /// What a query needs, from its plan, and from what is known of its rows besides.
    pub fn needed(&self, explained: &str, common: Option<Common>) -> std::result::Result<Needed, Thrown> {
        thrown(self.needed_of(explained, common.map(|common| common.needs)))
    }

    /// What a query needs that reads some columns of all rows.
    #[wasm_bindgen(js_name = neededFor)]
    pub fn needed_for(&self, columns: Vec<String>) -> std::result::Result<Needed, Thrown> {
        thrown(self.needed_by(self.page.plan_of(&columns), Needs::default()))
    }

    /// The filter's condition in SQL.
    pub fn condition(&self, filter: &str, now: f64, lenient: bool) -> std::result::Result<Condition, Thrown> {
        let condition = self.page.filter(filter, micros(now), lenient);
        thrown(condition.map(|(sql, needs)| Condition { sql, common: Common { needs } }))
    }

    /// The numbers of the files that are needed.
    pub fn files(&self, needed: &Needed) -> Vec<u32> {
        let Some(manifest) = self.manifest.as_ref().filter(|_| needed.reads) else { return Vec::new() };
        let rest = needed.fields.iter().map(|_| "rest");
        let columns: Vec<&str> =
            needed.columns.columns().iter().map(|column| column.name.as_str()).chain(rest).collect();
        manifest.files_with(&needed.needs, &columns).into_iter().map(|number| number as u32).collect()
    }

    /// Whether the footer of a file has been read.
    #[wasm_bindgen(js_name = hasFooter)]
    pub fn has_footer(&self, file: usize) -> bool {
        self.footers.get(file).is_some_and(Option::is_some)
    }

    /// Takes the end of a file, from its footer on.
    pub fn footer(&mut self, file: usize, bytes: Vec<u8>) -> std::result::Result<(), Thrown> {
        thrown(self.read_footer(file, bytes))
    }

    /// The row groups of a file that can have rows of a question, each with its number and its rows, one after the other.
    pub fn groups(&self, file: usize, needed: &Needed) -> std::result::Result<Vec<u32>, Thrown> {
        thrown(self.footer_of(file).map(|footer| {
            let groups = footer.groups_with(&needed.needs);
            let pair = |group: &usize| [*group as u64, footer.rows(&[*group])];
            groups.iter().flat_map(pair).map(|number| u32::try_from(number).unwrap_or(u32::MAX)).collect()
        }))
    }

    /// What is to be fetched of row groups of a file, as JSON: `[{group, leaf, offset, length, decoded}]`.
    pub fn places(
        &self,
        file: usize,
        groups: Vec<usize>,
        needed: &Needed,
    ) -> std::result::Result<String, Thrown> {
        thrown(self.places_of(file, &groups, needed).map(|places| json!(places).to_string()))
    }

    /// Whether a whole file is the one that the manifest has the hash of.
    #[wasm_bindgen(js_name = isWhole)]
    pub fn is_whole(&self, file: usize, bytes: &[u8]) -> bool {
        self.stored(file).is_ok_and(|stored| daybook::bundle::is_file(stored, bytes))
    }

    /// The rows of a dropped file as an Arrow stream.
    pub fn held(&self) -> std::result::Result<Vec<u8>, Thrown> {
        thrown(stream(&self.held))
    }

    /// The table `templates`, as an Arrow stream.
    pub fn templates(&self) -> std::result::Result<Vec<u8>, Thrown> {
        thrown(templates_table(self.page.templates()).and_then(|batch| stream(&[without_zones(&batch)?])))
    }

    /// The statement after which `events` are the rows of a table; of none without a table's name.
    pub fn view(&self, table: &str, needed: Option<Needed>) -> String {
        let names = needed
            .map_or_else(|| self.page.all_names(), |needed| self.page.names(&needed.columns, &needed.fields));
        let loaded = (!table.is_empty()).then_some((table, names.as_slice()));
        self.page.view_of_some("main", loaded)
    }

    /// Begins to answer a request.
    pub fn ask(&self, request: &str, now: f64, lenient: bool) -> std::result::Result<Asking, Thrown> {
        thrown(Asking::begin(&self.page, request, micros(now), lenient))
    }
}

#[wasm_bindgen]
impl Condition {
    /// The SQL.
    pub fn sql(&self) -> String {
        self.sql.clone()
    }

    /// What is known of the rows.
    pub fn common(&self) -> Common {
        self.common.clone()
    }
}

#[wasm_bindgen]
impl Needed {
    /// The same, of rows within spans of microseconds since 1970: the first and the last instant of each, which rise.
    pub fn within(&self, bounds: &[i64]) -> Needed {
        let mut within = self.copy();
        let (spans, _) = bounds.as_chunks::<2>();
        let span = |[from, to]: &[i64; 2]| TsSpan { from: *from, until: to.saturating_add(1) };
        within.needs.among = spans.iter().map(span).collect();
        within
    }

    /// Whether the query reads events at all.
    pub fn reads(&self) -> bool {
        self.reads
    }

    /// The names of the columns of its table.
    pub fn names(&self) -> Vec<String> {
        let stored = self.columns.columns().iter().map(|column| column.name.clone());
        stored.chain(self.fields.iter().map(|field| daybook::bundle::rest_column(&field.column))).collect()
    }

    /// The same, of some of its columns by their names.
    pub fn only(&self, names: Vec<String>) -> std::result::Result<Needed, Thrown> {
        let is_wanted = |name: &str| names.iter().any(|wanted| wanted == name);
        let mut only = self.copy();
        only.fields.retain(|field| is_wanted(&daybook::bundle::rest_column(&field.column)));
        // What `rest` has of a field of lists is told together with them.
        let is_field = |name: &str| only.fields.iter().any(|field| field.column == name);
        let columns = self.columns.columns().iter();
        let columns = columns.filter(|column| is_wanted(&column.name) || is_field(&column.name));
        only.columns = thrown(TableSchema::of(columns.cloned().collect::<Vec<_>>()))?;
        Ok(only)
    }

    /// The same once more.
    pub fn copy(&self) -> Needed {
        let Needed { reads, columns, fields, needs } = self;
        Needed { reads: *reads, columns: columns.clone(), fields: fields.clone(), needs: needs.clone() }
    }
}

/// The first look at events, before there is a DuckDB to ask.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Glance {
    events: daybook::bundle::Glance,
}

#[wasm_bindgen]
impl Glance {
    /// No events.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Glance {
        Glance::default()
    }

    /// Adds decoded rows, which have the columns [`Glance::columns`].
    pub fn add(&mut self, decoder: &Decoder) -> std::result::Result<(), Thrown> {
        thrown(decoder.batches.iter().try_for_each(|batch| self.events.add(batch)))
    }

    /// Adds the rows of a query, an Arrow stream with the columns [`Glance::columns`].
    #[wasm_bindgen(js_name = addRows)]
    pub fn add_rows(&mut self, stream: &[u8]) -> std::result::Result<(), Thrown> {
        let (_, batches) = thrown(crate::rows(stream))?;
        thrown(batches.iter().try_for_each(|batch| self.events.add(batch)))
    }

    /// The columns that it is made of.
    pub fn columns() -> Vec<String> {
        daybook::bundle::GLANCED.map(|fixed| fixed.name().to_string()).to_vec()
    }

    /// Puts the events in the order of time.
    pub fn sort(&mut self) {
        self.events.sort();
    }

    /// The instants in that order.
    pub fn ts(&self) -> Vec<i64> {
        self.events.order().0.to_vec()
    }

    /// The numbers in that order.
    pub fn seq(&self) -> Vec<i64> {
        self.events.order().1.to_vec()
    }

    /// How many events of each band of severity are in equal stretches of time: those of the first band, then of the next.
    pub fn buckets(&self, origin: f64, step: f64, count: usize) -> Vec<f64> {
        self.events.buckets(micros(origin), micros(step), count)
    }
}

/// Rows that are decoded, of one file after the other.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Decoder {
    batches: Vec<RecordBatch>,
}

#[wasm_bindgen]
impl Decoder {
    /// No rows.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// Adds the rows of row groups of a file, from all that [`Events::places`] names, in that order, and what the browser says is
    /// the SHA-256 of each; computed here where it says nothing.
    pub fn add(
        &mut self,
        events: &Events,
        file: usize,
        groups: Vec<usize>,
        needed: &Needed,
        chunks: &Array,
        digests: &Array,
    ) -> std::result::Result<(), Thrown> {
        thrown(
            events.decoded(file, groups, needed, chunks, digests).map(|batches| self.batches.extend(batches)),
        )
    }

    /// Some of the rows by their numbers and in this order, with some columns, as an Arrow stream; nothing if a column is of lists.
    pub fn picked(&self, seqs: &[i64], columns: Vec<String>) -> std::result::Result<Option<Vec<u8>>, Thrown> {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let rows = thrown(daybook::bundle::rows_of(&self.batches, seqs, &columns))?;
        rows.map(|rows| thrown(stream(&[rows]))).transpose()
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The rows, to be handed on later; there are none after it.
    pub fn aside(&mut self) -> Decoder {
        Decoder { batches: std::mem::take(&mut self.batches) }
    }

    /// The rows as an Arrow stream; there are none after it.
    pub fn take(&mut self) -> std::result::Result<Vec<u8>, Thrown> {
        thrown(stream(&std::mem::take(&mut self.batches)))
    }
}

impl Events {
    fn of_manifest(manifest: &[u8]) -> Result<Events> {
        let manifest = Manifest::read(manifest)?;
        let page = Page::of(&manifest)?;
        let place = |stored: &Stored| {
            json!({
                "path": stored.path, "size": stored.size, "rows": stored.rows,
                "footer": [stored.footer.offset, stored.footer.length],
            })
        };
        let file = |file: &BundleFile| {
            let mut told = place(&file.stored);
            told["day"] = json!(file.day);
            told
        };
        let about = json!({
            "title": manifest.title, "created": manifest.created, "filter": manifest.filter, "events": manifest.events,
            "bytes": manifest.bytes, "source": manifest.source, "redacted": manifest.redacted,
            "files": manifest.files.iter().map(file).collect::<Vec<_>>(),
            "copies": manifest.copies.iter().map(|copy| place(&copy.stored)).collect::<Vec<_>>(),
            "span": manifest.span(),
        });
        let footers = manifest.stored().map(|_| None).collect();
        Ok(Events { page, manifest: Some(manifest), footers, held: Vec::new(), about })
    }

    fn of_file(bytes: Vec<u8>, name: &str, format: &str, now: f64, limit: u64) -> Result<Events> {
        let no_format = || Error::new(ErrorKind::Invalid, format!("there is no format `{format}`"));
        let format = match format {
            "" => None,
            format => Some(Format::from_name(format).ok_or_else(no_format)?),
        };
        let read_as = ReadAs { format, ..ReadAs::default() };
        let dropped = read_dropped(bytes, name, &read_as, micros(now), limit)?;
        let about = json!({
            "title": name, "events": dropped.records.saturating_sub(dropped.quarantined), "format": dropped.format,
            "records": dropped.records, "quarantined": dropped.quarantined, "reasons": dropped.reasons, "files": [],
            "copies": [], "span": dropped.page.span(),
        });
        Ok(Events { page: dropped.page, manifest: None, footers: Vec::new(), held: dropped.batches, about })
    }

    fn needed_of(&self, explained: &str, more: Option<Needs>) -> Result<Needed> {
        self.needed_by(self.page.plan(explained), more.unwrap_or_default())
    }

    fn needed_by(&self, plan: Plan, more: Needs) -> Result<Needed> {
        let (columns, fields) = self.page.needed(&plan.columns)?;
        let span = match (plan.span, more.span) {
            (Some(one), Some(other)) => {
                Some(TsSpan { from: one.from.max(other.from), until: one.until.min(other.until) })
            }
            (one, other) => one.or(other),
        };
        Ok(Needed { reads: plan.reads, columns, fields, needs: Needs { span, ..more } })
    }

    fn read_footer(&mut self, file: usize, bytes: Vec<u8>) -> Result<()> {
        let footer = Footer::read(self.stored(file)?, &Bytes::from(bytes), self.page.schema())?;
        if let Some(slot) = self.footers.get_mut(file) {
            *slot = Some(footer);
        }
        Ok(())
    }

    fn stored(&self, file: usize) -> Result<&Stored> {
        self.manifest.as_ref().and_then(|manifest| manifest.stored().nth(file)).ok_or_else(no_file)
    }

    fn footer_of(&self, file: usize) -> Result<&Footer> {
        self.footers.get(file).and_then(Option::as_ref).ok_or_else(no_file)
    }

    fn places_of(&self, file: usize, groups: &[usize], needed: &Needed) -> Result<Vec<ChunkPlace>> {
        let needs_rest = !needed.fields.is_empty();
        let is_wanted = |name: &str| needed.columns.by_name(name).is_some() || (needs_rest && name == "rest");
        self.footer_of(file)?.places(&is_wanted, groups)
    }

    fn decoded(
        &self,
        file: usize,
        groups: Vec<usize>,
        needed: &Needed,
        chunks: &Array,
        digests: &Array,
    ) -> Result<Vec<RecordBatch>> {
        let places = self.places_of(file, &groups, needed)?;
        let bytes =
            |one: wasm_bindgen::JsValue| one.dyn_into::<Uint8Array>().ok().map(|bytes| bytes.to_vec());
        let chunks = places.into_iter().zip(chunks.iter().filter_map(bytes).map(Bytes::from)).collect();
        let digests: Vec<Vec<u8>> = digests.iter().filter_map(bytes).collect();
        let fetched = Fetched::new(self.footer_of(file)?, chunks, &digests)?;
        fetched.batches(&groups, &needed.columns, &needed.fields)
    }
}

fn no_file() -> Error {
    Error::new(ErrorKind::Internal, "a file is asked for that is not there")
}

/// Milliseconds since 1970 as microseconds.
fn micros(milliseconds: f64) -> i64 {
    (milliseconds * 1_000.0) as i64
}
