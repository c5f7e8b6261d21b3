//! Files of the catalogue.

use daybook::event::catalogue::{Addition, Catalogue};

/// Reads an input as a file of the catalogue, and takes what is in it.
pub fn check(data: &[u8]) {
    let Ok(addition) = Addition::from_json(data, "_shapes/1.json") else { return };
    let mut catalogue = Catalogue::new(100);
    if catalogue.apply(&addition, catalogue.next_file()).is_ok() {
        let mut again = Catalogue::new(100);
        let complete = catalogue.complete();
        let reread = Addition::from_json(&complete.to_json(), "_shapes/2.json").expect("it was written");
        again.apply(&reread, again.next_file()).expect("what was written can be applied");
        assert_eq!(again.schema().columns(), catalogue.schema().columns());
    }
}
