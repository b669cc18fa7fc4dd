//! What has to be known of a volume before it may be changed: version, flags, log, hibernation, shadow copies.

use crate::bytes::{take, u16_at, utf16};
use crate::error::NtfsError;
use crate::logfile::{self, LogState};
use crate::types::{AttributeType, RecordNumber};
use crate::volume::Volume;
use crate::vss::ShadowCopies;
use winrefit_disk::ReadAt;

/// Volume flag: chkdsk is to be run.
pub const FLAG_DIRTY: u16 = 0x0001;
/// Volume flag: $LogFile is to be resized.
pub const FLAG_RESIZE_LOG: u16 = 0x0002;
/// Volume flag: to be upgraded on the next mount.
pub const FLAG_UPGRADE: u16 = 0x0004;
/// Volume flag: chkdsk is under way (libfsntfs documentation, "volume information").
pub const FLAG_CHKDSK_UNDER_WAY: u16 = 0x4000;
/// Volume flag: chkdsk has changed the volume, which Windows takes note of on the next mount.
pub const FLAG_MODIFIED_BY_CHKDSK: u16 = 0x8000;

/// State of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeState {
    /// Label.
    pub label: String,
    /// NTFS version, major and minor: (3, 1) since Windows XP.
    pub version: (u8, u8),
    /// Volume flags.
    pub flags: u16,
    /// State of $LogFile.
    pub log: LogState,
    /// Whether a hibernated Windows is stored in hiberfil.sys.
    pub hibernated: bool,
    /// Shadow copies, whose catalog holds absolute positions.
    pub shadow_copies: ShadowCopies,
}

impl VolumeState {
    /// Reads the state.
    ///
    /// # Errors
    /// Damage of the structures read, or an error of the medium.
    pub fn read<R: ReadAt>(volume: &Volume<R>) -> Result<Self, NtfsError> {
        let record = volume.read_record(RecordNumber::VOLUME)?;
        let missing = |attribute| NtfsError::MissingAttribute {
            record: RecordNumber::VOLUME,
            attribute,
        };
        let information = record
            .find(AttributeType::VOLUME_INFORMATION, "")?
            .and_then(|a| a.value())
            .and_then(|value| take(value, 0, 12))
            .ok_or(missing(AttributeType::VOLUME_INFORMATION))?;
        let label = record
            .find(AttributeType::VOLUME_NAME, "")?
            .and_then(|a| a.value())
            .unwrap_or_default();
        Ok(Self {
            label: String::from_utf16_lossy(&utf16(label)),
            version: (information[8], information[9]),
            flags: u16_at(information, 10).unwrap_or(0),
            log: logfile::read_state(volume)?,
            hibernated: is_hibernated(volume)?,
            shadow_copies: ShadowCopies::read(volume)?,
        })
    }

    /// Whether Windows wants chkdsk to run.
    pub fn is_dirty(&self) -> bool {
        self.flags & (FLAG_DIRTY | FLAG_CHKDSK_UNDER_WAY | FLAG_MODIFIED_BY_CHKDSK) != 0
    }
}

/// A hiberfil.sys that begins with `HIBR` (any case) holds a Windows to be resumed; zeros or `WAKE` do not.
fn is_hibernated<R: ReadAt>(volume: &Volume<R>) -> Result<bool, NtfsError> {
    let Some(file) = volume.lookup("hiberfil.sys")? else {
        return Ok(false);
    };
    let stream = file.require(AttributeType::DATA, "")?;
    if stream.len() < 4 {
        return Ok(false);
    }
    let mut magic = [0; 4];
    volume.stream_reader(stream)?.read_at(0, &mut magic)?;
    Ok(magic.eq_ignore_ascii_case(b"HIBR"))
}
