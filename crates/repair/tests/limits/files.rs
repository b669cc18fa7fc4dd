//! ReAgent.xml and the image of the recovery environment.

use crate::common::disk_guid;
use crate::common::wim::winre;
use crate::disks::{Disk, REAGENT, bytes};
use crate::measure::{USUAL, all, alone};
use winrefit_ntfs::format::FileData;

/// Texts that are XML, or nearly, and are dear to parse.
fn texts(size: usize) -> Vec<(&'static str, String)> {
    let filled = |head: &str, piece: &str, tail: &str| {
        let count = (size - head.len() - tail.len()) / piece.len();
        format!("{head}{}{tail}", piece.repeat(count))
    };
    let root = "<WindowsRE version=\"2.0\">";
    let around: String = (0..30)
        .map(|level| format!("<e{level} {}>", spaces(level)))
        .collect();
    vec![
        ("nested", filled(root, "<a>", "")),
        ("one attribute", filled("<WindowsRE version=\"", "2", "\"/>")),
        (
            "entities",
            filled(
                "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]>",
                "&b;",
                "",
            ),
        ),
        (
            "attributes",
            filled(
                root,
                "<a b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m='' n=''/>",
                "</WindowsRE>",
            ),
        ),
        (
            "namespaces",
            filled(&format!("{root}{around}"), "<a xmlns:z=''/>", ""),
        ),
        ("comments", filled(root, "<!---->", "</WindowsRE>")),
        ("open quotes", filled("<WindowsRE a=\"", "<a b='", "")),
        ("references", filled(root, "&#x41;", "</WindowsRE>")),
    ]
}

/// Declarations of 60 namespaces.
fn spaces(level: usize) -> String {
    (0..60)
        .map(|at| format!("xmlns:n{level}_{at}='u'"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_reagent_xml_that_is_dear_to_parse() {
    let _alone = alone();
    for (name, text) in texts((1 << 20) - 1) {
        let disk = Disk::with(vec![bytes(REAGENT, text.into_bytes())]);
        all(
            &format!("ReAgent.xml of 1 MiB, {name}"),
            disk.build(),
            (USUAL, USUAL),
        );
    }
    let long = format!("<WindowsRE version=\"2.0\" a=\"{}\"/>", "b".repeat(10 << 20));
    let disk = Disk::with(vec![bytes(REAGENT, long.into_bytes())]);
    all("ReAgent.xml of 10 MiB", disk.build(), (USUAL, USUAL));
}

/// An image whose XML resource is this, or claims to have this length.
fn image(xml: &[u8], claimed: u64) -> FileData {
    let FileData::Zeroed { mut pieces, .. } = winre(1 << 20, vec![]) else {
        unreachable!("an image is mostly a hole");
    };
    let head = &mut pieces[0].1;
    // The XML resource's entry in the header: length with flags, offset, original length.
    let entry = 72;
    head[entry..entry + 8].copy_from_slice(&claimed.to_le_bytes());
    head[entry + 8..entry + 16].copy_from_slice(&(2u64 << 20).to_le_bytes());
    head[entry + 16..entry + 24].copy_from_slice(&claimed.to_le_bytes());
    let mut all = vec![(0, pieces.swap_remove(0).1)];
    all.push((2 << 20, xml.to_vec()));
    let size = (2 << 20) + claimed.clamp(xml.len() as u64, 5 << 30);
    FileData::Zeroed { size, pieces: all }
}

fn utf16(text: &str) -> Vec<u8> {
    let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn an_image_whose_description_is_dear_to_parse() {
    let _alone = alone();
    let disk = |image| Disk {
        image: Some(image),
        ..Disk::default()
    };
    for (name, text) in texts((2 << 20) - 1) {
        let xml = utf16(&text.replace("WindowsRE version=\"2.0\"", "WIM"));
        let image = image(&xml, xml.len() as u64);
        all(
            &format!("WIM with 4 MiB of XML, {name}"),
            disk(image).build(),
            (USUAL, USUAL),
        );
    }
    for claimed in [4 << 20, 16 << 20, 4u64 << 30, (1 << 56) - 2] {
        let large = Disk {
            mib: 8 << 10,
            border: 1 << 10,
            ..disk(image(&utf16("<WIM/>"), claimed))
        };
        all(
            &format!("WIM that claims {claimed} bytes of XML"),
            large.build(),
            (USUAL, USUAL),
        );
    }
}

/// An image of 6 GiB, and one with 500 images in it.
#[test]
fn large_images() {
    let _alone = alone();
    let disk = Disk {
        mib: 8 << 10,
        border: 1 << 10,
        image: Some(winre(6 << 30, vec![])),
        ..Disk::default()
    };
    let outcomes = all("WIM of 6 GiB", disk.build(), (USUAL, USUAL));
    assert!(outcomes.diagnose.is_ok() && outcomes.verify.is_ok());
    let one = |number: usize| {
        let version =
            "<VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>20348</BUILD><SPBUILD>587</SPBUILD></VERSION>";
        let windows = format!("<WINDOWS><ARCH>9</ARCH><PRODUCTNAME>Windows</PRODUCTNAME>{version}</WINDOWS>");
        format!(
            "<IMAGE INDEX=\"{number}\"><NAME>{}</NAME>{windows}</IMAGE>",
            disk_guid()
        )
    };
    let xml = utf16(&format!("<WIM>{}</WIM>", (1..=500).map(one).collect::<String>()));
    let mut image = image(&xml, xml.len() as u64);
    if let FileData::Zeroed { pieces, .. } = &mut image {
        pieces[0].1[44..48].copy_from_slice(&500u32.to_le_bytes());
    }
    let disk = Disk {
        image: Some(image),
        ..Disk::default()
    };
    let outcomes = all("WIM with 500 images", disk.build(), (USUAL, USUAL));
    assert!(outcomes.plan.is_ok());
}
