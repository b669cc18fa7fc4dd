//! Where images of the recovery environment were looked for, and what was found; in words.

use super::evidence;
use crate::explain::utc;
use crate::observation::{Observation, Partition, WinRe, Windows};
use crate::observe::images::{BACKUP_IMAGE, STAGED_IMAGE};
use crate::report::Evidence;
use crate::text;
use crate::text::{Bytes, Text};
use crate::winre::image_elsewhere;

/// From 1601 to 1970, in seconds.
const UNIX_EPOCH_SECONDS: u64 = 11_644_473_600;
/// Intervals of 100 ns in a second.
const TICKS: u64 = 10_000_000;

/// A time in seconds since 1970 as a FILETIME.
pub(crate) fn filetime(unix_seconds: u64) -> u64 {
    unix_seconds
        .saturating_add(UNIX_EPOCH_SECONDS)
        .saturating_mul(TICKS)
}

/// Version, size and date of an image.
pub(super) fn describe(image: &WinRe) -> Text {
    let version = match &image.version {
        Ok(Some(version)) => text!("version {version}", version = version.to_string()),
        Ok(None) => text!("no version in it"),
        Err(problem) => text!("cannot be read: {problem}", problem),
    };
    let date = image.modified.map(|seconds| utc(filetime(seconds)));
    let date = date.map(|date| text!("of {date}", date));
    Text::listed([version, Bytes(image.size_bytes).into()].into_iter().chain(date))
}

/// What is said of a volume without an image.
pub(super) fn not_there() -> Text {
    text!(r"no Winre.wim in \Recovery\WindowsRE nor in another folder of \Recovery")
}

/// Every place that was searched, and what is there: first where the image was to be, then what was found, then where
/// there is none.
pub(super) fn searched(
    observation: &Observation,
    windows: &Windows,
    place: Option<&Partition>,
) -> Vec<Evidence> {
    let mut all = Vec::new();
    if let (Some(place), Some(path)) = (place, windows.image_path()) {
        all.push(evidence(on_partition(place.number, path), text!("not found")));
    }
    let mut without = Vec::new();
    for partition in observation.partitions.iter().filter(|p| p.ntfs().is_some()) {
        let number = partition.number;
        for image in partition.images() {
            all.push(evidence(on_partition(number, &image.path), describe(image)));
        }
        if partition.images().next().is_none() {
            without.push(number);
        }
    }
    let folders = text!(
        r"{staged}, {backup}, \Recovery\WindowsRE and other folders of \Recovery",
        staged = folder(STAGED_IMAGE),
        backup = folder(BACKUP_IMAGE)
    );
    match &without[..] {
        [] => {}
        [only] => all.push(evidence(
            text!("partition {number}", number = only),
            text!("no Winre.wim in {folders}", folders),
        )),
        several => all.push(evidence(
            text!(
                "partitions {numbers}",
                numbers = Text::listed(several.iter().map(|&number| number.into()))
            ),
            text!("no Winre.wim in {folders}", folders),
        )),
    }
    all
}

/// A file on a partition.
pub(super) fn on_partition(number: u32, path: impl Into<String>) -> Text {
    text!("partition {number}, {path}", number, path = path.into())
}

/// The folder of a path.
fn folder(path: &str) -> &str {
    path.rsplit_once('\\').map_or("", |(folder, _)| folder)
}

/// How an image comes to \Windows\System32\Recovery where the Windows volume has none: from another volume of the disk, or
/// from the installation media.
pub(super) fn where_from(observation: &Observation, windows: &Windows) -> Text {
    let elsewhere = image_elsewhere(observation);
    let product = windows
        .product
        .as_ref()
        .map(|product| match &windows.display_version {
            Some(version) => format!("{product} {version}"),
            None => product.clone(),
        });
    match (elsewhere, product) {
        (Some((number, image)), Some(product)) => text!(
            r"copy {path} of partition {number} (diskpart can give it a letter) to C:\Windows\System32\Recovery\Winre.wim, if it belongs to {product}",
            path = &image.path,
            number,
            product
        ),
        (Some((number, image)), None) => text!(
            r"copy {path} of partition {number} (diskpart can give it a letter) to C:\Windows\System32\Recovery\Winre.wim, if it belongs to the same Windows",
            path = &image.path,
            number
        ),
        (None, Some(product)) => text!(
            r"take \Windows\System32\Recovery\Winre.wim out of sources\install.wim on the installation media of {product} (`dism /Mount-Image /ReadOnly` opens it) and copy it to C:\Windows\System32\Recovery",
            product
        ),
        (None, None) => text!(
            r"take \Windows\System32\Recovery\Winre.wim out of sources\install.wim on the installation media of the same Windows (`dism /Mount-Image /ReadOnly` opens it) and copy it to C:\Windows\System32\Recovery"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use winrefit_formats::WimVersion;

    #[test]
    fn an_image_is_described_by_what_is_known_of_it() {
        let mut image = WinRe {
            path: STAGED_IMAGE.to_owned(),
            size_bytes: 441 << 20,
            version: Ok(Some(WimVersion {
                major: 10,
                minor: 0,
                build: 20348,
                sp_build: 587,
            })),
            architecture: None,
            // 2024-01-31 23:59:00 UTC by `date -u -d @1706745540`.
            modified: Some(1_706_745_540),
        };
        assert_eq!(
            describe(&image).to_string(),
            "version 10.0.20348.587, 441 MiB, of 2024-01-31 23:59 UTC"
        );
        image.version = Err("no WIM".to_owned());
        image.modified = None;
        assert_eq!(describe(&image).to_string(), "cannot be read: no WIM, 441 MiB");
        // A time from a damaged record.
        image.modified = Some(u64::MAX);
        assert!(describe(&image).to_string().contains("of 60056-"));
        assert_eq!(folder(STAGED_IMAGE), r"\Windows\System32\Recovery");
    }
}
