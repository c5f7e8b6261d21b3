//! Takes records apart: which value is which fixed column's, which are fields, and what the record's hash is.

mod fields;
mod fixed;

use super::canonical;
use super::chunk::{Chunk, Field};
use super::column::FieldPath;
use super::digest::Messages;
use super::fixed::Fixed;
use super::json::{self, Kind, Node, Tape};
use super::mapping::Names;
use super::path::{NodeId, PathTree, ROOT};
use super::reject::Reject;
use super::shape::{Form, Origin, Shape};
use super::values::{FieldValues, Texts};
use hashbrown::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Beyond so many paths the tree starts anew with the next chunk, so that hostile keys cannot fill memory.
const PATHS_MAX: usize = 20_000;

/// Records are hashed once so many bytes of them wait: few enough to be near the processor still.
const HASHED_BYTES: usize = 64 << 10;

/// A value that is not an object with keys: its path, and its place on the tape.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    node: NodeId,
    value: u32,
    taken: bool,
    /// Where its text without escapes was put last.
    plain: Option<Plain>,
}

/// A column of texts of the chunk.
#[derive(Clone, Copy, Debug)]
enum Plain {
    Fixed(Fixed),
    Field,
}

/// A value that may become a fixed column.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    column: Fixed,
    rank: u8,
    node: NodeId,
    value: u32,
    /// The leaves in it.
    leaves: (u32, u32),
}

/// What stays the same for records with the same keys in the same order.
#[derive(Debug, Default)]
struct KeyOrders {
    last: (Vec<NodeId>, KeyOrder),
    known: HashMap<Vec<NodeId>, KeyOrder>,
}

/// The leaves of a record sorted by path, and a hash of these paths.
#[derive(Clone, Debug, Default)]
struct KeyOrder {
    order: Arc<[u32]>,
    hash: u64,
}

/// Whether each of a record's keys stands once in its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Yes.
    Unique,
    /// No: this is the record to read in its place. The last of several values counts, as in most readers
    /// of JSON, and the others stand in [`canonical::REPEATED`].
    Repeated(Vec<u8>),
}

/// Takes records apart, one after the other, into a chunk.
#[derive(Debug, Default)]
pub struct Shredder {
    tape: Tape,
    paths: PathTree,
    chunk: Chunk,
    fields: Vec<FieldValues>,
    shapes: HashMap<Vec<u32>, u32>,
    record: u64,
    orders: KeyOrders,
    leaves: Vec<Leaf>,
    candidates: Vec<Candidate>,
    key: Vec<u8>,
    shape_key: Vec<u32>,
    /// Canonical bytes of records of the chunk that have no content hash yet.
    unhashed: Messages,
    ts: Option<(i64, NodeId)>,
    has_secret: bool,
}

impl Shredder {
    /// Takes records apart whose keys are known by these names.
    pub fn new(names: Arc<Names>) -> Shredder {
        Shredder { paths: PathTree::new(names), ..Shredder::default() }
    }

    /// Takes a record apart. One that is rejected leaves nothing behind.
    pub fn push(&mut self, record: &[u8], arrival_us: i64) -> Result<(), Reject> {
        match self.read(record)? {
            Keys::Unique => self.store(record, arrival_us),
            Keys::Repeated(unique) => self.push(&unique, arrival_us),
        }
    }

    /// Whether a record can be stored.
    pub fn check(&mut self, record: &[u8], arrival_us: i64) -> Result<(), Reject> {
        if self.paths.count() > PATHS_MAX {
            *self = Shredder::new(self.paths.names().clone());
        }
        match self.read(record)? {
            Keys::Unique => {
                self.sort_candidates();
                self.timestamp(record, arrival_us).map(|_| ())
            }
            Keys::Repeated(unique) => self.check(&unique, arrival_us),
        }
    }

    /// Parses a record and finds its leaves and candidates; [`Shredder::store`] may follow.
    pub fn read(&mut self, record: &[u8]) -> Result<Keys, Reject> {
        if let Err(error) = simdutf8::compat::from_utf8(record) {
            return Err(Reject::NotUtf8 { offset: error.valid_up_to() });
        }
        self.tape.parse(record).map_err(Reject::Json)?;
        if self.tape.get(0).is_none_or(|root| root.kind != Kind::Object) {
            return Err(Reject::NotAnObject);
        }
        self.record += 1;
        self.has_secret = false;
        self.leaves.clear();
        self.candidates.clear();
        Ok(match self.walk(record, 0, ROOT) {
            true => Keys::Unique,
            false => Keys::Repeated(canonical::without_duplicates(record, &self.tape)),
        })
    }

    /// The record that was read last, parsed.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// Whether the record that was read last has a key whose value is secret.
    pub fn has_secret(&self) -> bool {
        self.has_secret
    }

    fn sort_candidates(&mut self) {
        self.candidates.sort_unstable_by_key(|candidate| (candidate.column, candidate.rank, candidate.node));
    }

    /// The records so far; the next go to a new chunk.
    pub fn take(&mut self) -> Chunk {
        self.unhashed.hash_into(&mut self.chunk.content);
        let mut chunk = std::mem::take(&mut self.chunk);
        for (id, values) in self.fields.iter_mut().enumerate() {
            if let (false, Some(node)) = (values.is_empty(), self.paths.get(id as NodeId)) {
                let path = node.path.clone();
                let next = values.as_roomy();
                chunk.fields.push(Field { path, values: std::mem::replace(values, next) });
            }
        }
        self.shapes.clear();
        if self.paths.count() > PATHS_MAX {
            self.paths = PathTree::new(self.paths.names().clone());
            self.orders = KeyOrders::default();
            self.fields = Vec::new();
        }
        if self.orders.known.len() > PATHS_MAX {
            self.orders = KeyOrders::default();
        }
        chunk
    }

    /// How many records are in the chunk so far.
    pub fn len(&self) -> usize {
        self.chunk.len()
    }

    /// Whether no record is in the chunk yet.
    pub fn is_empty(&self) -> bool {
        self.chunk.is_empty()
    }

    /// Finds the leaves of an object, and the candidates for fixed columns. False where a key is there twice.
    fn walk(&mut self, text: &[u8], object: usize, parent: NodeId) -> bool {
        let Some(Node { next: end, .. }) = self.tape.get(object) else { return true };
        let mut position = object + 1;
        let mut previous = parent;
        while position < end as usize {
            let (Some(key), Some(value)) = (self.tape.get(position), self.tape.get(position + 1)) else {
                break;
            };
            let node = self.node_of(text, &key, parent, previous);
            previous = node;
            let Some(path) = self.paths.get_mut(node) else { break };
            if path.seen_in == self.record {
                return false;
            }
            path.seen_in = self.record;
            let maps_to = path.maps_to;
            self.has_secret |= path.secret;
            let first_leaf = self.leaves.len() as u32;
            let place = position as u32 + 1;
            if value.kind == Kind::Object && value.next as usize > position + 2 {
                if !self.walk(text, position + 1, node) {
                    return false;
                }
            } else {
                self.leaves.push(Leaf { node, value: place, taken: false, plain: None });
            }
            if let Some((column, rank)) = maps_to {
                let leaves = (first_leaf, self.leaves.len() as u32);
                self.candidates.push(Candidate { column, rank, node, value: place, leaves });
            }
            position = value.next as usize;
        }
        true
    }

    fn node_of(&mut self, text: &[u8], key: &Node, parent: NodeId, previous: NodeId) -> NodeId {
        let raw = json::text_of(text, key);
        if !key.escaped {
            return self.paths.child(parent, previous, raw);
        }
        self.key.clear();
        json::unescape_into(raw, &mut self.key);
        self.paths.child(parent, previous, &self.key)
    }

    /// Puts the record that was read last into the chunk.
    pub fn store(&mut self, text: &[u8], arrival_us: i64) -> Result<(), Reject> {
        self.sort_candidates();
        // The timestamp comes first: it is the only one that can reject a record.
        let (ts, ts_origin) = self.timestamp(text, arrival_us)?;
        let row = self.chunk.len() as u32;
        if self.chunk.fixed.is_empty() {
            self.chunk.fixed.resize_with(Fixed::ALL.len(), Texts::default);
        }
        self.chunk.ts.push(ts);
        self.chunk.severity.push(0);
        self.shape_key.clear();
        self.ts = ts_origin.map(|(node, _)| (ts, node));
        if let Some((node, form)) = ts_origin {
            self.note_origin(Fixed::Ts, node, Form::Time(form));
        }
        self.take_fixed(text, row);
        self.take_fields(text, row);
        let shape = self.shape_of_record();
        self.chunk.shape.push(shape);
        self.note_content(text);
        self.chunk.bytes += text.len() + 96;
        Ok(())
    }

    fn note_origin(&mut self, column: Fixed, node: NodeId, form: Form) {
        self.shape_key.extend([column.position() as u32, node, form.code()]);
    }

    /// The shape of the record, by its key.
    fn shape_of_record(&mut self) -> u32 {
        if let Some(shape) = self.shapes.get(&self.shape_key) {
            return *shape;
        }
        let mut shape = Shape::default();
        for entry in self.shape_key.as_chunks::<3>().0 {
            let [what, node, code] = *entry;
            let path =
                self.paths.get(node).map_or_else(|| FieldPath::new::<&str>([]), |node| (*node.path).clone());
            match what.checked_sub(ABSENCE) {
                Some(0) => shape.nulls.push(path),
                Some(1) => shape.empty_objects.push(path),
                Some(_) => shape.empty_arrays.push(path),
                None => {
                    let column = Fixed::ALL.get(what as usize).copied();
                    if let (Some(column), Some(form)) = (column, Form::of_code(code)) {
                        shape.origins.push(Origin { column, path, form });
                    }
                }
            }
        }
        let id = self.chunk.shapes.len() as u32;
        self.chunk.shapes.push(shape.sorted());
        self.shapes.insert(self.shape_key.clone(), id);
        id
    }

    /// Puts the record's canonical bytes among those that wait to be hashed.
    fn note_content(&mut self, text: &[u8]) {
        let keys = self.key_order();
        self.chunk.keys.push(keys.hash);
        let Shredder { unhashed, leaves, paths, tape, chunk, fields, ts, .. } = self;
        unhashed.push_with(|out| {
            for position in keys.order.iter() {
                let Some(leaf) = leaves.get(*position as usize) else { continue };
                let Some(node) = paths.get(leaf.node) else { continue };
                let plain = match leaf.plain {
                    Some(Plain::Fixed(column)) => chunk.fixed.get(column.position()).and_then(Texts::last),
                    Some(Plain::Field) => {
                        fields.get(leaf.node as usize).and_then(|values| values.texts.last())
                    }
                    None => None,
                };
                match (plain, *ts) {
                    (_, Some((micros, ts_node))) if ts_node == leaf.node => {
                        canonical::time_leaf_into(&node.encoded, micros, out);
                    }
                    (Some(plain), _) => canonical::text_leaf_into(&node.encoded, plain, out),
                    _ => canonical::leaf_into(&node.encoded, text, tape, leaf.value as usize, out),
                }
            }
        });
        if self.unhashed.bytes() >= HASHED_BYTES {
            self.unhashed.hash_into(&mut self.chunk.content);
        }
    }

    fn key_order(&mut self) -> KeyOrder {
        let same = self.orders.last.0.len() == self.leaves.len()
            && self.orders.last.0.iter().zip(&self.leaves).all(|(node, leaf)| *node == leaf.node);
        if same {
            return self.orders.last.1.clone();
        }
        let nodes: Vec<NodeId> = self.leaves.iter().map(|leaf| leaf.node).collect();
        let keys = match self.orders.known.get(&nodes) {
            Some(keys) => keys.clone(),
            None => {
                let mut order: Vec<u32> = (0..nodes.len() as u32).collect();
                let encoded = |position: &u32| {
                    let node = nodes.get(*position as usize).and_then(|node| self.paths.get(*node));
                    node.map(|node| &*node.encoded).unwrap_or_default()
                };
                order.sort_by(|a, b| encoded(a).cmp(encoded(b)));
                let mut hash = DefaultHasher::new();
                order.iter().for_each(|position| encoded(position).hash(&mut hash));
                let keys = KeyOrder { order: order.into(), hash: hash.finish() };
                self.orders.known.insert(nodes.clone(), keys.clone());
                keys
            }
        };
        self.orders.last = (nodes, keys.clone());
        keys
    }
}

/// In a shape's key, entries from here on are fields that were null, `{}` or `[]`.
const ABSENCE: u32 = 1 << 16;
