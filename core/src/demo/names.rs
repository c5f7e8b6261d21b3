//! People, companies and programs that occur in several applications. All are invented.

use std::fmt;

use super::rng::mix;

pub(super) const FIRST_NAMES: [&str; 40] = [
    "Aaltje", "Bram", "Chiara", "Dimitri", "Elif", "Femke", "Gustav", "Hanneke", "Imre", "Jorun", "Kwame",
    "Lotte", "Mirjam", "Noor", "Oskar", "Pilar", "Quirijn", "Rasa", "Sanne", "Tariq", "Ulla", "Veerle",
    "Wouter", "Xanthe", "Yusuf", "Zofia", "Anselm", "Birgit", "Casper", "Dorte", "Emeka", "Floor", "Gisela",
    "Hugo", "Ines", "Jelle", "Katarina", "Levi", "Marit", "Søren",
];

pub(super) const LAST_NAMES: [&str; 32] = [
    "Achterberg",
    "Bergström",
    "Castellan",
    "Dijkgraaf",
    "Eriksen",
    "Fontaine",
    "Groenewoud",
    "Halvorsen",
    "Ivarsson",
    "Jonker",
    "Kowalczyk",
    "Lindqvist",
    "Moreno",
    "Nakagawa",
    "O'Hara",
    "Petridis",
    "Quist",
    "Rademaker",
    "Sandoval",
    "Terpstra",
    "Urbanek",
    "Verhoeven",
    "Wiersma",
    "Ximenez",
    "Yildirim",
    "Zondervan",
    "van der Meij",
    "de Graaf",
    "Brandt",
    "Okafor",
    "Silva",
    "Haddad",
];

pub(super) const USER_AGENTS: [&str; 7] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (X11; CrOS x86_64 16181.61.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
];

/// The item that belongs to a number, always the same one.
pub(super) fn of<T: Copy + Default>(items: &[T], number: u64) -> T {
    let index = mix(number) % (items.len() as u64).max(1);
    items.get(index as usize).copied().unwrap_or_default()
}

/// The item at a position, the default value past the end.
pub(super) fn at<T: Copy + Default>(items: &[T], position: impl Into<u64>) -> T {
    usize::try_from(position.into())
        .ok()
        .and_then(|position| items.get(position))
        .copied()
        .unwrap_or_default()
}

/// The person that belongs to a number.
#[derive(Clone, Copy)]
pub(super) struct Person(pub(super) u64);

impl Person {
    pub(super) fn first(self) -> &'static str {
        of(&FIRST_NAMES, self.0)
    }

    pub(super) fn last(self) -> &'static str {
        of(&LAST_NAMES, self.0 ^ 0x5a5a_0000)
    }
}

impl fmt::Display for Person {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.first(), self.last())
    }
}

/// An e-mail address: `first.last@host`, in lower case, letters and dots only before the `@`.
pub(super) struct Email<'a>(pub(super) Person, pub(super) &'a str);

impl fmt::Display for Email<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for (index, name) in [self.0.first(), self.0.last()].into_iter().enumerate() {
            if index > 0 {
                out.write_char('.')?;
            }
            for letter in name.chars().filter(char::is_ascii_alphabetic) {
                out.write_char(letter.to_ascii_lowercase())?;
            }
        }
        write!(out, "@{}", self.1)
    }
}

/// The address from which somebody comes, out of the ranges kept for documentation; every sixth is IPv6.
#[derive(Clone, Copy)]
pub(super) struct Address(pub(super) u64);

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mixed = mix(self.0 ^ 0xadd7);
        match mixed % 6 {
            0 => write!(out, "2001:db8:{:x}::{:x}", mixed >> 48, (mixed >> 16) & 0xfff),
            1 | 2 => write!(out, "192.0.2.{}", (mixed >> 8) % 253 + 1),
            _ => write!(out, "198.51.100.{}", (mixed >> 8) % 253 + 1),
        }
    }
}
