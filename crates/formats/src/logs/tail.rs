//! The end of a text file, by lines.

use super::LINE_BYTES_MAX;
use crate::bytes::utf16_units;
use std::borrow::Cow;
use winrefit_disk::{DiskError, ReadAt};

/// More is not read, whatever is asked for.
const TAIL_BYTES_MAX: u64 = 64 << 20;
/// Bytes by which UTF-16 without a byte order mark is told.
const SAMPLE_BYTES: usize = 4096;

/// How a text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, or a code page of which only ASCII is read; other bytes become U+FFFD.
    Utf8,
    /// UTF-16, little-endian.
    Utf16,
}

/// The end of a text file.
#[derive(Debug, Clone)]
pub struct Tail {
    bytes: Vec<u8>,
    /// Place of the first byte in the file.
    start: u64,
    encoding: Encoding,
    /// Whether the file begins before what was read.
    pub truncated: bool,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'t> {
    /// Byte of the file at which it begins.
    pub offset: u64,
    /// The line without its end, up to [`LINE_BYTES_MAX`].
    pub text: Cow<'t, str>,
}

/// Reads the last `bytes_max` bytes of `source`, and two bytes of its beginning. A line that begins before is left out.
///
/// # Errors
/// [`DiskError`] if the file cannot be read.
pub fn read_tail(source: &dyn ReadAt, bytes_max: u64) -> Result<Tail, DiskError> {
    let size = source.size();
    let mark = source.read_vec(0, size.min(2) as usize)?;
    let mut start = size.saturating_sub(bytes_max.min(TAIL_BYTES_MAX));
    // Units of UTF-16 lie at even places.
    start += start % 2;
    let length = usize::try_from(size.saturating_sub(start)).unwrap_or(0);
    let mut bytes = source.read_vec(start.min(size), length)?;
    let encoding = if mark == [0xff, 0xfe] || is_utf16(&bytes) {
        Encoding::Utf16
    } else {
        Encoding::Utf8
    };
    let used = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    bytes.truncate(match encoding {
        Encoding::Utf8 => used,
        // The last character may end with a zero.
        Encoding::Utf16 => used.next_multiple_of(2).min(bytes.len()),
    });
    Ok(Tail {
        bytes,
        start,
        encoding,
        truncated: start > 0,
    })
}

/// Whether text of mostly ASCII stands there in UTF-16: every second byte is zero, and the others are not.
fn is_utf16(bytes: &[u8]) -> bool {
    let sample = bytes.get(..bytes.len().min(SAMPLE_BYTES)).unwrap_or_default();
    let units = sample.chunks_exact(2);
    let count = units.len();
    let ascii = units
        .filter(|unit| matches!(unit, [text, 0] if *text != 0))
        .count();
    count > 0 && ascii > count / 2
}

impl Tail {
    /// How the text is encoded.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The lines, first to last. Of a file that begins before, the first whole line is the first.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut at = match self.truncated {
            true => self.line_end(0).map_or(self.bytes.len(), |(_, next)| next),
            false => 0,
        };
        std::iter::from_fn(move || {
            if at >= self.bytes.len() {
                return None;
            }
            let begin = at;
            let (end, next) = self.line_end(at).unwrap_or((self.bytes.len(), self.bytes.len()));
            at = next;
            Some(Line {
                offset: self.start + begin as u64,
                text: self.text(begin, end),
            })
        })
    }

    /// Where the line around `from` ends, and where the next one begins.
    fn line_end(&self, from: usize) -> Option<(usize, usize)> {
        let rest = self.bytes.get(from..)?;
        match self.encoding {
            Encoding::Utf8 => memchr::memchr(b'\n', rest).map(|at| (from + at, from + at + 1)),
            Encoding::Utf16 => memchr::memchr_iter(b'\n', rest)
                .find(|&at| at % 2 == 0 && rest.get(at + 1) == Some(&0))
                .map(|at| (from + at, from + at + 2)),
        }
    }

    fn text(&self, begin: usize, end: usize) -> Cow<'_, str> {
        let end = end.min(begin + LINE_BYTES_MAX);
        let bytes = self.bytes.get(begin..end).unwrap_or_default();
        match self.encoding {
            Encoding::Utf8 => {
                let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
                String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes))
            }
            Encoding::Utf16 => {
                let text = String::from_utf16_lossy(&utf16_units(bytes));
                let text = text.trim_start_matches('\u{feff}').trim_end_matches('\r');
                Cow::Owned(text.to_string())
            }
        }
    }
}
