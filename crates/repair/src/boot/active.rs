//! Which of several stores a BIOS machine starts from: the code in LBA 0 starts the active partition's boot sector, that
//! one the boot manager beside it, which reads the store of its own volume. A boot loader of another system may start any
//! boot manager instead.

use super::{BIOS_STORE, BootContent, BootStore, FileFact, Loader, Target};
use crate::observation::{Observation, Windows};

impl Loader {
    /// Whether it starts a Windows.
    pub(crate) fn starts(&self, windows: &Windows) -> bool {
        self.os == Some(Target::Here(windows.partition))
    }
}

impl BootContent {
    /// Whether one of its loaders starts a Windows.
    pub(crate) fn starts(&self, windows: &Windows) -> bool {
        self.loaders.iter().any(|loader| loader.starts(windows))
    }
}

impl Observation {
    /// Whether nothing starts from a store: no boot manager reads it, and the active partition has its own of both.
    pub(crate) fn is_leftover(&self, store: &BootStore) -> bool {
        store.path == BIOS_STORE
            && store.boot_manager == FileFact::Missing
            && !self.is_active(store)
            && self.active_store().is_some()
    }

    /// Whether a store may be the one that starts a Windows. What the active partition's store starts, no other BIOS
    /// store does.
    pub(crate) fn may_start(&self, store: &BootStore, windows: &Windows) -> bool {
        if store.path != BIOS_STORE || self.is_active(store) {
            return true;
        }
        let active = self.active_store().and_then(BootStore::readable);
        !self.is_leftover(store) && !active.is_some_and(|content| content.starts(windows))
    }

    /// Whether a BIOS starts from a store's volume and finds no boot manager there.
    pub(crate) fn lacks_boot_manager(&self, store: &BootStore) -> bool {
        store.path == BIOS_STORE && store.boot_manager == FileFact::Missing && self.is_active(store)
    }

    fn active_store(&self) -> Option<&BootStore> {
        let has_manager = |store: &&BootStore| matches!(store.boot_manager, FileFact::Present(_));
        let mut stores = self.boot_stores.iter().filter(has_manager);
        stores.find(|store| store.path == BIOS_STORE && self.is_active(store))
    }

    /// Whether a store's partition is the active one, which a BIOS starts from.
    pub(crate) fn is_active(&self, store: &BootStore) -> bool {
        self.partition(store.partition).is_some_and(|p| p.is_active)
    }
}
