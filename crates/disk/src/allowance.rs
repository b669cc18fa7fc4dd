//! A bound on what reading may cost, for structures that can name the same bytes any number of times.

use crate::{DiskError, ReadAt};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a request costs besides its bytes: about the work of one.
const REQUEST_BYTES: u64 = 256;

/// Something readable from which only so much is read. A list in a few bytes can ask for the work of days by naming one
/// place a million times; bounds on the parts multiply, this one is on the whole.
#[derive(Debug)]
pub struct Allowance<R> {
    inner: R,
    limit_bytes: u64,
    // An atomic rather than a cell, so that counting does not cost the wrapped type its `Sync`.
    spent_bytes: AtomicU64,
}

impl<R: ReadAt> Allowance<R> {
    /// Lets `limit_bytes` be read of `inner`, 256 of them for each request besides its own.
    ///
    /// ```
    /// use winrefit_disk::{Allowance, DiskError, ReadAt};
    /// let bytes = vec![7; 1000];
    /// let reader = Allowance::new(&bytes, 2 * (256 + 1000));
    /// assert!(reader.read_vec(0, 1000).is_ok() && reader.read_vec(0, 1000).is_ok());
    /// assert!(matches!(reader.read_vec(0, 1), Err(DiskError::Spent { offset: 0, .. })));
    /// ```
    pub fn new(inner: R, limit_bytes: u64) -> Self {
        Self {
            inner,
            limit_bytes,
            spent_bytes: AtomicU64::new(0),
        }
    }

    /// Whether a request was refused.
    pub fn is_spent(&self) -> bool {
        self.spent_bytes.load(Relaxed) > self.limit_bytes
    }
}

impl<R: ReadAt> ReadAt for Allowance<R> {
    fn size(&self) -> u64 {
        self.inner.size()
    }

    /// As every other one; [`DiskError::Spent`] once the allowance is.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        let cost = REQUEST_BYTES + buf.len() as u64;
        let before = self.spent_bytes.fetch_add(cost, Relaxed);
        if before.saturating_add(cost) > self.limit_bytes {
            let limit_bytes = self.limit_bytes;
            return Err(DiskError::Spent { offset, limit_bytes });
        }
        self.inner.read_at(offset, buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_count_as_well_as_bytes() {
        let bytes = vec![1u8; 4096];
        let reader = Allowance::new(&bytes, 100 * (REQUEST_BYTES + 1));
        let mut byte = [0];
        for at in 0..100 {
            reader.read_at(at, &mut byte).unwrap();
        }
        assert!(!reader.is_spent());
        for _ in 0..2 {
            assert!(matches!(
                reader.read_at(5, &mut byte),
                Err(DiskError::Spent { offset: 5, limit_bytes }) if limit_bytes == 100 * (REQUEST_BYTES + 1)
            ));
        }
        assert!(reader.is_spent() && reader.size() == 4096);
        let reader = Allowance::new(&bytes, 4096);
        assert!(reader.read_vec(0, 4096).is_err());
    }
}
