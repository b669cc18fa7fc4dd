//! Clusters taken for new index blocks.

use crate::bitmap::ClusterBitmap;
use crate::edit::Editor;
use crate::error::NtfsError;
use crate::types::{AttributeType, Lcn, RecordNumber};
use crate::volume::Volume;
use winrefit_disk::ReadAt;

/// The $Bitmap, read when the first cluster is taken, and what was taken.
#[derive(Debug, Default)]
pub(super) struct Space {
    bitmap: Option<ClusterBitmap>,
    taken: Vec<(Lcn, u64)>,
}

impl Space {
    /// Takes `count` clusters in a row, the nearest behind `near` or else the first; `None` if there are none.
    pub(super) fn take<R: ReadAt>(
        &mut self,
        volume: &Volume<R>,
        near: Lcn,
        count: u64,
    ) -> Result<Option<Lcn>, NtfsError> {
        let bitmap = match &mut self.bitmap {
            Some(bitmap) => bitmap,
            empty => empty.insert(ClusterBitmap::read(volume)?),
        };
        let end = Lcn(bitmap.clusters());
        let found = bitmap.find_free(near, end, count);
        let Some(lcn) = found.or_else(|| bitmap.find_free(Lcn(0), end, count)) else {
            return Ok(None);
        };
        bitmap.set_range(lcn, count, true);
        self.taken.push((lcn, count));
        Ok(Some(lcn))
    }

    /// Takes back what was taken last.
    pub(super) fn undo(&mut self) {
        if let (Some(bitmap), Some((lcn, count))) = (&mut self.bitmap, self.taken.pop()) {
            bitmap.set_range(lcn, count, false);
        }
    }

    /// Writes the bytes of $Bitmap that have changed.
    pub(super) fn save<R: ReadAt>(
        &self,
        volume: &Volume<R>,
        editor: &mut Editor<'_, R>,
        step: u8,
    ) -> Result<(), NtfsError> {
        let Some(bitmap) = &self.bitmap else { return Ok(()) };
        let stream = volume
            .file(RecordNumber::BITMAP)?
            .require(AttributeType::DATA, "")?;
        for &(lcn, count) in &self.taken {
            let (first, end) = (lcn.0 / 8, (lcn.0 + count).div_ceil(8));
            let bytes = bitmap
                .bytes()
                .get(first as usize..end as usize)
                .unwrap_or_default();
            editor.write_stream(step, &stream, first, bytes)?;
        }
        Ok(())
    }
}
