//! Parsers of whole small files, which the input is.

use winrefit_formats::logs::{
    AgentLog, HRESULTS_OF_UPDATES, LogLine, ServicingState, hresults, partition_requirements, read_tail,
    update_reports,
};
use winrefit_formats::{BcdDevice, BcdPartition, Guid, ReAgent, Wim, kb_numbers, set_winre_offset};

/// ReAgent.xml: what can be read can be changed, and says nothing else afterwards.
pub fn reagent(data: &[u8]) {
    let read = ReAgent::parse(data);
    let Ok(changed) = set_winre_offset(data, 987_654_321_012) else {
        return;
    };
    let mut expected = read.expect("what was changed can be read");
    let again = ReAgent::parse(&changed).expect("what was written can be read");
    if let Some(location) = &mut expected.winre_location {
        location.offset = 987_654_321_012;
    }
    assert_eq!(again, expected);
}

/// The head of a WIM, its XML, and what that says of versions.
pub fn wim(data: &[u8]) {
    if let Ok(wim) = Wim::read(&data.to_vec()) {
        for image in &wim.images {
            let _ = (
                image.version().map(|version| version.to_string()),
                format!("{image:?}"),
            );
        }
        let _ = wim.header.compression();
    }
}

/// Every reader of text logs, from the end and from less than the whole.
pub fn logs(data: &[u8]) {
    let file = data.to_vec();
    for bytes_max in [1 << 20, 100] {
        let tail = read_tail(&file, bytes_max).expect("memory can be read");
        let _ = tail.encoding();
        let mut end = 0;
        for line in tail.lines() {
            assert!(line.offset >= end || end == 0, "lines are in order");
            assert!(line.offset < file.len() as u64, "lines are in the file");
            end = line.offset;
            let _ = LogLine::parse(&line);
        }
        let _ = AgentLog::parse(&tail);
        let _ = partition_requirements(&tail);
        let _ = hresults(&tail, &HRESULTS_OF_UPDATES);
        for report in update_reports(&tail, |_| true) {
            assert!(report.kb_numbers.len() <= report.title.len());
        }
    }
}

/// Windows' state of a servicing session (an XML of its own), as a file and as part of nothing.
pub fn servicing(data: &[u8]) {
    if let Ok(state) = ServicingState::parse(data) {
        let _ = state.is_staged();
    }
}

/// The table of updates, and numbers of updates in titles.
pub fn kb(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for number in kb_numbers(text) {
        assert!(number > 0);
    }
    let Ok(table) = toml::from_str::<winrefit_repair::kb::Table>(text) else {
        return;
    };
    for build in [19_045, 20_348, 26_100] {
        let _ = (
            table.has_winre_updates(build),
            table.newest_winre(build),
            table.for_build(build).count(),
        );
    }
    let _ = table.is_winre(&[5_034_441], text);
    let _ = table.open_in(winrefit_repair::kb::Version([10, 0, 20_348, 587]));
}

/// The value of a device element of a boot store: what names a partition can be made to name another.
pub fn bcd_device(data: &[u8]) {
    let device = BcdDevice::parse(data);
    assert_eq!(device.bytes(), data);
    let _ = (device.kind.confidence(), format!("{:?}", device.kind));
    let other = BcdPartition::Mbr {
        signature: 0x1234_5678,
        offset: 0x7777_0000,
    };
    let gpt = BcdPartition::Gpt {
        disk: Guid::from_u128(1),
        partition: Guid::from_u128(2),
    };
    for partition in named(&device.kind) {
        let to = if matches!(partition, BcdPartition::Mbr { .. }) {
            other
        } else {
            gpt
        };
        assert!(device.names(&partition));
        if let Some(bytes) = device.repointed(&partition, &to) {
            assert_eq!(bytes.len(), data.len());
            assert!(BcdDevice::parse(&bytes).names(&to));
        }
    }
}

fn named(kind: &winrefit_formats::bcd::DeviceKind) -> Vec<BcdPartition> {
    use winrefit_formats::bcd::DeviceKind;
    match kind {
        DeviceKind::Partition(partition) => vec![*partition],
        DeviceKind::Ramdisk { source, .. } | DeviceKind::File { source, .. } => named(source),
        DeviceKind::VirtualDisk { file, .. } => named(file),
        DeviceKind::Locate {
            parent: Some(parent), ..
        } => named(parent),
        _ => Vec::new(),
    }
}
