//! Addresses by cylinder, head and sector. Nothing of today reads them; old boot code and some firmware does, and
//! checkers compare them with the LBA.

const HEADS: u64 = 255;
const SECTORS: u64 = 63;
/// Stands for every address behind cylinder 1023.
const BEYOND: [u8; 3] = [0xfe, 0xff, 0xff];

/// How a table fills its CHS fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChsStyle {
    /// By the geometry of 255 heads and 63 sectors, as Windows and Linux do.
    Geometry,
    /// "Beyond the last cylinder" for all addresses.
    Beyond,
    /// Zeros.
    Zero,
}

impl ChsStyle {
    /// The style of a table with these addresses; the usual one where they say nothing or something else.
    pub fn of(fields: &[([u8; 3], u64)]) -> Self {
        let all = |style: Self| fields.iter().all(|(field, lba)| *field == style.field(*lba));
        match fields {
            [] => Self::Geometry,
            _ if all(Self::Geometry) => Self::Geometry,
            _ if all(Self::Beyond) => Self::Beyond,
            _ if all(Self::Zero) => Self::Zero,
            _ => Self::Geometry,
        }
    }

    /// The three bytes for the sector `lba`.
    pub fn field(self, lba: u64) -> [u8; 3] {
        let (cylinder, in_cylinder) = (lba / (HEADS * SECTORS), lba % (HEADS * SECTORS));
        match self {
            Self::Zero => [0; 3],
            Self::Geometry if cylinder < 1024 => {
                let (head, sector) = (in_cylinder / SECTORS, in_cylinder % SECTORS + 1);
                // Below 255, 64 and 1024: the upper two bits of the cylinder share a byte with the sector.
                [
                    head as u8,
                    sector as u8 | (cylinder >> 8 << 6) as u8,
                    cylinder as u8,
                ]
            }
            Self::Geometry | Self::Beyond => BEYOND,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_usual_geometry() {
        let field = |lba| ChsStyle::Geometry.field(lba);
        // What Windows writes for a partition at 1 MiB.
        assert_eq!(field(2048), [0x20, 0x21, 0x00]);
        assert_eq!(field(0), [0, 1, 0]);
        assert_eq!(field(62), [0, 63, 0]);
        assert_eq!(field(63), [1, 1, 0]);
        assert_eq!(field(1024 * 255 * 63 - 1), [254, 0xff, 0xff]);
        assert_eq!(field(1024 * 255 * 63), BEYOND);
        assert_eq!(field(300 * 255 * 63), [0, 0x41, 44]);
    }

    #[test]
    fn the_style_is_found() {
        let fields = |style: ChsStyle| [63, 2048, 1 << 30].map(|lba| (style.field(lba), lba));
        for style in [ChsStyle::Geometry, ChsStyle::Beyond, ChsStyle::Zero] {
            assert_eq!(ChsStyle::of(&fields(style)), style);
        }
        assert_eq!(ChsStyle::of(&[([1, 2, 3], 2048)]), ChsStyle::Geometry);
        assert_eq!(ChsStyle::of(&[]), ChsStyle::Geometry);
    }
}
