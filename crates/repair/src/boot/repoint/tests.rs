use super::*;
use winrefit_disk::{MemoryDevice, SectorSize};
use winrefit_ntfs::Lcn;
use winrefit_ntfs::format::{FileData, FormatOptions, VolumeBuilder};
use winrefit_ntfs::runs::Run;

fn range(start: u64, end: u64) -> ByteRange {
    ByteRange::new(start, end)
}

#[test]
fn bytes_over_borders_of_pieces_are_cut_there() {
    let ranges = [range(100, 104), range(50, 52), range(200, 210)];
    let pieces = |offset, bytes: &[u8]| on_volume(&ranges, offset, bytes).unwrap();
    assert_eq!(pieces(0, b"ab"), [(100, b"ab".to_vec())]);
    assert_eq!(
        pieces(3, b"abcd"),
        [(103, b"a".to_vec()), (50, b"bc".to_vec()), (200, b"d".to_vec())]
    );
    assert_eq!(pieces(15, b"z"), [(209, b"z".to_vec())]);
    for (offset, bytes) in [(15, &b"zz"[..]), (16, b"z"), (u64::MAX, b"z")] {
        let error = on_volume(&ranges, offset, bytes).unwrap_err();
        assert!(matches!(error, RepointError::OutOfFile { .. }), "{error}");
    }
}

/// What the places of a stream come to if `change` is done to a sound one of 10,000 bytes in three clusters.
fn places(change: impl FnOnce(&mut Stream)) -> Result<Vec<ByteRange>, RepointError> {
    let mut device = MemoryDevice::zeroed(16 << 20, SectorSize::B512);
    let mut builder = VolumeBuilder::new(FormatOptions::new((16 << 20) / 512)).unwrap();
    builder
        .add_file("BCD", 0, FileData::Bytes(vec![7; 10_000]))
        .unwrap();
    builder.write_to(&mut device).unwrap();
    let volume = Volume::open(&device as &dyn ReadAt).unwrap();
    assert_eq!(volume.geometry().cluster_size, 4096);
    let file = volume.lookup("BCD").unwrap().unwrap();
    let mut stream = file.require(AttributeType::DATA, "").unwrap();
    change(&mut stream);
    ntfs_ranges(&volume, stream)
}

fn set_runs(stream: &mut Stream, new: &[(Option<u64>, u64)]) {
    let StreamBody::NonResident { runs, .. } = &mut stream.body else {
        panic!()
    };
    runs.0 = new
        .iter()
        .map(|&(lcn, clusters)| Run {
            lcn: lcn.map(Lcn),
            clusters,
        })
        .collect();
}

#[test]
fn only_plain_bytes_in_clusters_have_places() {
    let good = places(|_| ()).unwrap();
    assert_eq!(good.iter().map(ByteRange::len).sum::<u64>(), 10_000);
    let pieces = places(|stream| set_runs(stream, &[(Some(500), 1), (Some(400), 2)])).unwrap();
    assert_eq!(
        pieces,
        [
            range(500 * 4096, 501 * 4096),
            range(400 * 4096, 400 * 4096 + 5904)
        ]
    );
    let how = |change: &dyn Fn(&mut Stream)| match places(change) {
        Err(RepointError::NotInPlace { how }) => how,
        other => panic!("{other:?}"),
    };
    assert_eq!(how(&|stream| stream.flags = 1), "compressed");
    assert_eq!(how(&|stream| stream.flags = FLAG_ENCRYPTED), "encrypted");
    assert_eq!(how(&|stream| stream.flags = FLAG_SPARSE), "sparse");
    assert_eq!(
        how(&|stream| set_runs(stream, &[(Some(500), 1), (None, 2)])),
        "sparse"
    );
    assert_eq!(
        how(&|stream| set_runs(stream, &[(Some(500), 2), (Some(501), 1)])),
        "in the same clusters twice"
    );
    assert_eq!(
        how(&|stream| set_runs(stream, &[(Some(500), 2)])),
        "longer than its clusters"
    );
    let sizes = |data, initialized| {
        move |stream: &mut Stream| {
            if let StreamBody::NonResident { sizes, .. } = &mut stream.body {
                (sizes.data, sizes.initialized) = (data, initialized);
            }
        }
    };
    assert_eq!(how(&sizes(10_000, 9_999)), "not written to its end");
    assert_eq!(how(&sizes(5 << 20, 5 << 20)), "larger than any boot store");
    assert!(matches!(
        places(|stream| set_runs(stream, &[(Some(1 << 30), 3)])),
        Err(RepointError::Ntfs(NtfsError::ClusterOutOfBounds { .. }))
    ));
}
