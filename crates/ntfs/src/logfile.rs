//! Whether $LogFile is at rest. Its records are never replayed: a volume whose log is not clean has changes that
//! only Windows may finish.
//!
//! Layout: libfsntfs documentation and the public descriptions of LFS restart pages.

use crate::bytes::{take, u16_at, u32_at, u64_at};
use crate::error::NtfsError;
use crate::fixup;
use crate::types::{AttributeType, RecordNumber};
use crate::volume::Volume;
use std::fmt;
use winrefit_disk::ReadAt;

/// What the log says of the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogState {
    /// All 0xFF, as formatters leave it: Windows starts a new log.
    Uninitialized,
    /// Closed cleanly: nothing to redo or undo.
    Clean,
    /// In use: mounted, or the machine stopped without shutting down.
    InUse,
    /// LFS version 2: mounted, hibernated or shut down with Fast Startup; metadata may be cached elsewhere.
    FastStartup {
        /// Minor version found.
        minor: u16,
    },
    /// Neither of the restart pages can be read.
    Damaged,
}

impl LogState {
    /// Whether the volume may be changed as far as the log goes.
    pub fn is_at_rest(self) -> bool {
        matches!(self, Self::Uninitialized | Self::Clean)
    }
}

impl fmt::Display for LogState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uninitialized => f.write_str("new"),
            Self::Clean => f.write_str("closed cleanly"),
            Self::InUse => f.write_str("in use: not closed cleanly"),
            Self::FastStartup { minor } => write!(f, "version 2.{minor}: Fast Startup or hibernation"),
            Self::Damaged => f.write_str("no readable restart page"),
        }
    }
}

/// Restart pages are this long at most; smaller ones say so themselves.
const PAGE_BYTES_MAX: u32 = 65536;
/// Client index that says "no client".
const NO_CLIENT: u16 = 0xFFFF;
/// Restart area flag: the volume was closed cleanly.
const VOLUME_IS_CLEAN: u16 = 0x0002;

struct RestartPage {
    current_lsn: u64,
    major: u16,
    minor: u16,
    clean: bool,
}

/// Reads the state of a volume's $LogFile.
///
/// # Errors
/// Damage of $LogFile's record, or an error of the medium. Damage of its content is [`LogState::Damaged`].
pub fn read_state<R: ReadAt>(volume: &Volume<R>) -> Result<LogState, NtfsError> {
    let stream = volume
        .file(RecordNumber::LOG_FILE)?
        .require(AttributeType::DATA, "")?;
    let reader = volume.stream_reader(stream)?;
    let first = reader.read_vec(0, 8192.min(reader.size()) as usize)?;
    if !first.is_empty() && first.iter().all(|&byte| byte == 0xFF) {
        return Ok(LogState::Uninitialized);
    }
    // The second page lies behind the first; where the first is damaged its size is unknown, 4096 is Windows' own.
    let size = u32_at(&first, 0x10).filter(|s| s.is_power_of_two() && (512..=PAGE_BYTES_MAX).contains(s));
    let size = u64::from(size.unwrap_or(4096));
    let page = |at: u64| {
        reader
            .read_vec(at, size as usize)
            .ok()
            .and_then(parse_restart_page)
    };
    let newest = [page(0), page(size)]
        .into_iter()
        .flatten()
        .max_by_key(|page| page.current_lsn);
    Ok(match newest {
        None => LogState::Damaged,
        Some(page) if page.major >= 2 => LogState::FastStartup { minor: page.minor },
        Some(page) if page.clean => LogState::Clean,
        Some(_) => LogState::InUse,
    })
}

fn parse_restart_page(mut page: Vec<u8>) -> Option<RestartPage> {
    fixup::apply(&mut page, *b"RSTR", "restart page", 0).ok()?;
    let area = take(&page, u16_at(&page, 0x18)?.into(), 0x30)?;
    let (in_use, flags) = (u16_at(area, 0x0C)?, u16_at(area, 0x0E)?);
    Some(RestartPage {
        current_lsn: u64_at(area, 0)?,
        minor: u16_at(&page, 0x1A)?,
        major: u16_at(&page, 0x1C)?,
        clean: in_use == NO_CLIENT || flags & VOLUME_IS_CLEAN != 0,
    })
}
