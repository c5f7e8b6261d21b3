//! Timestamps and durations.

use daybook::event::time::{
    EARLIEST_US, LATEST_US, TimeForm, day_of, day_start_us, read_duration_ms, read_number, read_text, rfc3339,
};

/// Reads text as a time; what is written of it is the same time.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for (micros, form) in [read_text(text), read_number(text)].into_iter().flatten() {
        if (EARLIEST_US..=LATEST_US).contains(&micros) {
            let written = form.write(micros);
            let again = read_text(written.trim_matches('"'));
            assert_eq!(again.map(|(micros, _)| micros), Some(micros), "{text} became {written}");
            assert_eq!(read_text(&rfc3339(micros)), Some((micros, TimeForm::Text)));
            assert!((0..86_400_000_000).contains(&(micros - day_start_us(day_of(micros)))));
        }
    }
    if let Some(milliseconds) = read_duration_ms(text) {
        assert!(milliseconds >= 0.0);
    }
}
