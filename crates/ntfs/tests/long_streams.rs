//! Streams with so many runs that a reader does not go through them one by one.
#![allow(clippy::unwrap_used)]

use winrefit_disk::ReadAt;
use winrefit_ntfs::attribute::StreamSizes;
use winrefit_ntfs::file::{Stream, StreamBody};
use winrefit_ntfs::runs::{Run, RunList};
use winrefit_ntfs::{AttributeType, Geometry, Lcn, RecordNumber};

const CLUSTER: u64 = 512;

fn geometry(clusters: u64) -> Geometry {
    Geometry {
        sector_size: 512,
        cluster_size: CLUSTER as u32,
        record_size: 1024,
        index_block_size: 4096,
        total_sectors: clusters,
    }
}

/// xorshift64.
fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

#[test]
fn every_byte_of_a_long_run_list_is_where_it_should_be() {
    let clusters = 9000u64;
    let volume: Vec<u8> = (0..clusters * CLUSTER)
        .map(|at| (at / 3 + at / 1000) as u8)
        .collect();
    let mut seed = 0x1234_5678_9ABC_DEF1;
    for count in [1, 255, 256, 257, 512, 3000] {
        let (mut runs, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let length = 1 + next(&mut seed) % 3;
            let lcn = (!next(&mut seed).is_multiple_of(5)).then(|| next(&mut seed) % (clusters - 3));
            let place = lcn.map(|lcn| (lcn * CLUSTER) as usize);
            let bytes = (length * CLUSTER) as usize;
            expected.extend(place.map_or(vec![0; bytes], |at| volume[at..at + bytes].to_vec()));
            runs.push(Run {
                lcn: lcn.map(Lcn),
                clusters: length,
            });
        }
        // The last bytes are allocated and not part of the data; some before them were never written.
        let allocated = expected.len() as u64;
        let (data, initialized) = (allocated - 100, allocated - 400);
        expected.truncate(data as usize);
        expected[initialized as usize..].fill(0);
        let sizes = StreamSizes {
            allocated,
            data,
            initialized,
        };
        let stream = Stream {
            record: RecordNumber(30),
            type_code: AttributeType::DATA,
            flags: 0,
            body: StreamBody::NonResident {
                runs: RunList(runs),
                sizes,
            },
        };
        let reader = stream.reader(&volume, geometry(clusters)).unwrap();
        assert!(
            reader.read_vec(0, data as usize).unwrap() == expected,
            "{count} runs"
        );
        for _ in 0..2000 {
            let at = next(&mut seed) % data;
            let length = (next(&mut seed) % 2500).min(data - at) as usize;
            let found = reader.read_vec(at, length).unwrap();
            assert!(
                found == expected[at as usize..at as usize + length],
                "{count} runs, {at}"
            );
        }
        assert!(reader.read_vec(data, 0).unwrap().is_empty());
        assert!(reader.read_vec(data, 1).is_err() && reader.read_vec(u64::MAX, 1).is_err());
    }
}
