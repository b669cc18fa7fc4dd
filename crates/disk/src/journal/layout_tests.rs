//! docs/formats/journal.md says what the code does.

use super::{MAGIC, MAX_BODY_BYTES, MEMO_BYTES, State, VERSION, body, header};
use std::path::Path;

/// The rows of the document's tables: trimmed cells.
fn rows() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/journal.md");
    let text = std::fs::read_to_string(path).expect("docs/formats/journal.md is part of the repository");
    let table_line = |line: &&str| line.starts_with('|') && !line.starts_with("|-");
    let cells = |line: &str| {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    text.lines().filter(table_line).map(cells).collect()
}

/// The offset and length that the document gives a field.
fn documented(rows: &[Vec<String>], field: &str) -> (usize, usize) {
    let row = rows.iter().find(|row| row.len() == 4 && row[2] == field);
    let row = row.unwrap_or_else(|| panic!("{field} is not documented"));
    (row[0].parse().unwrap(), row[1].parse().unwrap())
}

#[test]
fn the_documented_header_is_the_one_in_the_code() {
    use header::at;
    let rows = rows();
    let fields = [
        ("magic", at::MAGIC, MAGIC.len()),
        ("version", at::VERSION, 4),
        ("state", at::STATE, 4),
        ("transaction id", at::TRANSACTION_ID, 16),
        ("disk GUID", at::DISK_GUID, 16),
        ("device length", at::DEVICE_LENGTH, 8),
        ("header offset", at::HEADER_OFFSET, 8),
        ("sector size", at::SECTOR_SIZE, 4),
        ("extent count", at::EXTENT_COUNT, 4),
        ("body offset", at::BODY_OFFSET, 8),
        ("body length", at::BODY_LENGTH, 8),
        ("wipe length", at::WIPE_LENGTH, 8),
        ("created", at::CREATED, 8),
        ("body SHA-256", at::BODY_SHA256, 32),
        ("memo", at::MEMO, MEMO_BYTES),
        ("move count", at::MOVE_COUNT, 4),
    ];
    let mut end = 0;
    for (field, offset, length) in fields {
        assert_eq!(documented(&rows, field), (offset, length), "{field}");
        assert_eq!(offset, end, "a gap or an overlap before {field}");
        end = offset + length;
    }
    assert_eq!(end, at::RESERVED);
    let row = |field: &str| rows.iter().find(|row| row.len() == 4 && row[2] == field).unwrap();
    assert_eq!(row("reserved")[0], at::RESERVED.to_string());
    assert_eq!(row("CRC-32")[0], format!("end - {}", at::CRC_BYTES));
    assert!(row("magic")[3].contains(std::str::from_utf8(&MAGIC).unwrap()));
    assert_eq!(row("version")[3], VERSION.to_string());
    let states: Vec<_> = State::ALL
        .map(|state| format!("{} {state}", state.number()))
        .into();
    assert_eq!(row("state")[3], states.join(", "));
    assert!(row("body length")[3].ends_with(&format!("{} MiB", MAX_BODY_BYTES >> 20)));
}

#[test]
fn the_documented_extent_entry_is_the_one_in_the_code() {
    use body::at;
    let rows = rows();
    assert_eq!(documented(&rows, "extent offset"), (at::OFFSET, 8));
    assert_eq!(documented(&rows, "extent length"), (at::LENGTH, 4));
    assert_eq!(documented(&rows, "phase"), (at::PHASE, 1));
    assert_eq!(
        documented(&rows, "padding"),
        (at::PHASE + 1, body::ENTRY_BYTES - at::PHASE - 1)
    );
    let table = rows.iter().find(|row| row[0] == "extent table").unwrap();
    assert_eq!(table[1], format!("{} x extent count", body::ENTRY_BYTES));
}

#[test]
fn the_documented_move_entry_is_the_one_in_the_code() {
    use body::move_at;
    let rows = rows();
    assert_eq!(documented(&rows, "copy offset"), (move_at::TO, 8));
    assert_eq!(documented(&rows, "original offset"), (move_at::FROM, 8));
    assert_eq!(documented(&rows, "move length"), (move_at::LENGTH, 8));
    let table = rows.iter().find(|row| row[0] == "move table").unwrap();
    assert_eq!(table[1], format!("{} x move count", body::MOVE_BYTES));
}
