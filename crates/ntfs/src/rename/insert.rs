//! Putting an entry into a directory's index.

use super::RenameError;
use super::blocks::Changes;
use super::node::Item;
use super::tree::Tree;
use winrefit_disk::ReadAt;

impl Tree {
    /// Puts an entry into the leaf where it belongs. Whatever gets too large is split.
    pub(super) fn insert<R: ReadAt>(
        &mut self,
        changes: &mut Changes<'_, R>,
        item: Item,
    ) -> Result<(), RenameError> {
        let (path, found) = self.descend(changes.volume, item.key())?;
        let place = path.last().copied().flatten();
        let Err(index) = found else {
            return Err(self.bad(place, "a name that is there already"));
        };
        let mut node = self.node(changes.volume, place)?;
        node.items.insert(index, item.above(None));
        self.set_node(place, node);
        self.settle(changes)
    }
}
