//! What the medium could not give while a disk was looked at.
//!
//! Damage inside a volume is a fact, and whoever looks for one thing goes on without another. So that a bad sector is
//! told of all the same, all reading goes through here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use winrefit_disk::{DiskError, ReadAt};

/// Places that are remembered. A dying disk has many, and the first ones say enough.
const PLACES_MAX: usize = 64;

/// A disk that remembers which reads have failed.
pub(crate) struct Attentive<'d> {
    disk: &'d dyn ReadAt,
    failed: RefCell<BTreeMap<u64, DiskError>>,
}

impl<'d> Attentive<'d> {
    /// Nothing has failed yet.
    pub(crate) fn new(disk: &'d dyn ReadAt) -> Self {
        Self {
            disk,
            failed: RefCell::default(),
        }
    }

    /// The failures by the byte at which the read began, each place once.
    pub(crate) fn into_failed(self) -> BTreeMap<u64, DiskError> {
        self.failed.into_inner()
    }
}

impl ReadAt for Attentive<'_> {
    fn size(&self) -> u64 {
        self.disk.size()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.disk.read_at(offset, buf).inspect_err(|error| {
            let mut failed = self.failed.borrow_mut();
            if matches!(error, DiskError::Io { .. }) && failed.len() < PLACES_MAX {
                failed.entry(offset).or_insert_with(|| error.clone());
            }
        })
    }
}
