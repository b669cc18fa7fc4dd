//! A GUID as Windows stores it.

use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A 128-bit globally unique identifier.
///
/// On disk the first three groups are little-endian and the last two are plain bytes ("mixed-endian", UEFI
/// specification, appendix A). Shown in lower case without braces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Guid(Uuid);

impl Guid {
    /// The GUID of zero bits: "none" everywhere.
    pub const ZERO: Self = Self(Uuid::nil());

    /// The GUID whose text, read as one hexadecimal number, is `value`.
    pub const fn from_u128(value: u128) -> Self {
        Self(Uuid::from_u128(value))
    }

    /// From the 16 bytes on disk.
    pub const fn from_bytes_le(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes_le(bytes))
    }

    /// The 16 bytes on disk.
    pub const fn to_bytes_le(self) -> [u8; 16] {
        self.0.to_bytes_le()
    }

    /// Whether all bits are zero.
    pub const fn is_zero(self) -> bool {
        self.0.is_nil()
    }

    /// The GUID as the `uuid` crate's value.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for Guid {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a GUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a GUID")]
pub struct ParseGuidError {
    /// The text, cut to its first 64 characters.
    pub text: String,
}

impl FromStr for Guid {
    type Err = ParseGuidError;

    /// Reads the hyphenated form, with or without braces, in either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or(text);
        match Uuid::try_parse(bare) {
            Ok(uuid) if bare.len() == 36 => Ok(Self(uuid)),
            _ => Err(ParseGuidError {
                text: text.chars().take(64).collect(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_form_is_mixed_endian() {
        let guid: Guid = "{DE94BBA4-06d1-4d40-a16a-bfd50179d6ac}".parse().unwrap();
        let bytes = [
            0xa4, 0xbb, 0x94, 0xde, 0xd1, 0x06, 0x40, 0x4d, 0xa1, 0x6a, 0xbf, 0xd5, 0x01, 0x79, 0xd6, 0xac,
        ];
        assert_eq!(guid.to_bytes_le(), bytes);
        assert_eq!(Guid::from_bytes_le(bytes), guid);
        assert_eq!(guid.to_string(), "de94bba4-06d1-4d40-a16a-bfd50179d6ac");
        assert_eq!(Guid::from_u128(0xde94bba4_06d1_4d40_a16a_bfd50179d6ac), guid);
    }

    #[test]
    fn other_texts_are_no_guids() {
        let bad = [
            "",
            "{}",
            "{de94bba4-06d1-4d40-a16a-bfd50179d6ac",
            "de94bba406d14d40a16abfd50179d6ac",
            "x",
        ];
        for text in bad {
            assert!(text.parse::<Guid>().is_err(), "{text}");
        }
    }
}
