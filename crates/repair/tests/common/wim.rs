//! Images of a recovery environment with a true header and no content.

use super::disk_guid;
use winrefit_formats::WimTemplate;
use winrefit_formats::wim::{WimArchitecture, WimVersion};
use winrefit_ntfs::format::FileData;

/// A `Winre.wim` of this size in bytes: header, description, and in between `content`, bytes at their offsets. The rest is a
/// hole.
pub fn winre(size_bytes: u64, content: Vec<(u64, Vec<u8>)>) -> FileData {
    let wim = WimTemplate {
        guid: disk_guid(),
        name: "Microsoft Windows Recovery Environment (x64)".to_owned(),
        version: WimVersion {
            major: 10,
            minor: 0,
            build: 20348,
            sp_build: 587,
        },
        architecture: WimArchitecture::Amd64,
        size_bytes,
    }
    .build();
    let tail = wim.tail_offset();
    let mut pieces = vec![(0, wim.head)];
    pieces.extend(content);
    pieces.push((tail, wim.tail));
    FileData::Zeroed {
        size: wim.size_bytes,
        pieces,
    }
}
