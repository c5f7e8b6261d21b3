//! Files that were rotated while nobody looked: none is missed, whatever is stored of newer ones.

use super::{Place, counts};
use std::fs::{self, OpenOptions};
use std::time::{Duration, SystemTime};

impl Place {
    /// Makes a file that was written last so many minutes ago.
    fn make(&self, name: &str, minutes: u64, text: &str) {
        fs::write(self.at(name), text).unwrap();
        self.date(name, minutes);
    }

    fn date(&self, name: &str, minutes: u64) {
        let file = OpenOptions::new().append(true).open(self.at(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(60 * minutes)).unwrap();
    }

    /// Follows a file for as long as it takes to store this, which is all there is.
    fn follow_until(&self, numbers: &str) -> Vec<String> {
        let following = self.follow(&["a.log"]);
        self.wait(numbers);
        let (receipt, notes) = following.end();
        self.wait(numbers);
        assert_eq!(receipt.quarantined, 0);
        notes
    }
}

#[test]
fn a_new_file_that_begins_like_the_old_one_is_no_copy_of_it() {
    let place = Place::new("");
    place.write("a.log", "{\"n\":1}\n");
    place.follow_until("1");
    // One that was stored in part, one that nobody saw, and one of which little is written yet.
    place.write("a.log", "{\"n\":2}\n");
    place.rename("a.log", "a.log.2");
    place.date("a.log.2", 2);
    place.make("a.log.1", 1, "{\"n\":3}\n");
    place.write("a.log", "{\"n\"");
    let following = place.follow(&["a.log"]);
    place.wait("1 2 3");
    place.write("a.log", ":4}\n");
    place.wait("1 2 3 4");
    assert_eq!(counts(&following.end().0), (3, 1, 0));
}

#[test]
fn older_files_are_read_although_newer_ones_are_stored() {
    let place = Place::new("[seal]\nevents = 3\n");
    // Nobody followed when this one was there.
    place.make("a.log.9", 90, "{\"n\":900}\n");
    place.write("a.log", "{\"n\":1}\n");
    place.follow_until("1");
    place.write("a.log", "{\"n\":2}\n");
    place.rename("a.log", "a.log.4");
    place.date("a.log.4", 40);
    place.make("a.log.3", 30, "{\"n\":3}\n");
    place.make("a.log.2", 20, "{\"n\":4}\n");
    place.make("a.log.1", 10, "{\"n\":5}\n");
    // As if a process had been killed that did not keep to the order.
    place.ingest(&["a.log.2"]);
    place.write("a.log", "{\"n\":6}\n");
    place.ingest(&["a.log"]);
    place.write("a.log", "{\"n\":7}\n");
    let notes = place.follow_until("1 2 3 4 5 6 7");
    let stored: Vec<&str> = notes.iter().filter_map(|note| note.split('`').nth(1)).collect();
    let names: Vec<&str> = stored.iter().filter_map(|name| name.rsplit('/').next()).collect();
    assert_eq!(names, ["a.log.4", "a.log.3", "a.log.1"], "{notes:?}");
    place.store().seal().unwrap();
    assert_eq!(place.follow_until("1 2 3 4 5 6 7"), [""; 0]);
}

#[test]
fn files_that_come_and_go_between_two_looks_are_read() {
    let place = Place::new("");
    place.write("a.log", "{\"n\":0}\n");
    let following = place.follow(&["a.log"]);
    place.wait("0");
    let mut expected = "0".to_string();
    for round in 0..8 {
        for file in 1..=3 {
            let old = format!("a.log.{}", round * 3 + file);
            place.rename("a.log", &old);
            place.date(&old, 100 - round * 3 - file);
            place.write("a.log", &format!("{{\"n\":{}}}\n", round * 3 + file));
            expected += &format!(" {}", round * 3 + file);
        }
        place.wait(&expected);
    }
    assert_eq!(counts(&following.end().0), (25, 0, 0));
}

#[test]
fn a_copy_of_some_of_a_file_is_not_stored_beside_it() {
    let place = Place::new("[seal]\nevents = 2\n");
    place.write("a.log", "{\"n\":1}\n");
    place.follow_until("1");
    place.write("a.log", "{\"n\":2}\n");
    fs::copy(place.at("a.log"), place.at("a.log.bak")).unwrap();
    place.date("a.log.bak", 30);
    place.write("a.log", "{\"n\":3}\n");
    place.follow_until("1 2 3");
    place.store().seal().unwrap();
    for (old, n) in [(2, 4), (1, 5)] {
        let old = format!("a.log.{old}");
        place.rename("a.log", &old);
        place.date(&old, 30 - n);
        place.write("a.log", &format!("{{\"n\":{n}}}\n"));
    }
    place.follow_until("1 2 3 4 5");
    assert_eq!(place.follow_until("1 2 3 4 5"), [""; 0]);
}

#[test]
fn a_file_that_is_still_read_is_not_stored_from_its_copy_too() {
    let place = Place::new("");
    place.write("a.log", "{\"n\":1}\n");
    let following = place.follow(&["a.log"]);
    place.wait("1");
    // Its last line waits for its end, and meanwhile a tool puts a copy in its place.
    place.rename("a.log", "a.log.1");
    place.write("a.log.1", "{\"n\":2}");
    place.write("a.log", "{\"n\":3}\n");
    let last = "SELECT max(n)::VARCHAR FROM events";
    place.wait_for(last, "3");
    fs::copy(place.at("a.log.1"), place.at("a.log.2")).unwrap();
    fs::remove_file(place.at("a.log.1")).unwrap();
    place.date("a.log.2", 1);
    place.rename("a.log", "a.log.1");
    place.write("a.log", "{\"n\":4}\n");
    place.wait_for(last, "4");
    assert_eq!(counts(&following.end().0), (4, 0, 0));
    place.wait("1 2 3 4");
    assert_eq!(place.follow_until("1 2 3 4"), [""; 0]);
}
