//! docs/limits.md says what the code does.

use std::path::Path;

/// The value of a constant: numbers, `_`, `<<` and `*`, and other constants of the file.
fn value(source: &str, expression: &str) -> Option<u64> {
    let expression = expression.trim();
    for (operator, apply) in [
        ("<<", (|a, b| a << b) as fn(u64, u64) -> u64),
        ("*", |a, b| a * b),
    ] {
        if let Some((left, right)) = expression.split_once(operator) {
            return Some(apply(value(source, left)?, value(source, right)?));
        }
    }
    let word = expression.split(" as ").next()?.trim();
    word.replace('_', "")
        .parse()
        .ok()
        .or_else(|| constant(source, word))
}

fn constant(source: &str, name: &str) -> Option<u64> {
    let start = format!("const {name}: ");
    let line = source.lines().find(|line| line.contains(&start))?;
    value(source, line.split_once(" = ")?.1.trim_end_matches(';'))
}

/// A number with a unit.
fn bound(cell: &str) -> Option<u64> {
    let mut words = cell.split(' ');
    let number: u64 = words.next()?.parse().ok()?;
    Some(match words.next() {
        None => number,
        Some("KiB") => number << 10,
        Some("MiB") => number << 20,
        Some("GiB") => number << 30,
        Some(_) => return None,
    })
}

#[test]
fn the_documented_limits_are_those_of_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("docs/limits.md")).unwrap();
    let mut checked = 0;
    for row in text
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("` in `"))
    {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let quoted: Vec<&str> = cells[2].split('`').collect();
        let (name, file) = (quoted[1], quoted[3]);
        let source = std::fs::read_to_string(root.join("crates").join(file)).expect(file);
        // `RECORDS_MAX` of another file of the crate.
        let all = std::fs::read_to_string(root.join("crates/ntfs/src/volume.rs")).unwrap();
        let actual = constant(&format!("{source}\n{all}"), name);
        assert_eq!(bound(cells[1]), actual, "{row}");
        assert!(actual.is_some(), "{row}");
        checked += 1;
    }
    assert!(checked > 60, "{checked} rows");
}
