//! Taking an entry out of a directory's index.
//!
//! The last key of a block is replaced by one of a neighbour, or the block is given up: no block stays without a key,
//! and all leaves stay equally deep. Windows does without blocks that are half full, and so does this.

use super::RenameError;
use super::blocks::Changes;
use super::node::Node;
use super::tree::{DEPTH_MAX, Place, Tree};
use crate::types::Vcn;
use winrefit_disk::ReadAt;

/// A node without keys, the one above it, and its position there.
struct Empty {
    vcn: Vcn,
    node: Node,
    above: Place,
    parent: Node,
    position: usize,
}

impl Tree {
    /// Takes the entry with this key out. The index must have another one, unless all are in the root.
    pub(super) fn remove<R: ReadAt>(
        &mut self,
        changes: &mut Changes<'_, R>,
        key: &[u8],
    ) -> Result<(), RenameError> {
        let (mut path, found) = self.descend(changes.volume, key)?;
        let place = path.last().copied().flatten();
        let Ok(index) = found else {
            return Err(self.bad(place, "a name that is not there"));
        };
        let mut node = self.node(changes.volume, place)?;
        if node.is_leaf() {
            node.items.remove(index);
            self.set_node(place, node);
        } else {
            self.extend_to_predecessor(changes, &mut path, node.child(index))?;
            let leaf_place = path.last().copied().flatten();
            let mut leaf = self.node(changes.volume, leaf_place)?;
            let predecessor = leaf.items.pop();
            let predecessor = predecessor.ok_or_else(|| self.bad(leaf_place, "a leaf without keys"))?;
            node.items[index] = predecessor.above(node.child(index));
            self.set_node(leaf_place, leaf);
            self.set_node(place, node);
        }
        self.refill(changes, path)?;
        self.settle(changes)
    }

    /// Goes on to the last leaf below `below`.
    fn extend_to_predecessor<R: ReadAt>(
        &mut self,
        changes: &mut Changes<'_, R>,
        path: &mut Vec<Place>,
        mut below: Place,
    ) -> Result<(), RenameError> {
        while below.is_some() {
            if path.len() > DEPTH_MAX {
                return Err(self.bad(below, "too many levels"));
            }
            path.push(below);
            below = self.node(changes.volume, below)?.last;
        }
        Ok(())
    }

    /// Sees to it that the last node of the path, and then each above it, has a key or is gone.
    fn refill<R: ReadAt>(
        &mut self,
        changes: &mut Changes<'_, R>,
        mut path: Vec<Place>,
    ) -> Result<(), RenameError> {
        // Each turn takes a node off the path.
        while let Some(Some(vcn)) = path.pop() {
            let node = self.node(changes.volume, Some(vcn))?;
            if !node.items.is_empty() {
                continue;
            }
            self.ensure_keys_above(changes, &mut path, vcn)?;
            let above = path.last().copied().flatten();
            let parent = self.node(changes.volume, above)?;
            // A root with one block alone is as it should be.
            if parent.items.is_empty() && !node.is_leaf() {
                continue;
            }
            let position = parent.position_of(vcn);
            let position =
                position.ok_or_else(|| self.bad(above, "a block that its parent does not have"))?;
            let empty = Empty {
                vcn,
                node,
                above,
                parent,
                position,
            };
            self.merge_or_borrow(changes, empty)?;
        }
        Ok(())
    }

    /// Other writers leave nodes above the leaves without keys. One that the path leads through gets a key, or is merged,
    /// before its child needs a neighbour; from the top, as each needs a parent with a key for that.
    fn ensure_keys_above<R: ReadAt>(
        &mut self,
        changes: &mut Changes<'_, R>,
        path: &mut [Place],
        child: Vcn,
    ) -> Result<(), RenameError> {
        let mut at = 1;
        while at < path.len() {
            let (above, place) = (path[at - 1], path[at]);
            let (parent, Some(vcn)) = (self.node(changes.volume, above)?, place) else {
                break;
            };
            let node = self.node(changes.volume, place)?;
            if !node.items.is_empty() || parent.items.is_empty() {
                at += 1;
                continue;
            }
            let below = path.get(at + 1).copied().flatten().unwrap_or(child);
            let position = parent.position_of(vcn);
            let position =
                position.ok_or_else(|| self.bad(above, "a block that its parent does not have"))?;
            let empty = Empty {
                vcn,
                node,
                above,
                parent,
                position,
            };
            path[at] = Some(self.merge_or_borrow(changes, empty)?);
            debug_assert!(
                self.node(changes.volume, path[at])
                    .is_ok_and(|node| node.position_of(below).is_some())
            );
            at += 1;
        }
        Ok(())
    }

    /// Merges a node without keys into a neighbour together with the key between them, or, where that has no room, takes
    /// a key of the neighbour by way of the parent. Gives the block that now is above what was below the node.
    fn merge_or_borrow<R: ReadAt>(
        &mut self,
        changes: &mut Changes<'_, R>,
        empty: Empty,
    ) -> Result<Vcn, RenameError> {
        let Empty {
            position, ref parent, ..
        } = empty;
        let right = parent
            .child(position + 1)
            .filter(|_| position < parent.items.len());
        let left = position.checked_sub(1).and_then(|index| parent.child(index));
        for (neighbour, is_right) in [(right, true), (left, false)] {
            let Some(vcn) = neighbour else { continue };
            let other = self.node(changes.volume, Some(vcn))?;
            let separator = position - usize::from(!is_right);
            let more = parent.items.get(separator).map_or(0, |item| {
                let below = if other.is_leaf() { None } else { Some(Vcn(0)) };
                item.clone().above(below).bytes()
            });
            if other.bytes() + more <= self.room(vcn) {
                return Ok(self.merge(empty, (vcn, other), is_right));
            }
        }
        let (neighbour, is_right) = match (right, left) {
            (Some(vcn), _) => (vcn, true),
            (None, Some(vcn)) => (vcn, false),
            (None, None) => return Err(self.bad(empty.above, "a block without neighbours")),
        };
        let other = self.node(changes.volume, Some(neighbour))?;
        if other.items.len() < 2 {
            return Err(self.bad(Some(neighbour), "a block with one key that fills it"));
        }
        Ok(self.borrow(empty, (neighbour, other), is_right))
    }

    fn merge(&mut self, mut empty: Empty, (vcn, mut other): (Vcn, Node), is_right: bool) -> Vcn {
        let below = empty.node.last;
        if is_right {
            let separator = empty.parent.items.remove(empty.position);
            other.items.insert(0, separator.above(below));
        } else {
            let separator = empty.parent.items.remove(empty.position - 1);
            other.items.push(separator.above(other.last));
            other.last = below;
            empty.parent.set_child(empty.position - 1, vcn);
        }
        self.set_node(Some(vcn), other);
        self.set_node(empty.above, empty.parent);
        self.drop_node(empty.vcn);
        vcn
    }

    fn borrow(&mut self, mut empty: Empty, (vcn, mut other): (Vcn, Node), is_right: bool) -> Vcn {
        let at = empty.position - usize::from(!is_right);
        let separator = empty.parent.items.remove(at);
        if is_right {
            let first = other.items.remove(0);
            empty.node.items.push(separator.above(empty.node.last));
            empty.node.last = first.below;
            empty.parent.items.insert(at, first.above(Some(empty.vcn)));
        } else if let Some(last) = other.items.pop() {
            empty.node.items.push(separator.above(other.last));
            other.last = last.below;
            empty.parent.items.insert(at, last.above(Some(vcn)));
        }
        self.set_node(Some(vcn), other);
        self.set_node(Some(empty.vcn), empty.node);
        self.set_node(empty.above, empty.parent);
        empty.vcn
    }
}
