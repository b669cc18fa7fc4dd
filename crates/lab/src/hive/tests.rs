use super::*;
use crate::oracle;

const TIME: u64 = 132_737_184_000_000_000;

fn sample() -> Key {
    let mut many = Key::new("Many");
    for number in 0..400 {
        many = many.key(Key::new(format!("Sub{number}")).dword("Number", number));
    }
    Key::new("ROOT")
        .text("Text", "Caf\u{e9}")
        .key(many)
        .key(
            Key::new("Types")
                .dword("Dword", 0x1234_5678)
                .value("Qword", Data::Qword(7))
                .value("", Data::Text("default".into()))
                .value("Empty", Data::Binary(vec![]))
                .value("Short", Data::Binary(vec![1, 2, 3]))
                .value("Large", Data::Binary(vec![0xEE; VALUE_DATA_LIMIT]))
                .value("List", Data::MultiText(vec!["one".into(), "two".into()]))
                .value("Expand", Data::ExpandText("%SystemRoot%".into())),
        )
        .key(Key::new("alpha").key(Key::new("\u{dc}berschrift").text("\u{4e2d}", "\u{6587}")))
        .key(Key::new("Beta"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn bins_follow_each_other_and_cells_cover_them() {
    let hive = write(&sample(), r"\SystemRoot\System32\Config\SOFTWARE", TIME).unwrap();
    assert_eq!(&hive[..4], b"regf");
    assert_eq!(u32_at(&hive, 508), layout::checksum(&hive));
    assert_eq!(u32_at(&hive, 4), u32_at(&hive, 8));
    assert_eq!(u32_at(&hive, 40) as usize, hive.len() - 4096);
    assert_eq!(u32_at(&hive, 36), 32);
    let bins = &hive[4096..];
    let (mut bin, mut cells) = (0, 0);
    while bin < bins.len() {
        assert_eq!(&bins[bin..bin + 4], b"hbin");
        assert_eq!(u32_at(bins, bin + 4) as usize, bin);
        let end = bin + u32_at(bins, bin + 8) as usize;
        let mut cell = bin + 32;
        while cell < end {
            let size = (u32_at(bins, cell) as i32).unsigned_abs() as usize;
            assert!(size >= 8 && size.is_multiple_of(8), "cell at {cell}: {size}");
            cell += size;
            cells += 1;
        }
        assert_eq!(cell, end);
        bin = end;
    }
    assert!(cells > 800, "{cells}");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let refused = |key: Key| write(&key, "", TIME).unwrap_err();
    let twins = Key::new("R")
        .key(Key::new("a"))
        .key(Key::new("b"))
        .key(Key::new("A"));
    assert!(matches!(refused(twins), HiveError::Duplicate { .. }));
    let twins = Key::new("R").dword("\u{fc}", 1).dword("\u{dc}", 2);
    assert!(matches!(refused(twins), HiveError::Duplicate { .. }));
    assert!(matches!(refused(Key::new("")), HiveError::Name { length: 0, .. }));
    assert!(matches!(
        refused(Key::new(r"a\b")),
        HiveError::Name { length: 3, .. }
    ));
    assert!(matches!(
        refused(Key::new("x".repeat(256))),
        HiveError::Name {
            length: 256,
            limit: 255,
            ..
        }
    ));
    let large = Key::new("R").value("v", Data::Binary(vec![0; VALUE_DATA_LIMIT + 1]));
    assert!(matches!(
        refused(large),
        HiveError::ValueData { length: 16_345, .. }
    ));
    let many = (0..=SUBKEY_LIMIT).fold(Key::new("R"), |key, number| key.key(Key::new(number.to_string())));
    assert!(matches!(refused(many), HiveError::Subkeys { count: 1013, .. }));
    let deep = (0..DEPTH_LIMIT).fold(Key::new("leaf"), |key, _| Key::new("k").key(key));
    assert!(matches!(refused(deep), HiveError::Depth { .. }));
}

#[test]
fn other_tools_read_the_hive() {
    let hive = oracle::TempFile::new("hive", &write(&sample(), "hive", TIME).unwrap());
    if let Some(value) = oracle::run("hivexget", &[hive.path(), r"\mANY\sub399", "nUMBER"]) {
        assert_eq!(value.trim(), "399");
    }
    let Some(export) = oracle::run("hivexregedit", &["--export", hive.path(), r"\"]) else {
        return;
    };
    assert_eq!(export.matches(r"[\Many\Sub").count(), 400);
    for expected in [
        "\"Dword\"=dword:12345678",
        "\"Qword\"=hex(b):07,00,00,00,00,00,00,00",
        "@=hex(1):64,00,65,00,66,00,61,00,75,00,6c,00,74,00,00,00",
        "\"Empty\"=hex(3):\n",
        "\"Short\"=hex(3):01,02,03\n",
        "\"List\"=hex(7):6f,00,6e,00,65,00,00,00,74,00,77,00,6f,00,00,00,00,00",
        "\"Text\"=hex(1):43,00,61,00,66,00,e9,00,00,00",
        // The tool prints the name in Latin-1.
        "[\\alpha\\\u{fffd}berschrift]",
        "\"\u{4e2d}\"=hex(1):87,65,00,00",
    ] {
        assert!(export.contains(expected), "{expected} is not in\n{export}");
    }
    let large = export
        .lines()
        .find(|line| line.starts_with("\"Large\"="))
        .unwrap();
    assert_eq!(large.matches("ee").count(), VALUE_DATA_LIMIT);
}
