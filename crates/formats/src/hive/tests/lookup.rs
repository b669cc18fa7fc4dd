//! Values by their path, all services of a real SYSTEM hive against hivexsh.

use super::*;
use crate::testing::printed;
use std::collections::BTreeMap;

#[test]
fn values_are_found_by_path_and_type() {
    let Some(bytes) = system() else { return };
    let hive = Hive::open(&bytes).unwrap();
    assert_eq!(
        hive.current_control_set().unwrap().as_deref(),
        Some("ControlSet001")
    );
    let bits = "controlset001\\SERVICES\\bits";
    assert_eq!(hive.dword(bits, "start").unwrap(), Some(2));
    assert_eq!(
        hive.string(bits, "ObjectName").unwrap().as_deref(),
        Some("LocalSystem")
    );
    let expanded = "%SystemRoot%\\System32\\svchost.exe -k netsvcs -p";
    assert_eq!(hive.string(bits, "ImagePath").unwrap().as_deref(), Some(expanded));
    assert_eq!(
        hive.strings(bits, "DependOnService").unwrap(),
        Some(vec!["RpcSs".to_string()])
    );
    // Of another type, of another name, in another key.
    assert_eq!(hive.dword(bits, "ObjectName").unwrap(), None);
    assert_eq!(
        (
            hive.string(bits, "Start").unwrap(),
            hive.strings(bits, "ImagePath").unwrap()
        ),
        (None, None)
    );
    assert_eq!(hive.dword(bits, "Stop").unwrap(), None);
    assert_eq!(
        hive.dword("ControlSet001\\Services\\BITS2", "Start").unwrap(),
        None
    );
    assert!(hive.has_key(bits).unwrap() && hive.has_key("").unwrap());
    assert!(
        !hive.has_key("CurrentControlSet").unwrap()
            && !hive.has_key("ControlSet001\\Services\\BITS2").unwrap()
    );
}

#[test]
fn subkeys_are_listed_up_to_a_limit() {
    let Some(bytes) = system() else { return };
    let hive = Hive::open(&bytes).unwrap();
    let list = |limit| hive.subkeys("ControlSet001\\Services", limit).unwrap().unwrap();
    let all = list(usize::MAX);
    assert!(!all.truncated && all.keys.len() > 600);
    for (limit, truncated) in [
        (0, true),
        (3, true),
        (all.keys.len() - 1, true),
        (all.keys.len(), false),
    ] {
        let some = list(limit);
        assert_eq!((some.keys.len(), some.truncated), (limit, truncated));
        assert!(
            some.keys
                .iter()
                .zip(&all.keys)
                .all(|(one, other)| one.name() == other.name())
        );
    }
    assert!(hive.subkeys("ControlSet001\\Nothing", 1).unwrap().is_none());
}

/// A key's values as hivexsh shows them, those of the types that a diagnosis asks for.
fn shown(key: &Key<'_>) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    for value in key.values().unwrap() {
        let value = value.unwrap();
        let text = match value.decode().unwrap() {
            RegistryValue::Dword(number) => format!("dword:{number:08x}"),
            RegistryValue::MultiString(texts) => {
                let units = texts
                    .iter()
                    .flat_map(|text| text.encode_utf16().chain([0]))
                    .chain([0]);
                let bytes: Vec<String> = units
                    .flat_map(u16::to_le_bytes)
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                format!("hex(7):{}", bytes.join(","))
            }
            RegistryValue::String(text) if value.kind() == 1 => {
                let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
                // One has a line end in it.
                quoted.lines().next().unwrap_or_default().to_string()
            }
            _ => continue,
        };
        shown.insert(value.name().to_string(), text);
    }
    shown
}

#[test]
fn all_services_are_read_as_hivexsh_reads_them() {
    let Some(bytes) = system() else { return };
    let hive = Hive::open(&bytes).unwrap();
    let services = hive
        .subkeys("ControlSet001\\Services", 10_000)
        .unwrap()
        .unwrap()
        .keys;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    // A single value shows without its name, and so ends each key's.
    let commands: String = services
        .iter()
        .map(|key| {
            format!(
                "cd \\ControlSet001\\Services\\{}\nlsval\ncd \\Select\nlsval Current\n",
                key.name()
            )
        })
        .collect();
    let Some(output) = printed("hivexsh", &[file.path().to_str().unwrap()], &commands) else {
        return;
    };
    let lines: Vec<&str> = output.lines().collect();
    let blocks: Vec<&[&str]> = lines.split(|line| *line == "1").collect();
    assert_eq!(blocks.len(), services.len() + 1);
    let (mut starts, mut multi) = (0, 0);
    for (key, block) in services.iter().zip(blocks) {
        let ours = shown(key);
        let theirs: BTreeMap<String, String> = block
            .iter()
            .filter_map(|line| line.strip_prefix('"')?.split_once("\"="))
            .map(|(name, text)| (name.to_string(), text.to_string()))
            .filter(|(_, text)| {
                ["dword:", "hex(7):", "\""]
                    .iter()
                    .any(|kind| text.starts_with(kind))
            })
            .collect();
        // Some strings end with more zeros than they need.
        let bare = |values: &BTreeMap<String, String>| -> Vec<(String, String)> {
            let pairs = values
                .iter()
                .map(|(name, text)| (name.clone(), text.trim_end_matches(",00").to_string()));
            pairs.collect()
        };
        assert_eq!(bare(&ours), bare(&theirs), "{}", key.name());
        starts += usize::from(ours.contains_key("Start"));
        multi += usize::from(ours.contains_key("DependOnService"));
    }
    assert!(starts > 600 && multi > 200, "{starts} {multi}");
}
