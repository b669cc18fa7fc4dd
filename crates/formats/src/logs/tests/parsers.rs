//! What each parser makes of its log.

use super::*;
use crate::bytes::utf16_bytes;

#[test]
fn lines_are_taken_apart() {
    let text = "2023-02-17 10:05:35, Info                         [ReAgentc.exe]  find OS partition\r\n\
                2023-02-17 10:05:36, Warning                      [SetupPlatform.exe] a ] b\n\
                2021-06-15 15:14:07, Error                 CBS    Failed to pin [HRESULT = 0x800f0831]\n\
                2021-06-15 15:14:07, Perf                  A sentence  without a tag\n\
                2021-06-15 15:14:07, Info\n\
                \x20   a further line\n\
                2021-13-15 15:14:07, Info  CBS  no such month\n\
                2021-06-15T15:14:07, Info  CBS  another form\n";
    let tail = tail(text);
    let lines: Vec<_> = tail.lines().collect();
    let parsed: Vec<_> = lines.iter().filter_map(LogLine::parse).collect();
    let fields: Vec<_> = parsed
        .iter()
        .map(|line| (line.level, line.tag, line.text))
        .collect();
    assert_eq!(
        fields,
        [
            (Level::Info, "ReAgentc.exe", "find OS partition"),
            (Level::Warning, "SetupPlatform.exe", "a ] b"),
            (Level::Error, "CBS", "Failed to pin [HRESULT = 0x800f0831]"),
            (Level::Other, "", "A sentence  without a tag"),
            (Level::Info, "", ""),
        ]
    );
    assert_eq!(
        (parsed[0].time, parsed[1].time),
        (at("2023-02-17 10:05:35"), at("2023-02-17 10:05:36"))
    );
    assert!(parsed[2].time < parsed[0].time);
    assert_eq!(parsed[0].time.to_string(), "2023-02-17 10:05:35");
    let begin = parsed[2].offset as usize;
    assert!(text[begin..].starts_with("2021-06-15 15:14:07, Error"));
}

const AGENT: &str = "\
2024-01-10 08:00:00, Info                         [ReAgentc.exe] -----Exiting command line: reagentc /info, Error: 0-----
2024-01-10 09:00:00, Info                         [ReAgentc.exe] ------------------------------------------------------
2024-01-10 09:00:00, Info                         [ReAgentc.exe] -----Executing command line: reagentc  /enable-----
2024-01-10 09:00:00, Info                         [ReAgentc.exe] Enter WinReInstall
2024-01-10 09:00:01, Info                         [ReAgentc.exe]  Checking partition at offset 1023135449088, partition number: 4
2024-01-10 09:00:01, Info                         [ReAgentc.exe] MeetPartitionRequirements Partition details: {Offset: 1023135449088, Free space: 105489612, Total space: 1073737728}
2024-01-10 09:00:01, Info                         [ReAgentc.exe] MeetPartitionRequirements WinRE WIM size: 822021945
2024-01-10 09:00:01, Info                         [ReAgentc.exe] MeetPartitionRequirements Required free space: 876547897
2024-01-10 09:00:01, Warning                      [ReAgentc.exe] MeetPartitionRequirements Partition has bitlocker, offset = 1023135449088\x20
2024-01-10 09:00:01, Info                         [ReAgentc.exe]  skip partition because it does not meet WinRE requirements
2024-01-10 09:00:02, Info                         [ReAgentc.exe] MeetPartitionRequirements Partition details: {Offset: 1048576, Free space: 1, Total space: 2}
2024-01-10 09:00:02, Warning                      [ReAgentc.exe] MeetPartitionRequirements Not enough total space: required 876547897, actual 2
2024-01-10 09:00:03, Error                        [ReAgentc.exe] No suitable partition could be found for installing WinRE
2024-01-10 09:00:03, Info                         [ReAgentc.exe] -----Exiting command line: reagentc  /enable, Error: 70-----
2024-01-11 09:00:00, Info                         [ReAgentc.exe] -----Executing command line: reagentc /info-----
";

#[test]
fn calls_of_the_agent_have_their_results() {
    let log = AgentLog::parse(&tail(AGENT));
    let calls: Vec<_> = log
        .commands
        .iter()
        .map(|call| (call.command.as_str(), call.error.as_deref()))
        .collect();
    assert_eq!(
        calls,
        [
            ("reagentc /info", Some("0")),
            ("reagentc  /enable", Some("70")),
            ("reagentc /info", None)
        ]
    );
    let times: Vec<_> = log
        .commands
        .iter()
        .map(|call| (call.started, call.ended))
        .collect();
    assert_eq!(times[0], (None, Some(at("2024-01-10 08:00:00"))));
    assert_eq!(
        times[1],
        (Some(at("2024-01-10 09:00:00")), Some(at("2024-01-10 09:00:03")))
    );
    assert_eq!(times[2], (Some(at("2024-01-11 09:00:00")), None));
    assert_eq!(
        (
            log.no_suitable_partition.count,
            log.bitlocker.count,
            log.truncated
        ),
        (1, 1, false)
    );
    let cited = log.no_suitable_partition.last.unwrap();
    assert_eq!(cited.time, Some(at("2024-01-10 09:00:03")));
    assert!(
        cited
            .line
            .ends_with("No suitable partition could be found for installing WinRE")
    );
    assert!(AGENT[cited.offset as usize..].starts_with(&cited.line));
}

#[test]
fn what_partitions_had_and_needed_is_put_together() {
    let found = AgentLog::parse(&tail(AGENT)).requirements;
    assert_eq!(found.len(), 2);
    let first = &found[0];
    assert_eq!(first.partition_offset, Some(1_023_135_449_088));
    assert_eq!(
        (first.free, first.total),
        (Some(105_489_612), Some(1_073_737_728))
    );
    assert_eq!(
        (first.wim, first.required),
        (Some(822_021_945), Some(876_547_897))
    );
    assert_eq!(
        (first.shortage, first.has_bitlocker, first.available),
        (None, true, None)
    );
    assert_eq!(
        (first.tag.as_str(), first.time),
        ("ReAgentc.exe", at("2024-01-10 09:00:01"))
    );
    assert!(first.last_line.line.contains("bitlocker"));
    let second = &found[1];
    assert_eq!(
        (second.partition_offset, second.shortage),
        (Some(1_048_576), Some(Shortage::Total))
    );
    assert_eq!((second.required, second.available), (Some(876_547_897), Some(2)));
    assert!(!second.has_bitlocker);
}

#[test]
fn setup_words_it_in_other_ways() {
    for line in [
        "MeetPartitionRequirements Not enough free space req = 610744977, avail = 301125632",
        "MeetPartitionRequirements Not enough free space: req = 610,744,977   avail = 301,125,632 (error 0x70)",
        "MeetPartitionRequirements: Not enough free space on the partition. Required: 610744977 Available: 301125632",
    ] {
        let log = format!("2024-01-10 09:00:00, Warning       [SetupPlatform.exe] {line}\n");
        let found = partition_requirements(&tail(&log));
        assert_eq!(found.len(), 1, "{line}");
        assert_eq!(
            (found[0].required, found[0].available),
            (Some(610_744_977), Some(301_125_632)),
            "{line}"
        );
        assert_eq!((found[0].shortage, found[0].free), (Some(Shortage::Free), None));
        assert_eq!(found[0].last_line.line, log.trim_end());
    }
    // The same partition at another time is another examination, and so is one after other lines.
    let line = "2024-01-10 09:00:00, Info [setup.exe] MeetPartitionRequirements WinRE WIM size: 5\n";
    let other = "2024-01-10 09:00:00, Info [setup.exe] something else\n";
    assert_eq!(
        partition_requirements(&tail(&[line, &other.repeat(8), line].concat())).len(),
        1
    );
    assert_eq!(
        partition_requirements(&tail(&[line, &other.repeat(9), line].concat())).len(),
        2
    );
    // Numbers too large for any disk are none.
    let huge = "2024-01-10 09:00:00, Info [x] MeetPartitionRequirements req = 99999999999999999999\n";
    assert_eq!(partition_requirements(&tail(huge))[0].required, None);
}

#[test]
fn only_the_newest_results_are_kept() {
    let line = |number: usize| {
        format!(
            "2024-01-10 09:00:00, Info [x] MeetPartitionRequirements WinRE WIM size: {number}\n\
             2024-01-10 09:00:00, Info [x] -----Executing command line: reagentc {number}-----\n"
        )
    };
    let log = AgentLog::parse(&tail(&(0..1000).map(line).collect::<String>()));
    assert_eq!(
        (log.requirements.len(), log.commands.len()),
        (RESULTS_MAX, RESULTS_MAX)
    );
    assert_eq!(log.requirements[0].wim, Some(1000 - RESULTS_MAX as u64));
    assert_eq!(log.commands[RESULTS_MAX - 1].command, "reagentc 999");
}

#[test]
fn codes_in_a_servicing_log_are_counted() {
    let log = "\
2024-01-10 03:00:00, Info                  CBS    Store space ok, HRESULT = 0x00000000\n\
2024-01-10 03:20:00, Error                 CBS    Failed to stage [HRESULT = 0x800F0922 - CBS_E_INSTALLERS_FAILED]\n\
2024-01-10 03:21:00, Info                  CBS    0x800f0922 and again 0x800f0922, 0x80070070\n\
2024-01-10 03:22:00, Info                  CBS    0x800f09221 0x800f092 0x8 800f0922\n\
\x20   a further line with 0x800f0922\n";
    let seen = hresults(&tail(log), &HRESULTS_OF_UPDATES);
    let counts: Vec<_> = seen.iter().map(|seen| (seen.code, seen.lines.count)).collect();
    assert_eq!(counts, [(0x800f_0922, 3), (0x8007_0070, 1)]);
    let first = seen[0].lines.first.as_ref().unwrap();
    assert_eq!(first.time, Some(at("2024-01-10 03:20:00")));
    let last = seen[0].lines.last.as_ref().unwrap();
    assert_eq!(
        (last.time, last.line.trim()),
        (None, "a further line with 0x800f0922")
    );
    assert!(log[last.offset as usize..].starts_with("    a further"));
}

#[test]
fn the_history_of_updates_is_read() {
    let failed = "{7C5FDB33-0000-0000-0000-000000000001}\t2024-01-10 03:21:11:123+0100\t1\t182 [AGENT_INSTALLATION_FAILED]\t101\t\
        {8EE3D0EF-5511-453A-B9DD-00AFFED0477E}\t200\t80070643\tUpdateOrchestrator\tFailure\tContent Install\t\
        Installationsfehler: Fehler 0x80070643: 2024-01 Sicherheitsupdate f\u{fc}r Windows 10 (KB5034441).\r\n";
    let good = "{7C5FDB33-0000-0000-0000-000000000002}\t2024-01-11 03:21:11:123-0430\t1\t183 [AGENT_INSTALLATION_SUCCEEDED]\t101\t\
        {8EE3D0EF-5511-453A-B9DD-00AFFED0477E}\t200\t0\tUpdateOrchestrator\tSuccess\tContent Install\tGood (KB5034122).\r\n";
    let short = "{7C5FDB33-0000-0000-0000-000000000003}\t2024-01-12 03:21:11:123\t1\t147 [AGENT_DETECTION_FINISHED]\r\n";
    let text = format!("\u{feff}{failed}{good}{short}no line\tof\tthis\tlog\r\n");
    for bytes in [text.clone().into_bytes(), utf16_bytes(&text)] {
        let tail = read_tail(&bytes, 1 << 20).unwrap();
        let reports = update_reports(&tail, |_| true);
        let heads: Vec<_> = reports
            .iter()
            .map(|report| (report.event_id, report.hresult))
            .collect();
        assert_eq!(heads, [(182, Some(0x8007_0643)), (183, Some(0)), (147, None)]);
        let first = &reports[0];
        assert_eq!(
            (first.time, first.utc_offset_minutes),
            (at("2024-01-10 03:21:11"), Some(60))
        );
        assert_eq!(
            (first.event_name.as_str(), first.category),
            ("AGENT_INSTALLATION_FAILED", Some(101))
        );
        assert_eq!(
            (first.caller.as_str(), first.status.as_str()),
            ("UpdateOrchestrator", "Failure")
        );
        assert_eq!(first.update, "{8EE3D0EF-5511-453A-B9DD-00AFFED0477E}");
        assert!(first.title.ends_with("f\u{fc}r Windows 10 (KB5034441)."));
        assert_eq!(first.kb_numbers, [5_034_441]);
        assert_eq!(
            (reports[1].utc_offset_minutes, reports[2].utc_offset_minutes),
            (Some(-270), None)
        );
        let failures = update_reports(&tail, |report| report.hresult.is_some_and(|code| code != 0));
        assert_eq!(failures, std::slice::from_ref(first));
    }
}

#[test]
fn the_state_of_a_servicing_is_read() {
    let text = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n\
        <WinREServicingManager Version='1'><ResetSession Staged=\"True\" Id='7'>\
        <Operations><CleanupScratch Path='C:\\$WinREAgent\\Scratch'/><Operation Type='Rollback'/><Other/></Operations>\
        </ResetSession></WinREServicingManager>";
    let utf16 = utf16_bytes(text);
    for bytes in [text.as_bytes(), &utf16] {
        let state = ServicingState::parse(bytes).unwrap();
        assert_eq!(
            (state.has_session, state.staged.as_deref(), state.is_staged()),
            (true, Some("True"), Some(true))
        );
        let names: Vec<_> = state
            .operations
            .iter()
            .map(|operation| operation.element.as_str())
            .collect();
        assert_eq!(names, ["CleanupScratch", "Operation", "Other"]);
        let attribute = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(state.operations[1].attributes, [attribute("Type", "Rollback")]);
    }
    let parse = |text: &str| ServicingState::parse(text.as_bytes());
    assert_eq!(parse("<a/>").unwrap(), ServicingState::default());
    assert_eq!(
        parse("<resetsession staged='0'/>").unwrap().is_staged(),
        Some(false)
    );
    assert_eq!(
        parse("<ResetSession Staged='perhaps'/>").unwrap().is_staged(),
        None
    );
    let many = format!("<Operations>{}</Operations>", "<a/>".repeat(1000));
    assert_eq!(parse(&many).unwrap().operations.len(), 64);
}

#[test]
fn a_state_that_cannot_be_read_is_refused() {
    let parse = |bytes: &[u8]| ServicingState::parse(bytes).unwrap_err();
    assert!(matches!(parse(b"<a"), ServicingError::Xml { .. }));
    assert!(matches!(
        parse(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        ServicingError::Xml { .. }
    ));
    assert!(matches!(
        parse("<a>".repeat(100_000).as_bytes()),
        ServicingError::Xml { .. }
    ));
    assert_eq!(parse(b"<a\xff/>"), ServicingError::Encoding);
    assert_eq!(parse(&[0xff, 0xfe, 0, 0xd8]), ServicingError::Encoding);
    let size_bytes = (1 << 20) + 1;
    assert_eq!(
        parse(&vec![b' '; size_bytes]),
        ServicingError::TooLarge { size_bytes }
    );
}
