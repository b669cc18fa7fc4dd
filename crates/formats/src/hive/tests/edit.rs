//! Overwritten values: read back by libhivex, and nothing else changed.

use super::*;
use crate::testing::printed;

const RAMDISK: &str = "Objects\\{733b62e6-f608-11eb-825c-c112f60133ab}\\Elements\\11000001";

fn apply(file: &mut [u8], writes: &[HiveWrite]) {
    for write in writes {
        file[write.offset as usize..][..write.bytes.len()].copy_from_slice(&write.bytes);
    }
}

/// Offsets at which two files differ.
fn differences(a: &[u8], b: &[u8]) -> Vec<usize> {
    assert_eq!(a.len(), b.len());
    (0..a.len()).filter(|&at| a[at] != b[at]).collect()
}

fn new_data(old: &[u8]) -> Vec<u8> {
    old.iter().map(|byte| byte ^ 0x5a).collect()
}

#[test]
fn nothing_but_the_data_of_the_value_is_written() {
    let Some(before) = bcd() else { return };
    let old = Hive::open(&before).unwrap().value(RAMDISK, "Element").unwrap();
    let Some(RegistryValue::Binary(old)) = old else {
        panic!("{old:?}")
    };
    let new = new_data(&old);
    let mut edit = HiveEdit::begin(&before, &[]).unwrap();
    edit.overwrite(RAMDISK, "element", &new).unwrap();
    let mut file = before.clone();
    apply(&mut file, &edit.writes().unwrap());
    let hive = Hive::open(&file).unwrap();
    assert_eq!(hive.sequence_numbers(), (34, 34));
    assert_eq!(
        hive.value(RAMDISK, "Element").unwrap(),
        Some(RegistryValue::Binary(new))
    );
    assert_eq!(differences(&before, &file).len(), old.len());
}

#[test]
fn hivex_reads_the_new_value_and_all_others_as_before() {
    let Some(before) = bcd() else { return };
    let export = |bytes: &[u8]| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let path = file.path().to_str().unwrap();
        printed(
            "hivexregedit",
            &["--export", "--unsafe-printable-strings", path, "\\"],
            "",
        )
    };
    let Some(old_text) = export(&before) else { return };
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    let Some(RegistryValue::Binary(old)) = Hive::open(&before).unwrap().value(RAMDISK, "Element").unwrap()
    else {
        panic!("no binary value")
    };
    let mut edit = HiveEdit::begin(&before, &[]).unwrap();
    edit.overwrite(RAMDISK, "Element", &new_data(&old)).unwrap();
    let mut file = before.clone();
    apply(&mut file, &edit.writes().unwrap());
    let new_text = export(&file).unwrap();
    // The same bytes stand in the loader's osdevice; only the first place may have changed.
    let expected = old_text.replacen(&hex(&old), &hex(&new_data(&old)), 1);
    assert_ne!(expected, old_text);
    assert!(new_text == expected, "other values have changed");
    let edited = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(edited.path(), &file).unwrap();
    let commands = format!("cd \\{RAMDISK}\nlsval\n");
    let value = printed("hivexsh", &[edited.path().to_str().unwrap()], &commands).unwrap();
    assert_eq!(
        value.trim(),
        format!("\"Element\"=hex(3):{}", hex(&new_data(&old)))
    );
}

#[test]
fn inline_and_large_data_are_overwritten_where_they_lie() {
    let Some(before) = bcd() else { return };
    // In the value's own cell.
    let description = "Objects\\{733b62e6-f608-11eb-825c-c112f60133ab}\\Description";
    let mut edit = HiveEdit::begin(&before, &[]).unwrap();
    edit.overwrite(description, "Type", &0x1234_5678u32.to_le_bytes())
        .unwrap();
    let mut file = before.clone();
    apply(&mut file, &edit.writes().unwrap());
    let hive = Hive::open(&file).unwrap();
    assert_eq!(
        hive.value(description, "Type").unwrap(),
        Some(RegistryValue::Dword(0x1234_5678))
    );
    assert_eq!(walk(&hive).unwrap(), walk(&Hive::open(&before).unwrap()).unwrap());

    let Some(mut before) = system() else { return };
    // As Windows leaves it after loading.
    base_block::patch(&mut before, &[(base_block::SECONDARY_SEQUENCE, 4317)]);
    let options = "ControlSet001\\Control\\ProductOptions";
    let mut edit = HiveEdit::begin(&before, &[]).unwrap();
    let key = edit.hive().key(options).unwrap().unwrap();
    let policy = key.value("ProductPolicy").unwrap().unwrap();
    assert_eq!(policy.data_ranges().unwrap().len(), 4);
    let new = new_data(&policy.data().unwrap());
    edit.overwrite(options, "ProductPolicy", &new).unwrap();
    let writes = edit.writes().unwrap();
    assert_eq!(writes.len(), 4);
    let mut file = before.clone();
    apply(&mut file, &writes);
    let hive = Hive::open(&file).unwrap();
    assert!(hive.value(options, "ProductPolicy").unwrap() == Some(RegistryValue::Binary(new)));
    assert_eq!(walk(&hive).unwrap(), walk(&Hive::open(&before).unwrap()).unwrap());
}

#[test]
fn what_is_no_edit_writes_nothing() {
    let Some(before) = bcd() else { return };
    let mut edit = HiveEdit::begin(&before, &[]).unwrap();
    assert_eq!(edit.writes().unwrap(), []);
    let Some(RegistryValue::Binary(old)) = edit.hive().value(RAMDISK, "Element").unwrap() else {
        panic!("no binary value")
    };
    edit.overwrite(RAMDISK, "Element", &old).unwrap();
    assert_eq!(edit.writes().unwrap(), []);
    let twice = edit.overwrite(RAMDISK, "Element", &new_data(&old)).unwrap_err();
    assert!(matches!(twice, HiveEditError::Overlap { .. }), "{twice}");
    let short = edit.overwrite(RAMDISK, "Element", &old[1..]).unwrap_err();
    assert!(
        matches!(
            short,
            HiveEditError::Length {
                expected: 200,
                actual: 199,
                ..
            }
        ),
        "{short}"
    );
    for (path, name) in [("Objects\\none", "Element"), (RAMDISK, "none")] {
        let error = edit.overwrite(path, name, &[]).unwrap_err();
        assert!(matches!(error, HiveEditError::NoSuchValue { .. }), "{error}");
    }
}

#[test]
fn a_dirty_hive_is_refused() {
    let Some(bytes) = system() else { return };
    let error = HiveEdit::begin(&bytes, &[]).unwrap_err();
    let HiveEditError::Dirty {
        primary: 4317,
        secondary: 4316,
        logs_apply: false,
    } = error
    else {
        panic!("{error}")
    };
}
