//! Whether WinRE can be reached, and is what it was, by other people's tools only.

use crate::common::disks::Kind;
use crate::content::REAGENT;
use crate::counts::Bench;
use crate::recipe::{Recipe, Wish};
use crate::tables::Dump;
use crate::volume::image::Image;
use crate::volume::tools::{oracle, run};
use std::process::Command;

/// The boot manager's object.
const MANAGER: &str = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}";

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaints}");
    output.stdout
}

/// A file of a volume.
pub fn content(image: &Image, path: &str) -> Option<Vec<u8>> {
    let path = path.replace('\\', "/");
    Some(output(oracle("ntfscat")?.args(["-f", image.path(), &path])))
}

/// The image on the new volume is the one it was; wimlib reads it.
pub fn judge_image(bench: &Bench<'_>, old: &[u8], new: &Image, path: &str) {
    let Some(bytes) = content(new, path) else { return };
    assert!(bytes == old, "the image has changed");
    bench.judged("ntfscat: same Winre.wim");
    let file = new.directory().join("winre.wim");
    std::fs::write(&file, bytes).unwrap();
    if let Some(mut wimlib) = oracle("wimlib-imagex") {
        let printed = run(wimlib.arg("info").arg(&file));
        assert!(printed.contains("Windows Recovery Environment"), "{printed}");
        bench.judged("wimlib-imagex info");
    }
    std::fs::remove_file(file).unwrap();
}

/// ReAgent.xml of C: names disk and start of the recovery partition as sfdisk shows them.
pub fn judge_reagent(bench: &Bench<'_>, recipe: &Recipe, dump: &Dump, windows: &Image) {
    let Some(bytes) = content(windows, REAGENT) else {
        return;
    };
    let text = String::from_utf8(bytes).unwrap();
    let (_, rest) = text.split_once("<WinreLocation ").unwrap();
    let (location, _) = rest.split_once('>').unwrap();
    let value = |name: &str| {
        let (_, rest) = location.split_once(&format!("{name}=\"")).unwrap();
        rest.split_once('"').unwrap().0.to_lowercase()
    };
    let disk = &recipe.case.disk;
    let place = match recipe.wish {
        Wish::Create if !recipe.is_on_own_volume() => {
            assert_eq!(value("offset"), "0", "a new partition is enabled by Windows");
            return;
        }
        Wish::Create => disk.number_of(Kind::Windows).unwrap(),
        _ => disk.recovery(),
    };
    let start = dump.start(place) * disk.sector_size.bytes();
    assert_eq!(value("offset"), start.to_string(), "{location}");
    let id = match dump.id.strip_prefix("0x") {
        Some(signature) => u32::from_str_radix(signature, 16).unwrap().to_string(),
        None => value("guid").trim_matches(['{', '}']).to_owned(),
    };
    let due = if dump.id.starts_with("0x") {
        value("id")
    } else {
        dump.id.clone()
    };
    assert_eq!(id, due, "{location}");
    bench.judged("ntfscat and sfdisk: ReAgent.xml names the partition");
}

/// From the boot manager to the recovery loader, whose device has to name the partition where it is now. `name` is its
/// unique GUID, or its byte offset, as a store has it.
pub fn judge_store(bench: &Bench<'_>, store: &std::path::Path, name: &[u8]) {
    let get = |object: &str, element: &str| {
        let key = format!(r"\Objects\{object}\Elements\{element}");
        Some(output(oracle("hivexget")?.arg(store).args([&key, "Element"])))
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
    let Some(loader) = get(MANAGER, "23000003").map(text) else {
        return;
    };
    let recovery = text(get(&loader, "14000008").unwrap());
    for (element, what) in [("11000001", "device"), ("21000001", "system device")] {
        let device = get(&recovery, element).unwrap();
        let is_there = device.windows(name.len()).any(|part| part == name);
        assert!(is_there, "the {what} of the recovery loader: {device:x?}");
    }
    bench.judged("hivexget: the boot store names the partition");
}
