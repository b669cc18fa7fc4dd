//! The attributes by which the files of NTFS itself differ from others.

use super::index::{self, view_entry};
use super::layout::Layout;
use super::record::RecordBuilder;
use super::security::{self, Secure};
use super::tree::{OBJECT_IDS, QUOTA, REPARSE_POINTS, RESERVED};
use super::{FormatOptions, upcase};
use crate::attribute::StreamSizes;
use crate::runs::{Run, RunList};
use crate::types::{AttributeType as Type, Geometry, RecordNumber};

/// NTFS 3.1; the volume flags follow.
const VOLUME_INFORMATION: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 0];

/// Quota defaults: version, flags "default limits", owner number of the administrators.
const QUOTA_VERSION: u32 = 2;
const QUOTA_DEFAULT_LIMITS: u32 = 1;
const OWNER_DEFAULT: u32 = 1;
const OWNER_ADMINISTRATORS: u32 = 0x100;

/// How a file is protected: by a descriptor of its own, or by the number of one in $Secure.
pub(super) enum Security {
    Own(Vec<u8>),
    Number(u32),
}

/// The protection of a system file. As on Windows 10, the root directory, $Boot and the reserved records have
/// descriptors of their own.
pub(super) fn security(number: u64) -> Security {
    match RecordNumber(number) {
        RecordNumber::ROOT => Security::Own(security::root_directory()),
        RecordNumber::BOOT => Security::Own(security::system_read_only()),
        _ if RESERVED.contains(&number) => Security::Own(security::system_writable()),
        RecordNumber::VOLUME | RecordNumber::SECURE => Security::Number(security::SYSTEM_WRITABLE),
        _ if number < RESERVED.start - 1 => Security::Number(security::SYSTEM_READ_ONLY),
        _ => Security::Number(security::SYSTEM_WRITABLE),
    }
}

/// Everything that the records of system files are made of.
pub(super) struct System<'a> {
    pub(super) options: &'a FormatOptions,
    pub(super) geometry: Geometry,
    pub(super) layout: &'a Layout,
    pub(super) records: u64,
    pub(super) bitmap_bytes: u64,
    pub(super) secure: &'a Secure,
    /// The bytes of $UpCase.
    pub(super) upcase: &'a [u8],
}

impl System<'_> {
    /// Place and data bytes of a system file's unnamed stream, if it has clusters.
    pub(super) fn data(&self, number: u64) -> Option<(RunList, u64)> {
        let layout = self.layout;
        let record_size = u64::from(self.geometry.record_size);
        let (extent, bytes) = match RecordNumber(number) {
            RecordNumber::MFT => (layout.mft, self.records * record_size),
            RecordNumber::MFT_MIRR => (layout.mirror, layout.mirrored_records * record_size),
            RecordNumber::LOG_FILE => (layout.log, layout.log_bytes),
            RecordNumber::ATTR_DEF => (layout.attrdef, super::attrdef::BYTES as u64),
            RecordNumber::BITMAP => (layout.bitmap, self.bitmap_bytes),
            RecordNumber::BOOT => (layout.boot, super::layout::BOOT_BYTES),
            RecordNumber::UP_CASE => (layout.upcase, self.upcase.len() as u64),
            _ => return None,
        };
        Some((extent.runs(), bytes))
    }

    /// The sizes of a stream that is written to its end.
    pub(super) fn sizes(&self, runs: &RunList, bytes: u64) -> StreamSizes {
        StreamSizes {
            allocated: runs.clusters() * u64::from(self.geometry.cluster_size),
            data: bytes,
            initialized: bytes,
        }
    }

    /// Adds the attributes behind $FILE_NAME or $SECURITY_DESCRIPTOR. Directories are not dealt with here.
    pub(super) fn add_attributes(&self, number: u64, record: &mut RecordBuilder) {
        if number == RecordNumber::VOLUME.0 {
            let label: Vec<u8> = self
                .options
                .label
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect();
            // Also without a label: some readers demand the attribute, and mkntfs writes an empty one.
            record.resident(Type::VOLUME_NAME, "", &label);
            record.resident(Type::VOLUME_INFORMATION, "", &VOLUME_INFORMATION);
        }
        if let Some((runs, bytes)) = self.data(number) {
            record.non_resident(Type::DATA, "", &runs, self.sizes(&runs, bytes));
        }
        match RecordNumber(number) {
            RecordNumber::MFT => {
                let (runs, bytes) = (self.layout.mft_bitmap.runs(), self.records / 8);
                record.non_resident(Type::BITMAP, "", &runs, self.sizes(&runs, bytes));
            }
            RecordNumber::VOLUME => {
                record.resident(Type::DATA, "", &[]);
            }
            RecordNumber::BAD_CLUS => self.add_bad_clusters(record),
            RecordNumber::SECURE => {
                let (runs, bytes) = (self.layout.secure.runs(), self.secure.stream.len() as u64);
                record
                    .non_resident(Type::DATA, "$SDS", &runs, self.sizes(&runs, bytes))
                    .resident(Type::INDEX_ROOT, "$SDH", &self.secure.by_hash)
                    .resident(Type::INDEX_ROOT, "$SII", &self.secure.by_number);
            }
            RecordNumber::UP_CASE => {
                record.resident(Type::DATA, "$Info", &upcase::info(self.upcase));
            }
            RecordNumber(QUOTA) => self.add_quota(record),
            RecordNumber(OBJECT_IDS) => self.add_empty_index("$O", record),
            RecordNumber(REPARSE_POINTS) => self.add_empty_index("$R", record),
            _ if RESERVED.contains(&number) => {
                record.resident(Type::DATA, "", &[]);
            }
            _ => {}
        }
    }

    /// $Bad is a hole as large as the volume, not marked sparse and never written.
    fn add_bad_clusters(&self, record: &mut RecordBuilder) {
        let clusters = self.geometry.clusters();
        let runs = RunList(vec![Run { lcn: None, clusters }]);
        let bytes = clusters * u64::from(self.geometry.cluster_size);
        let sizes = StreamSizes {
            initialized: 0,
            ..self.sizes(&runs, bytes)
        };
        record
            .resident(Type::DATA, "", &[])
            .non_resident(Type::DATA, "$Bad", &runs, sizes);
    }

    fn add_empty_index(&self, name: &str, record: &mut RecordBuilder) {
        let root = index::small_root(index::BY_NUMBERS, &[], &self.geometry);
        record.resident(Type::INDEX_ROOT, name, &root);
    }

    /// The owners known and their limits: none, for everybody and for the administrators.
    fn add_quota(&self, record: &mut RecordBuilder) {
        let administrators = security::administrators();
        let owners = [view_entry(&administrators, &OWNER_ADMINISTRATORS.to_le_bytes())];
        let limits = [
            view_entry(&OWNER_DEFAULT.to_le_bytes(), &self.quota(&[])),
            view_entry(&OWNER_ADMINISTRATORS.to_le_bytes(), &self.quota(&administrators)),
        ];
        let owners = index::small_root(index::BY_SID, &owners, &self.geometry);
        let limits = index::small_root(index::BY_NUMBER, &limits, &self.geometry);
        record
            .resident(Type::INDEX_ROOT, "$O", &owners)
            .resident(Type::INDEX_ROOT, "$Q", &limits);
    }

    /// Version, flags, bytes used, time of change, threshold, limit, time of exceeding, owner.
    fn quota(&self, owner: &[u8]) -> Vec<u8> {
        let mut value = Vec::new();
        value.extend(QUOTA_VERSION.to_le_bytes());
        value.extend(QUOTA_DEFAULT_LIMITS.to_le_bytes());
        for field in [0, self.options.time, u64::MAX, u64::MAX, 0] {
            value.extend(field.to_le_bytes());
        }
        value.extend(owner);
        value
    }
}
