//! Our own files, judged by ourselves and by `wimlib-imagex`, and damaged ones.

use super::*;
use proptest::prelude::*;
use std::process::Command;

fn template(size_bytes: u64) -> WimTemplate {
    WimTemplate {
        guid: Guid::from_u128(0x1234_5678),
        name: "Microsoft Windows Recovery Environment (amd64) & <more>".to_owned(),
        version: version("10.0.20348.2201"),
        architecture: WimArchitecture::Amd64,
        size_bytes,
    }
}

fn version(text: &str) -> WimVersion {
    let parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap()).collect();
    WimVersion {
        major: parts[0],
        minor: parts[1],
        build: parts[2],
        sp_build: parts[3],
    }
}

fn file(skeleton: &WimSkeleton) -> Vec<u8> {
    let mut bytes = skeleton.head.clone();
    bytes.resize(skeleton.tail_offset() as usize, 0xa5);
    bytes.extend(&skeleton.tail);
    bytes
}

#[test]
fn what_is_written_reads_back() {
    for size_bytes in [0, 100_000] {
        let bytes = file(&template(size_bytes).build());
        assert!(size_bytes == 0 || bytes.len() as u64 == size_bytes);
        let wim = Wim::read(&bytes).unwrap();
        assert_eq!(wim.size_bytes, bytes.len() as u64);
        assert_eq!(wim.header.compression(), WimCompression::Lzx);
        assert_eq!((wim.header.image_count, wim.header.boot_index), (1, 1));
        assert_eq!(wim.header.guid, Guid::from_u128(0x1234_5678));
        let [image] = &wim.images[..] else {
            panic!("{:?}", wim.images)
        };
        assert_eq!(image.index, 1);
        assert_eq!(image.name, Some(template(0).name));
        assert_eq!(image.version().unwrap().to_string(), "10.0.20348.2201");
        assert_eq!(image.architecture, Some(WimArchitecture::Amd64));
        assert_eq!(image.installation_type.as_deref(), Some("WindowsPE"));
        assert_eq!(image.total_bytes, Some(0));
    }
}

#[test]
fn versions_are_ordered_as_numbers() {
    assert!(version("10.0.20348.900") < version("10.0.20348.2201"));
    assert!(version("10.0.9600.9999") < version("10.0.20348.1"));
    assert!(version("6.3.20348.1") < version("10.0.1.0"));
}

/// A file whose XML is `xml`, of `count` images according to the header.
fn with_xml(xml: &str, count: u32) -> Vec<u8> {
    let mut bytes = template(0).build().head;
    let text = crate::bytes::utf16_bytes(xml);
    let resource = WimResource {
        length: text.len() as u64,
        flags: RESOURCE_METADATA,
        offset: bytes.len() as u64,
        original_size: text.len() as u64,
    };
    bytes[44..48].copy_from_slice(&count.to_le_bytes());
    bytes[48..72].fill(0);
    bytes[72..96].copy_from_slice(&resource.to_bytes());
    bytes.extend(text);
    bytes
}

#[test]
fn several_images_and_missing_elements_are_told() {
    let xml = "<WIM><TOTALBYTES>1</TOTALBYTES><IMAGE INDEX='1'/><IMAGE INDEX='2'><WINDOWS><VERSION><MAJOR>10\
        </MAJOR><MINOR>0</MINOR><BUILD>1</BUILD></VERSION><ARCH>7</ARCH></WINDOWS></IMAGE></WIM>";
    let wim = Wim::read(&with_xml(xml, 2)).unwrap();
    assert_eq!(
        (wim.images[0].version(), wim.images[0].name.as_ref()),
        (None, None)
    );
    assert_eq!(wim.images[1].version(), Some(version("10.0.1.0")));
    assert_eq!(wim.images[1].architecture, Some(WimArchitecture::Other(7)));
    let error = Wim::read(&with_xml(xml, 3)).unwrap_err();
    assert!(
        matches!(error, WimError::ImageCount { header: 3, xml: 2 }),
        "{error}"
    );
    let bad = xml.replace("<BUILD>1", "<BUILD>1a");
    let error = Wim::read(&with_xml(&bad, 2)).unwrap_err();
    assert!(
        matches!(
            error,
            WimError::NotANumber {
                image: 2,
                element: "BUILD",
                ..
            }
        ),
        "{error}"
    );
    let error = Wim::read(&with_xml("<WIM><IMAGE/></WIM>", 1)).unwrap_err();
    assert!(
        matches!(error, WimError::NotANumber { element: "INDEX", .. }),
        "{error}"
    );
}

#[test]
fn damage_is_named() {
    use WimError as E;
    let good = file(&template(10_000).build());
    let read = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        Wim::read(&bytes).unwrap_err()
    };
    assert!(matches!(
        read(&|b| b.truncate(207)),
        E::TooShort { size_bytes: 207 }
    ));
    assert!(matches!(read(&|b| b[0] = b'X'), E::Magic));
    assert!(matches!(read(&|b| b[8] = 0), E::HeaderSize { actual: 0 }));
    let xml = WimResourceKind::Xml;
    assert!(
        matches!(read(&|b| b.truncate(9_999)), E::ResourceOutOfBounds { resource, .. } if resource == xml)
    );
    assert!(
        matches!(read(&|b| b[80..88].fill(0xff)), E::ResourceOutOfBounds { resource, .. } if resource == xml)
    );
    assert!(matches!(
        read(&|b| b[79] |= RESOURCE_COMPRESSED),
        E::XmlResource { .. }
    ));
    assert!(matches!(
        read(&|b| b[72..96].fill(0)),
        E::XmlResource { length: 0, .. }
    ));
    assert!(matches!(read(&|b| b[9_001] = 0xd8), E::XmlText { .. }));
    assert!(matches!(read(&|b| b[9_998] = b'x'), E::Xml(_)));
    assert!(matches!(
        read(&|b| b[132..140].fill(0xff)),
        E::ResourceOutOfBounds { .. }
    ));
}

proptest! {
    #[test]
    fn no_damage_panics(at in 0usize..3000, value in any::<u8>()) {
        let mut bytes = file(&template(0).build());
        let at = at % bytes.len();
        bytes[at] = value;
        // Nearly every byte counts for something else; the point is that reading ends.
        if let Ok(wim) = Wim::read(&bytes) {
            prop_assert_eq!(wim.images.len(), 1);
        }
    }
}

#[test]
fn wimlib_accepts_our_file() {
    let path = tempfile::Builder::new().suffix(".wim").tempfile().unwrap();
    std::fs::write(path.path(), file(&template(5_000_000).build())).unwrap();
    let run = |verb: &str| Command::new("wimlib-imagex").arg(verb).arg(path.path()).output();
    let Ok(info) = run("info") else {
        eprintln!("SKIPPED: wimlib-imagex is not installed");
        return;
    };
    let text = String::from_utf8_lossy(&info.stdout);
    assert!(info.status.success(), "{info:?}");
    for expected in [
        "Image Count:    1",
        "Boot Index:     1",
        "Compression:    LZX",
        "Build:                  20348",
        "Service Pack Build:     2201",
        "Architecture:           x86_64",
        "Name:                   Microsoft Windows Recovery Environment (amd64) & <more>",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let verify = run("verify").unwrap();
    assert!(verify.status.success(), "{verify:?}");
}

#[test]
fn a_file_by_wimlib_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (source, path) = (
        directory.path().join("source"),
        directory.path().join("by-wimlib.wim"),
    );
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("file"), [b'x'; 5000]).unwrap();
    let run =
        |verb: &str, args: &[&std::ffi::OsStr]| Command::new("wimlib-imagex").arg(verb).args(args).output();
    let args = [
        source.as_os_str(),
        path.as_os_str(),
        "Named".as_ref(),
        "--compress=XPRESS".as_ref(),
    ];
    let Ok(captured) = run("capture", &args) else {
        eprintln!("SKIPPED: wimlib-imagex is not installed");
        return;
    };
    assert!(captured.status.success(), "{captured:?}");
    let properties = ["MAJOR=10", "MINOR=0", "BUILD=22621", "SPBUILD=4391"];
    let properties = properties.map(|p| format!("--image-property=WINDOWS/VERSION/{p}"));
    let mut args: Vec<&std::ffi::OsStr> = vec![path.as_os_str(), "1".as_ref()];
    args.extend(properties.iter().map(std::ffi::OsStr::new));
    let changed = run("info", &args).unwrap();
    assert!(changed.status.success(), "{changed:?}");
    let wim = Wim::read(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(wim.header.compression(), WimCompression::Xpress);
    assert_eq!(wim.images[0].name.as_deref(), Some("Named"));
    assert_eq!(wim.images[0].total_bytes, Some(5000));
    assert_eq!(wim.images[0].version(), Some(version("10.0.22621.4391")));
}
