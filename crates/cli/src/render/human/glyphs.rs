//! Every character that is drawn and is not ASCII, with its stand-in of the same width. Pages are composed of these;
//! `--ascii` exchanges them at the very end, so no layout depends on it.

/// Horizontal line, to scale.
pub const LINE: char = '\u{2500}';
/// Horizontal line of a box that is wider than to scale.
pub const DASHED: char = '\u{2504}';
/// Vertical line.
pub const BAR: char = '\u{2502}';
/// Edge of a picture where the disk goes on.
pub const CUT: char = '\u{254e}';
/// Corners and joints.
pub const TOP_LEFT: char = '\u{250c}';
/// Top right corner.
pub const TOP_RIGHT: char = '\u{2510}';
/// Bottom left corner.
pub const BOTTOM_LEFT: char = '\u{2514}';
/// Bottom right corner.
pub const BOTTOM_RIGHT: char = '\u{2518}';
/// Joint of two boxes above.
pub const TOP_JOINT: char = '\u{252c}';
/// Joint of two boxes below.
pub const BOTTOM_JOINT: char = '\u{2534}';
/// Used space.
pub const USED: char = '\u{2588}';
/// Free space.
pub const FREE: char = '\u{2591}';
/// Space that is gained.
pub const GAINED: char = '\u{2592}';
/// Unallocated space.
pub const UNALLOCATED: char = '\u{b7}';
/// A border moves to the left.
pub const TO_LEFT: char = '\u{25c2}';
/// A border moves to the right.
pub const TO_RIGHT: char = '\u{25b8}';
/// As it has to be.
pub const CHECK: char = '\u{2713}';
/// Not as it has to be.
pub const CROSS: char = '\u{2717}';
/// Text goes on.
pub const ELLIPSIS: char = '\u{2026}';
/// From left to right.
pub const ARROW: char = '\u{2192}';

/// The ASCII stand-in. Characters that come from a disk and are not drawn by us become question marks.
pub fn ascii(glyph: char) -> char {
    match glyph {
        LINE => '-',
        DASHED => '~',
        BAR => '|',
        CUT => ':',
        TOP_LEFT | TOP_RIGHT | BOTTOM_LEFT | BOTTOM_RIGHT | TOP_JOINT | BOTTOM_JOINT => '+',
        USED => '#',
        FREE => '_',
        GAINED => '=',
        UNALLOCATED => '.',
        TO_LEFT => '<',
        TO_RIGHT | ARROW => '>',
        CHECK => '+',
        CROSS => 'x',
        ELLIPSIS => '~',
        other if other.is_ascii() => other,
        _ => '?',
    }
}
