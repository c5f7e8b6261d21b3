//! Values of one field over the records of a chunk, kept apart by type until the table's type is known.

/// Values and the rows that have them, in the order of the rows.
#[derive(Clone, Debug, Default)]
pub struct Sparse<T> {
    /// The row of each value.
    pub rows: Vec<u32>,
    /// The values.
    pub values: Vec<T>,
}

impl<T> Sparse<T> {
    /// Adds the value of a row.
    pub fn push(&mut self, row: u32, value: T) {
        self.rows.push(row);
        self.values.push(value);
    }

    /// None, with room for about as many as there are here.
    fn as_roomy(&self) -> Sparse<T> {
        let room = room(self.rows.len());
        Sparse { rows: Vec::with_capacity(room), values: Vec::with_capacity(room) }
    }

    /// Rows with their values.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.rows.iter().copied().zip(&self.values)
    }
}

/// Room for as many as there were last time, and some more.
fn room(count: usize) -> usize {
    count.saturating_add(count / 8)
}

/// Texts and the rows that have them; one buffer holds all the bytes.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The row of each text.
    pub rows: Vec<u32>,
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl Texts {
    /// Adds the text of a row.
    pub fn push(&mut self, row: u32, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.seal(row);
    }

    /// Adds what `write` appends as the text of a row, and gives it back.
    pub fn push_with(&mut self, row: u32, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.seal(row);
        self.bytes.get(start..).unwrap_or_default()
    }

    fn seal(&mut self, row: u32) {
        self.rows.push(row);
        // A chunk is far smaller than 4 GiB, and a record longer than that is refused.
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    /// The text of a row, where rows were added in their order.
    pub fn of_row(&self, row: u32) -> Option<&[u8]> {
        self.get(self.rows.binary_search(&row).ok()?)
    }

    /// The text of the last row that has one.
    pub fn last(&self) -> Option<&[u8]> {
        self.get(self.len().checked_sub(1)?)
    }

    /// None, with room for about as many as there are here.
    fn as_roomy(&self) -> Texts {
        let (rows, ends) =
            (Vec::with_capacity(room(self.rows.len())), Vec::with_capacity(room(self.ends.len())));
        Texts { rows, ends, bytes: Vec::with_capacity(room(self.bytes.len())) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text at a position among those that are there.
    pub fn get(&self, position: usize) -> Option<&[u8]> {
        let end = *self.ends.get(position)? as usize;
        let start = match position.checked_sub(1) {
            Some(previous) => *self.ends.get(previous)? as usize,
            None => 0,
        };
        self.bytes.get(start..end)
    }

    /// Rows with their texts.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.rows.iter().enumerate().map(|(position, row)| (*row, self.get(position).unwrap_or_default()))
    }

    /// Bytes of all texts.
    pub fn byte_count(&self) -> usize {
        self.bytes.len()
    }
}

/// What is in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListClass {
    /// Truth values.
    Bools,
    /// Integers of 64 bits that doubles hold too.
    Ints,
    /// Integers of 64 bits, some of which no double holds.
    WideInts,
    /// Numbers that doubles hold.
    Doubles,
    /// Strings.
    Texts,
    /// Nothing.
    Empty,
    /// Nulls alone.
    Nulls,
}

/// Values of one field, by type. A row has at most one.
#[derive(Clone, Debug, Default)]
pub struct FieldValues {
    /// Integers of 64 bits.
    pub ints: Sparse<i64>,
    /// Numbers that only doubles hold.
    pub doubles: Sparse<f64>,
    /// Truth values.
    pub bools: Sparse<bool>,
    /// Strings.
    pub texts: Texts,
    /// Everything less common.
    pub rare: Option<Box<RareValues>>,
}

/// Values that few fields have.
#[derive(Clone, Debug, Default)]
pub struct RareValues {
    /// Arrays of scalars of one type, as JSON, with their class.
    pub lists: Texts,
    /// The class of each list.
    pub classes: Vec<ListClass>,
    /// Numbers that neither a double nor a 64-bit integer holds, as written.
    pub exact: Texts,
    /// What no column can hold, as JSON.
    pub other: Texts,
}

impl FieldValues {
    /// Values of rare types, to add to.
    pub fn rare_mut(&mut self) -> &mut RareValues {
        self.rare.get_or_insert_default()
    }

    /// None, with room for about as many as there are here.
    pub fn as_roomy(&self) -> FieldValues {
        FieldValues {
            ints: self.ints.as_roomy(),
            doubles: self.doubles.as_roomy(),
            bools: self.bools.as_roomy(),
            texts: self.texts.as_roomy(),
            rare: None,
        }
    }

    /// Whether no row has a value.
    pub fn is_empty(&self) -> bool {
        self.ints.rows.is_empty()
            && self.doubles.rows.is_empty()
            && self.bools.rows.is_empty()
            && self.texts.is_empty()
            && self.rare.is_none()
    }
}
