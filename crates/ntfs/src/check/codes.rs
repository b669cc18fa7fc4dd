//! What can be wrong with a volume: a closed list of codes and how much each matters.

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
    AttributeOrder "attribute-order" Error "the attributes are not in the order of their types and names";
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
    IndexUnreadable "index-unreadable" Error "the parts of the index cannot be read";
    IndexRootMissing "index-root-missing" Error "the directory has no $INDEX_ROOT";
    IndexRootField "index-root-field" Error "a field of the $INDEX_ROOT has a value that it cannot have";
    IndexWithoutFlag "index-without-flag" Error "the file has a directory's index but is not marked as a directory";
    IndexAllocationMissing "index-allocation-missing" Error "the index has nodes below its root but no place for them";
    IndexBitmapMissing "index-bitmap-missing" Error "the index has blocks but no bitmap of them";
    IndexBitmapTooSmall "index-bitmap-too-small" Error "the bitmap of the index has too few bits";
    IndexBlockSignature "index-block-signature" Error "the index block has no signature";
    IndexBlockTorn "index-block-torn" Error "the index block was written in part only";
    IndexBlockVcn "index-block-vcn" Error "the index block holds another block's VCN";
    IndexNodeHeader "index-node-header" Error "a field in the header of an index node is out of bounds";
    IndexEntryMalformed "index-entry-malformed" Error "the lengths of an index entry cannot be right";
    IndexSubnode "index-subnode" Error
        "an index entry has a sub-node where it must not, or none where it must, or outside the index";
    IndexBlockShared "index-block-shared" Error "two index entries have the same sub-node";
    IndexDepth "index-depth" Warning "the leaves of the index are not equally deep";
    IndexBlockUnmarked "index-block-unmarked" Error "the index block is in use but free in the bitmap of the index";
    IndexBlockLeaked "index-block-leaked" Warning "index blocks are marked in the bitmap of the index but not in use";
    IndexOrder "index-order" Error "the index entries are not in the order of their keys";
    IndexEntryDuplicate "index-entry-duplicate" Error "the index has an entry twice";
    IndexEntryDangling "index-entry-dangling" Error "the index entry names a file that does not exist, or not any more";
    IndexEntryParent "index-entry-parent" Error "the index entry is of another directory";
    IndexEntryUnmatched "index-entry-unmatched" Error "the index entry's name is none of its file's names";
    IndexEntryFlags "index-entry-flags" Warning "the index entry takes a directory for a file, or a file for a directory";
    IndexEntrySizes "index-entry-sizes" Note "the index entry has other sizes than its file";
    NameMissingInIndex "name-missing-in-index" Error "a name of the file is missing in its directory's index";
    NamelessFile "nameless-file" Warning "the file has no name";
    DosNameUnpaired "dos-name-unpaired" Warning "a DOS name has no Win32 name beside it";
    DirectoryTwice "directory-twice" Error "the directory is in two directories";
    Unreachable "unreachable" Error "no path leads from the root to the directory";
    SecurityUnreadable "security-unreadable" Error "the security descriptors or their indexes cannot be read";
    SecurityEntry "security-entry" Error "an entry of $SDS has a value that it cannot have";
    SecurityHash "security-hash" Error "the hash of a security descriptor is wrong";
    SecurityDescriptor "security-descriptor" Warning "a security descriptor cannot be right";
    SecurityCopies "security-copies" Warning "the two copies of $SDS differ";
    SecurityIndex "security-index" Error "$SII or $SDH do not agree with $SDS";
    SecurityIdMissing "security-id-missing" Warning "a file's security id is not in $Secure";
    ObjectIdIndex "object-id-index" Warning "$ObjId and the files do not agree";
    ReparseIndex "reparse-index" Warning "$Reparse and the files do not agree";
    StandardInformation "standard-information" Error "the file has no $STANDARD_INFORMATION, or one of another length";
    AttributeDuplicate "attribute-duplicate" Error "the file has two attributes of the same type and name";
    AttributeListOrder "attribute-list-order" Error "the attribute list is not in the order of types, names and VCNs";
    UpCaseUnreadable "up-case-unreadable" Error "$UpCase cannot be read or has another length";
    UpCaseMapping "up-case-mapping" Error "$UpCase does not map to upper case";
    UpCaseChecksum "up-case-checksum" Warning "the checksum in $UpCase:$Info is wrong";
    AttributeDefinitions "attribute-definitions" Warning "$AttrDef does not define the attributes";
    MftBitmapTail "mft-bitmap-tail" Warning "the bitmap of the $MFT marks records behind its end";
    MftReadByMirror "mft-read-by-mirror" Error "the $MFT is found through $MFTMirr only";
    ReservedRecordFree "reserved-record-free" Warning "a record that NTFS reserves for itself is free";
    ReservedRecordUsed "reserved-record-used" Note "a file is in a record that is kept for the $MFT's own extension";
    RootRecord "root-record" Error "record 5 is not a root directory";
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
}
