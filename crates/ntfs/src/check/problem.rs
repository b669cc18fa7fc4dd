//! What can be wrong with a volume: a closed list of codes, and a problem with its place and values.

use super::owners::Owner;
use crate::types::{AttributeType, Lcn, RecordNumber};
use std::fmt;

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth telling, harmless.
    Note,
    /// Not as Windows leaves it; nothing is lost by changing the volume. chkdsk would mend it.
    Warning,
    /// The volume must not be changed, and a staged result must not be committed.
    Error,
}

impl Severity {
    /// The name, for people and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! codes {
    ($($variant:ident $code:literal $severity:ident $meaning:literal;)*) => {
        /// What is wrong. The codes are stable; new ones may come.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ProblemCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl ProblemCode {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name, in kebab case.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// One line for people, without a full stop.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// How much it matters.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    BootSectorField "boot-sector-field" Error "the boot sector has a value that no NTFS volume has";
    BackupBootSectorMissing "backup-boot-sector-missing" Warning "there is no backup boot sector behind the volume";
    BackupBootSectorDiffers "backup-boot-sector-differs" Warning "the backup boot sector differs from the primary one";
    BackupBootSectorElsewhere "backup-boot-sector-elsewhere" Note
        "the backup boot sector is in the partition's last sector and not right behind the volume";
    HiddenSectors "hidden-sectors" Warning "the boot sector does not say where its partition begins";
    SectorSizeDiffers "sector-size-differs" Warning "the boot sector's sector size is not the disk's";
    VolumeLargerThanPartition "volume-larger-than-partition" Error "the volume does not fit its partition";
    VolumeSmallerThanPartition "volume-smaller-than-partition" Note "the volume does not fill its partition";
    VolumeInformationMissing "volume-information-missing" Error "the volume has no version and flags";
    VolumeVersion "volume-version" Error "the volume is not of NTFS version 3.1";
    VolumeDirty "volume-dirty" Error "the volume is marked dirty: Windows wants to run chkdsk";
    ResizeLogPending "resize-log-pending" Error "the volume waits for Windows to resize its log";
    UpgradePending "upgrade-pending" Error "the volume waits for Windows to upgrade it";
    ChkdskUnderWay "chkdsk-under-way" Error "chkdsk has not finished on this volume";
    LogInUse "log-in-use" Error "the log is not at rest: the volume was not shut down";
    LogFastStartup "log-fast-startup" Error "the log is not at rest: mounted, hibernated or shut down with Fast Startup";
    LogDamaged "log-damaged" Error "the log cannot be read";
    MftUnreadable "mft-unreadable" Error "the $MFT cannot be read, so nothing else can be checked";
    MftPlace "mft-place" Error "the boot sector's LCN of $MFT is not where $MFT's runs begin";
    MftBitmapUnreadable "mft-bitmap-unreadable" Error "the bitmap of the $MFT is missing or cannot be read";
    MftBitmapTooSmall "mft-bitmap-too-small" Error "the bitmap of the $MFT has too few bits";
    MirrorPlace "mirror-place" Error "the boot sector's LCN of $MFTMirr is not where $MFTMirr's runs begin";
    MirrorUnreadable "mirror-unreadable" Error "$MFTMirr is missing or cannot be read";
    MirrorDiffers "mirror-differs" Error "a record in $MFTMirr differs from the one in the $MFT";
    MirrorTailDiffers "mirror-tail-differs" Note "$MFTMirr's records behind the fourth differ from the $MFT";
    RecordMarkedBad "record-marked-bad" Error "the file record is marked BAAD: an earlier write was torn";
    RecordSignature "record-signature" Error "the file record in use has no signature";
    RecordTorn "record-torn" Error "the file record was written in part only";
    RecordHeader "record-header" Error "a field in the file record's header is out of bounds";
    RecordSequence "record-sequence" Error "the file record in use has sequence number 0";
    RecordNumberDiffers "record-number-differs" Error "the file record holds another record's number";
    RecordUnmarked "record-unmarked" Error "the file record is in use but free in the bitmap of the $MFT";
    RecordLeaked "record-leaked" Warning "the file record is free but marked in the bitmap of the $MFT";
    FreeRecordDamaged "free-record-damaged" Warning "a free file record is neither empty nor sound";
    AttributesUnterminated "attributes-unterminated" Error "the attributes have no end marker";
    BytesUsed "bytes-used" Error "the record's used size is not where its attributes end";
    AttributeMalformed "attribute-malformed" Error "a field in an attribute's header is out of bounds";
    AttributeOrder "attribute-order" Error "the attributes are not in the order of their types";
    AttributeIdDuplicate "attribute-id-duplicate" Error "two attributes of a record have the same id";
    NextAttributeId "next-attribute-id" Warning "the record's next attribute id is already used";
    AttributeNotResident "attribute-not-resident" Error "an attribute that must lie in the record lies in clusters";
    FileNameMalformed "file-name-malformed" Error "the value of a $FILE_NAME cannot be right";
    FileNameNotIndexed "file-name-not-indexed" Warning "a $FILE_NAME is not marked as being in an index";
    LinkCount "link-count" Warning "the link count is not the number of names";
    ParentMissing "parent-missing" Error "a name's directory does not exist, or not any more";
    RunsDamaged "runs-damaged" Error "the mapping pairs cannot be decoded";
    RunsLength "runs-length" Error "the runs do not add up to the attribute's VCNs";
    RunOutOfBounds "run-out-of-bounds" Error "a run lies behind the end of the volume";
    UnexpectedHole "unexpected-hole" Warning "a stream has a hole but is neither sparse nor compressed";
    DataSize "data-size" Error "the data size is above the allocated size";
    InitializedSize "initialized-size" Error "the initialised size is above the data size";
    AllocatedSize "allocated-size" Error "the allocated size is not that of the stream's clusters";
    TotalAllocated "total-allocated" Error "the total allocated size is not that of the clusters owned";
    StreamGap "stream-gap" Error "the pieces of a stream do not join";
    AttributeListDamaged "attribute-list-damaged" Error "the attribute list cannot be read";
    AttributeListDangling "attribute-list-dangling" Error "the attribute list names an attribute that is not there";
    AttributeUnlisted "attribute-unlisted" Error "an attribute is missing from its file's attribute list";
    ExtensionOrphan "extension-orphan" Error "an extension record belongs to no file";
    ClusterOwnedTwice "cluster-owned-twice" Error "clusters have two owners";
    ClusterUnmarked "cluster-unmarked" Error "clusters are in use but free in $Bitmap";
    ClusterLeaked "cluster-leaked" Warning "clusters are marked in $Bitmap but nothing owns them";
    BitmapUnreadable "bitmap-unreadable" Error "$Bitmap is missing or cannot be read";
    BitmapTooSmall "bitmap-too-small" Error "$Bitmap has too few bits";
    BitmapSize "bitmap-size" Note "$Bitmap is not as long as Windows makes it";
    BitmapPadding "bitmap-padding" Warning "bits of $Bitmap behind the last cluster are not set";
    BadClusMissing "bad-clus-missing" Warning "$BadClus has no stream $Bad";
    BadClusSize "bad-clus-size" Warning "$BadClus:$Bad is not as long as the volume";
    BadClusters "bad-clusters" Note "the volume has bad clusters";
    SystemRecordMissing "system-record-missing" Error "a system file is missing";
    SystemRecordName "system-record-name" Error "a system file does not have its name";
    SystemRecordSequence "system-record-sequence" Warning "a system file does not have its fixed sequence number";
    RootRecord "root-record" Error "record 5 is not a root directory";
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong, with its place as far as it is known. `Display` is a full sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub code: ProblemCode,
    /// How much it matters.
    pub severity: Severity,
    /// The file record concerned.
    pub record: Option<RecordNumber>,
    /// Type and name of the attribute concerned.
    pub attribute: Option<(AttributeType, String)>,
    /// Byte offset on the volume.
    pub volume_byte: Option<u64>,
    /// First of the clusters concerned.
    pub lcn: Option<Lcn>,
    /// How many clusters are concerned.
    pub clusters: Option<u64>,
    /// The value that is due.
    pub expected: Option<u64>,
    /// The value found.
    pub actual: Option<u64>,
    /// The other owner of the clusters.
    pub other: Option<Box<Owner>>,
}

impl Problem {
    /// A problem of the volume as a whole; the place is added by the other methods.
    pub(crate) fn new(code: ProblemCode) -> Self {
        Self {
            code,
            severity: code.severity(),
            record: None,
            attribute: None,
            volume_byte: None,
            lcn: None,
            clusters: None,
            expected: None,
            actual: None,
            other: None,
        }
    }

    pub(crate) fn of(code: ProblemCode, record: RecordNumber) -> Self {
        Self {
            record: Some(record),
            ..Self::new(code)
        }
    }

    pub(crate) fn attribute(mut self, type_code: AttributeType, name: &[u8]) -> Self {
        let name = String::from_utf16_lossy(&crate::bytes::utf16(name));
        self.attribute = Some((type_code, name));
        self
    }

    pub(crate) fn at(mut self, volume_byte: u64) -> Self {
        self.volume_byte = Some(volume_byte);
        self
    }

    pub(crate) fn clusters(mut self, lcn: Lcn, clusters: u64) -> Self {
        (self.lcn, self.clusters) = (Some(lcn), Some(clusters));
        self
    }

    pub(crate) fn values(mut self, expected: u64, actual: u64) -> Self {
        (self.expected, self.actual) = (Some(expected), Some(actual));
        self
    }

    pub(crate) fn actual(mut self, actual: u64) -> Self {
        self.actual = Some(actual);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(record) = self.record {
            write!(f, "File record {record}")?;
            if let Some((type_code, name)) = &self.attribute {
                let colon = if name.is_empty() { "" } else { ":" };
                write!(f, ", {type_code}{colon}{name}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(self.code.meaning())?;
        if let (Some(lcn), Some(clusters)) = (self.lcn, self.clusters) {
            write!(f, ", {clusters} from LCN {lcn}")?;
        }
        if let Some(byte) = self.volume_byte {
            write!(f, ", at byte {byte:#x} of the volume")?;
        }
        match (self.expected, self.actual) {
            (Some(expected), Some(actual)) => write!(f, " (expected {expected}, found {actual})")?,
            (None, Some(actual)) => write!(f, " (found {actual})")?,
            _ => {}
        }
        if let Some(other) = &self.other {
            write!(f, "; the other owner is {other}")?;
        }
        f.write_str(".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_in_kebab_case() {
        let names: HashSet<_> = ProblemCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ProblemCode::ALL.len());
        let kebab = |name: &str| {
            name.split('-')
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
        };
        assert!(names.iter().all(|name| kebab(name)));
    }

    #[test]
    fn a_problem_is_a_full_sentence() {
        let problem = Problem::of(ProblemCode::DataSize, RecordNumber(40))
            .attribute(AttributeType::DATA, b"x\0")
            .values(1, 2);
        assert_eq!(
            problem.to_string(),
            "File record 40, $DATA:x: the data size is above the allocated size (expected 1, found 2)."
        );
    }
}
