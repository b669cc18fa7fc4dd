//! Where images of the recovery environment were looked for, and what was found; in words.

use super::evidence;
use crate::explain::{size, utc};
use crate::observation::{Observation, Partition, WinRe, Windows};
use crate::observe::images::{BACKUP_IMAGE, STAGED_IMAGE};
use crate::report::Evidence;

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
pub(super) fn describe(image: &WinRe) -> String {
    let version = match &image.version {
        Ok(Some(version)) => format!("version {version}"),
        Ok(None) => "no version in it".to_owned(),
        Err(problem) => format!("cannot be read: {problem}"),
    };
    let date = image
        .modified
        .map(|seconds| format!(", of {}", utc(filetime(seconds))))
        .unwrap_or_default();
    format!("{version}, {}{date}", size(image.size_bytes))
}

/// What is said of a volume without an image.
pub(super) fn not_there() -> String {
    r"no Winre.wim in \Recovery\WindowsRE nor in another folder of \Recovery".to_owned()
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
        all.push(evidence(
            format!("partition {}, {path}", place.number),
            "not found",
        ));
    }
    let mut without = Vec::new();
    for partition in observation.partitions.iter().filter(|p| p.ntfs().is_some()) {
        let number = partition.number;
        for image in partition.images() {
            let source = format!("partition {number}, {}", image.path);
            all.push(evidence(source, describe(image)));
        }
        if partition.images().next().is_none() {
            without.push(number.to_string());
        }
    }
    let folders = format!(
        r"{}, {}, \Recovery\WindowsRE and other folders of \Recovery",
        folder(STAGED_IMAGE),
        folder(BACKUP_IMAGE)
    );
    match &without[..] {
        [] => {}
        [only] => all.push(evidence(
            format!("partition {only}"),
            format!("no Winre.wim in {folders}"),
        )),
        several => all.push(evidence(
            format!("partitions {}", several.join(", ")),
            format!("no Winre.wim in {folders}"),
        )),
    }
    all
}

/// The folder of a path.
fn folder(path: &str) -> &str {
    path.rsplit_once('\\').map_or("", |(folder, _)| folder)
}

/// How an image comes to \Windows\System32\Recovery where the Windows volume has none: from another volume of the disk, or
/// from the installation media.
pub(super) fn where_from(observation: &Observation, windows: &Windows) -> String {
    let readable = |image: &&WinRe| image.version.is_ok();
    let elsewhere = observation
        .partitions
        .iter()
        .find_map(|p| Some((p.number, p.images().find(readable)?)));
    let version = match (&windows.product, &windows.display_version) {
        (Some(product), Some(version)) => format!("{product} {version}"),
        (Some(product), None) => product.clone(),
        _ => "the same Windows".to_owned(),
    };
    match elsewhere {
        Some((number, image)) => format!(
            r"copy {} of partition {number} (diskpart can give it a letter) to C:\Windows\System32\Recovery\Winre.wim, if it belongs to {version}",
            image.path
        ),
        None => format!(
            r"take \Windows\System32\Recovery\Winre.wim out of sources\install.wim on the installation media of {version} (`dism /Mount-Image /ReadOnly` opens it) and copy it to C:\Windows\System32\Recovery"
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
            describe(&image),
            "version 10.0.20348.587, 441 MiB, of 2024-01-31 23:59 UTC"
        );
        image.version = Err("no WIM".to_owned());
        image.modified = None;
        assert_eq!(describe(&image), "cannot be read: no WIM, 441 MiB");
        // A time from a damaged record.
        image.modified = Some(u64::MAX);
        assert!(describe(&image).contains("of 60056-"));
        assert_eq!(folder(STAGED_IMAGE), r"\Windows\System32\Recovery");
    }
}
