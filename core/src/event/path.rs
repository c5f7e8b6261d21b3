//! The paths of the fields that records have, as a tree that knows which key usually follows which.

use super::canonical::REPEATED;
use super::column::FieldPath;
use super::fixed::Fixed;
use super::mapping::Names;
use hashbrown::HashMap;
use std::sync::Arc;

/// The position of a path in its tree.
pub type NodeId = u32;

/// Fields nested deeper than this are kept in `rest`.
const COLUMN_DEPTH_MAX: u32 = 32;

/// The root: the record itself.
pub const ROOT: NodeId = 0;

/// A path below the root.
#[derive(Debug)]
pub struct PathNode {
    key: Box<[u8]>,
    parent: NodeId,
    children: HashMap<Box<[u8]>, NodeId>,
    first_child: NodeId,
    next_sibling: NodeId,
    /// How many keys the path has.
    pub depth: u32,
    /// The path.
    pub path: Arc<FieldPath>,
    /// The path as row hashes take it: each key's length, 32 bits little-endian, and its bytes.
    pub encoded: Box<[u8]>,
    /// The fixed column that it may map to, and its rank among the names that do; lower wins.
    pub maps_to: Option<(Fixed, u8)>,
    /// Whether its value is secret.
    pub secret: bool,
    /// Whether it is kept in `rest` and never becomes a column.
    pub in_rest: bool,
    /// The last record that had it.
    pub seen_in: u64,
}

/// All paths met so far.
#[derive(Debug)]
pub struct PathTree {
    nodes: Vec<PathNode>,
    names: Arc<Names>,
}

impl Default for PathTree {
    fn default() -> Self {
        PathTree::new(Arc::default())
    }
}

impl PathTree {
    /// No paths yet.
    pub fn new(names: Arc<Names>) -> PathTree {
        let root = PathNode {
            key: Box::default(),
            parent: ROOT,
            children: HashMap::new(),
            first_child: ROOT,
            next_sibling: ROOT,
            depth: 0,
            path: Arc::new(FieldPath::new::<&str>([])),
            encoded: Box::default(),
            maps_to: None,
            secret: false,
            in_rest: false,
            seen_in: 0,
        };
        PathTree { nodes: vec![root], names }
    }

    /// What is known about keys.
    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// How many paths there are, the root included.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// The node at a position.
    pub fn get(&self, id: NodeId) -> Option<&PathNode> {
        self.nodes.get(id as usize)
    }

    /// The node at a position, to change.
    pub fn get_mut(&mut self, id: NodeId) -> Option<&mut PathNode> {
        self.nodes.get_mut(id as usize)
    }

    /// The child of a key, which is made where it is new. `previous` is the key before it in the record,
    /// or the parent where it is the first.
    pub fn child(&mut self, parent: NodeId, previous: NodeId, key: &[u8]) -> NodeId {
        let guess = match self.get(previous) {
            Some(node) if previous == parent => node.first_child,
            Some(node) => node.next_sibling,
            None => ROOT,
        };
        match self.get(guess) {
            Some(node) if guess != ROOT && node.parent == parent && *node.key == *key => return guess,
            _ => {}
        }
        let known = self.get(parent).and_then(|node| node.children.get(key).copied());
        let child = known.unwrap_or_else(|| self.add(parent, key));
        if let Some(node) = self.get_mut(previous) {
            if previous == parent {
                node.first_child = child;
            } else {
                node.next_sibling = child;
            }
        }
        child
    }

    fn add(&mut self, parent: NodeId, key: &[u8]) -> NodeId {
        let id = self.nodes.len() as NodeId;
        let names = self.names.clone();
        let Some(above) = self.get_mut(parent) else { return ROOT };
        above.children.insert(key.into(), id);
        let name = String::from_utf8_lossy(key);
        let path = FieldPath::new(above.path.keys().chain([&*name]));
        let mut encoded = above.encoded.to_vec();
        encoded.extend_from_slice(&(key.len() as u32).to_le_bytes());
        encoded.extend_from_slice(key);
        let node = PathNode {
            key: key.into(),
            parent,
            children: HashMap::new(),
            first_child: ROOT,
            next_sibling: ROOT,
            depth: above.depth + 1,
            maps_to: names.mapping.find(&path),
            secret: names.is_secret.as_ref().is_some_and(|is_secret| is_secret(key)),
            in_rest: above.in_rest
                || above.depth >= COLUMN_DEPTH_MAX
                || (parent == ROOT && key == REPEATED.as_bytes()),
            path: Arc::new(path),
            encoded: encoded.into(),
            seen_in: 0,
        };
        self.nodes.push(node);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_node_whatever_the_order() {
        let mut tree = PathTree::default();
        let a = tree.child(ROOT, ROOT, b"a");
        let b = tree.child(ROOT, a, b"b");
        let nested = tree.child(a, a, b"b");
        assert_eq!(tree.child(ROOT, ROOT, b"b"), b);
        assert_eq!(tree.child(ROOT, b, b"a"), a);
        assert_eq!(tree.child(a, a, b"b"), nested);
        assert_ne!(nested, b);
        assert_eq!(tree.get(nested).unwrap().path.to_string(), "a.b");
    }
}
