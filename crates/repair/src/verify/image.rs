//! The image of the recovery environment, and where its bytes are.

use super::item;
use crate::observation::{Observation, Partition};
use crate::observe::WINRE_IMAGE;
use crate::plan::Plan;
use crate::report::VerificationItem;
use crate::text;
use crate::text::{Bytes, Text};
use winrefit_disk::{ByteRange, ReadAt, ReadWindow};
use winrefit_ntfs::{AttributeType, NtfsError, Volume};

/// The image is there and readable; against an older disk, also: it lies in the very same sectors.
pub(super) fn image_items(
    disk: &dyn ReadAt,
    old_disk: Option<&dyn ReadAt>,
    before: Option<&Observation>,
    (recovery, plan): (&Partition, Option<&Plan>),
) -> Vec<VerificationItem> {
    let old = before.and_then(|before| before.partition(recovery.number));
    let Some(winre) = &recovery.winre else {
        let lost = old.and_then(|old| old.winre.as_ref());
        return lost
            .map(|old| {
                item(
                    text!("WinRE image"),
                    false,
                    text!("{path} is not found any more", path = &old.path),
                )
            })
            .into_iter()
            .collect();
    };
    let was_readable = old
        .and_then(|p| p.winre.as_ref())
        .is_none_or(|winre| winre.version.is_ok());
    let (ok, detail) = match &winre.version {
        Ok(Some(version)) => (
            true,
            Text::listed([
                text!("version {version}", version = version.to_string()),
                Bytes(winre.size_bytes).into(),
            ]),
        ),
        Ok(None) => (
            true,
            Text::listed([Bytes(winre.size_bytes).into(), text!("no version in it")]),
        ),
        // An image that could not be read before is no fault of the repair.
        Err(problem) if !was_readable => (
            true,
            text!(
                "kept as it was; it could not be read before either: {problem}",
                problem
            ),
        ),
        Err(problem) => (false, Text::raw(problem)),
    };
    let mut items = vec![item(text!("WinRE image"), ok, detail)];
    if let (Some(old_disk), Some(old)) = (old_disk, old) {
        let places = (
            image_places(old_disk, old.range),
            image_places(disk, recovery.range),
        );
        // On a volume that moved as a whole, everything is as far from its start as before.
        let (base_old, base_new, detail) = if plan.is_some_and(|plan| plan.moves_volume(recovery.number)) {
            (
                old.range.start,
                recovery.range.start,
                text!("those of a copy of the volume as a whole, compared byte for byte before it counts"),
            )
        } else {
            (0, 0, text!("the same as before; it was not copied"))
        };
        let same = |a: &[(u64, u64)], b: &[(u64, u64)]| {
            let from = |base: u64| move |&(at, clusters): &(u64, u64)| (at.wrapping_sub(base), clusters);
            a.iter().map(from(base_old)).eq(b.iter().map(from(base_new)))
        };
        let same = matches!(&places, (Ok(a), Ok(b)) if same(a, b));
        items.push(item(text!("Sectors of the WinRE image"), same, detail));
    }
    items
}

/// Where on the disk the image's bytes are.
fn image_places(disk: &dyn ReadAt, range: ByteRange) -> Result<Vec<(u64, u64)>, NtfsError> {
    let volume = Volume::open(ReadWindow::new(disk, range)?)?;
    let Some(file) = volume.lookup(WINRE_IMAGE)? else {
        return Ok(Vec::new());
    };
    let stream = file.require(AttributeType::DATA, "")?;
    let geometry = volume.geometry();
    let runs = stream.runs().cloned().unwrap_or_default();
    Ok(runs
        .0
        .iter()
        .map(|run| {
            (
                run.lcn
                    .map_or(u64::MAX, |lcn| range.start + geometry.offset_of(lcn)),
                run.clusters,
            )
        })
        .collect())
}
