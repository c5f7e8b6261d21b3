//! Records through intake, columns and back: each is an event that comes out as it went in, or has a reason.

use crate::json::{parse, same};
use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::Schema;
use daybook::event::Fixed;
use daybook::event::assemble::Assembler;
use daybook::event::canonical::REPEATED;
use daybook::event::catalogue::{Addition, Catalogue};
use daybook::event::chunk::Chunk;
use daybook::event::mapping::Mapping;
use daybook::ingest::arrays::{Placement, Settled, arrays, arrow_field, arrow_type};
use daybook::ingest::rest::rest_of;
use daybook::intake::Intake;
use daybook::redact::{RedactSettings, Rules};
use std::sync::Arc;

const ARRIVAL_US: i64 = 1_770_076_800_000_000;
/// Few, so that fields also go to `rest`.
const COLUMNS_MAX: usize = 40;

fn intake(mapping: &Mapping) -> Intake {
    let settings = RedactSettings { enabled: false, ..RedactSettings::default() };
    let rules = Arc::new(Rules::new(&settings, None).expect("the default is valid"));
    Intake::new(mapping.clone(), &rules)
}

/// Stores the lines as records, the first half before the second, and reads them again.
pub fn check(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let mut mapping = Mapping::default();
    if data.len() % 2 == 1 {
        let chosen =
            [("message", "a.b"), ("ts", "t"), ("kind", "k"), ("entity_id", "id"), ("duration_ms", "d")];
        for (column, path) in chosen {
            mapping.choose(column, path).expect("these columns can be mapped");
        }
    }
    let mut catalogue = Catalogue::new(COLUMNS_MAX);
    let (first, second) = lines.split_at(lines.len() / 2);
    let stored = [first, second].map(|lines| store(lines, &mapping, &mut catalogue));
    for (records, chunk) in stored {
        compare(&records, chunk, &mapping, &catalogue);
    }
}

fn store<'a>(lines: &[&'a [u8]], mapping: &Mapping, catalogue: &mut Catalogue) -> (Vec<&'a [u8]>, Chunk) {
    let mut intake = intake(mapping);
    let mut records = Vec::new();
    for line in lines {
        match intake.push(line, ARRIVAL_US) {
            Ok(()) => records.push(*line),
            Err(reject) => assert!(!reject.to_string().is_empty()),
        }
    }
    let chunk = intake.take();
    assert_eq!(chunk.len(), records.len(), "a record is neither stored nor rejected");
    let addition = catalogue.missing([&chunk].into_iter()).expect("the catalogue takes any record");
    let addition = Addition::from_json(&addition.to_json(), "input").expect("what was written can be read");
    catalogue.apply(&addition, catalogue.next_file()).expect("what is missing can be added");
    (records, chunk)
}

fn compare(records: &[&[u8]], chunk: Chunk, mapping: &Mapping, catalogue: &Catalogue) {
    let content = chunk.content.clone();
    let batch = batch_of(chunk, catalogue);
    let assembler = Assembler::new(&batch.schema(), catalogue);
    let mut intake = intake(mapping);
    for (row, record) in records.iter().enumerate() {
        let mut back = Vec::new();
        assembler.original_into(&batch, row, &mut back).expect("a row can be put together");
        let shown = String::from_utf8_lossy(&back).into_owned();
        assembler.columns_into(&batch, row, &mut Vec::new()).expect("a row can be shown");
        intake.push(&back, ARRIVAL_US).unwrap_or_else(|reject| panic!("{shown}: {reject}"));
        assert_eq!(intake.take().content.first(), content.get(row), "{shown} is another record");
        if let (Some(before), Some(after)) = (parse(record), parse(&back)) {
            let has_repeats = after.get(REPEATED).is_some();
            let is_timed = batch.column_by_name(Fixed::Ts.name()).is_some();
            assert!(is_timed && (has_repeats || alike(&before, &after)), "{before} became {after}");
        }
    }
}

/// Equal, but for the spelling of timestamps at the top and one level below.
fn alike(before: &serde_json::Value, after: &serde_json::Value) -> bool {
    let (Some(a), Some(b)) = (before.as_object(), after.as_object()) else { return same(before, after) };
    let is_time = |value: &serde_json::Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_string);
        daybook::event::time::read_text(&text).is_some()
    };
    let equal = |a: &serde_json::Value, b: &serde_json::Value| same(a, b) || (is_time(a) && is_time(b));
    a.len() == b.len()
        && a.iter().all(|(key, a)| {
            b.get(key).is_some_and(|b| match (a.as_object(), b.as_object()) {
                (Some(_), Some(_)) => alike(a, b),
                _ => equal(a, b),
            })
        })
}

fn batch_of(chunk: Chunk, catalogue: &Catalogue) -> RecordBatch {
    let shape_ids = chunk.shapes.iter().map(|shape| catalogue.shape_id(&catalogue.storable(shape)));
    let shape_ids = shape_ids.collect::<Option<Vec<i32>>>().expect("the catalogue has all shapes");
    let columns = chunk.fields.iter().map(|field| catalogue.schema().position_of(&field.path)).collect();
    let rest = rest_of(&chunk, catalogue);
    let rows = chunk.len();
    let seq = (1..=chunk.len() as i64).collect();
    let settled = [Settled::new(chunk, seq, shape_ids, rest, columns)];
    let placement = Placement::in_order(&settled);
    let columns = catalogue.schema().columns();
    let arrays = columns.iter().enumerate().map(|(position, column)| {
        let values = arrays(position, column, &settled, &placement).expect("values fit their column");
        let values = values.into_iter().next().flatten();
        values.unwrap_or_else(|| new_null_array(&arrow_type(column.column_type), rows))
    });
    let arrays = arrays.collect();
    let fields: Vec<_> = columns.iter().map(arrow_field).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).expect("columns fit")
}
