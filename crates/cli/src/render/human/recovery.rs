//! Windows, its recovery environment, and the space rules with their sums.

use super::page::{GUTTER, MARGIN, Page, Span, Tone, mark};
use winrefit_repair::explain::size;
use winrefit_repair::report::{RecoveryReport, Report, RuleReport, WindowsReport};

/// How much is said about the space rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// The sums, and what the rules are for.
    Explained,
    /// The sums.
    Sums,
}

/// Windows, WinRE, rules.
pub fn section(page: &mut Page, report: &Report, rules: Rules) {
    for windows in &report.windows {
        page.entry("Windows", &windows_line(windows));
    }
    if let Some(recovery) = &report.recovery {
        page.entry("WinRE", &state_line(recovery));
        image(page, recovery);
        for (index, rule) in recovery.rules.iter().enumerate() {
            let name = if index == 0 { "Space" } else { "" };
            space_rule(page, name, rule, rules);
        }
    } else {
        for windows in &report.windows {
            page.entry("WinRE", &elsewhere_line(windows));
        }
    }
    page.blank();
}

fn windows_line(windows: &WindowsReport) -> String {
    let product = windows
        .product
        .as_deref()
        .unwrap_or("a Windows of unknown product");
    let mut line = product.to_owned();
    if let Some(version) = &windows.display_version {
        line.push_str(&format!(" {version}"));
    }
    if let Some(build) = &windows.build {
        line.push_str(&format!(", build {build}"));
    }
    line.push_str(&format!(", on partition {}", windows.partition));
    line
}

/// WinRE of a Windows that has no recovery partition.
fn elsewhere_line(windows: &WindowsReport) -> String {
    match (windows.recovery_enabled, windows.recovery_partition) {
        (Some(true), Some(number)) if number == windows.partition => {
            format!("enabled, on partition {number} beside Windows itself")
        }
        (Some(true), Some(number)) => format!("enabled, on partition {number}"),
        (Some(true), None) => "enabled, on no partition of this disk".into(),
        (Some(false), _) => "disabled".into(),
        (None, _) => "unknown".into(),
    }
}

fn state_line(recovery: &RecoveryReport) -> String {
    let state = match recovery.enabled {
        Some(true) => "enabled, on partition",
        Some(false) => "disabled; recovery partition",
        None => "no Windows refers to partition",
    };
    let free = recovery
        .free_bytes
        .map_or_else(String::new, |free| format!(", {} of it free", size(free)));
    format!(
        "{state} {} of {}{free}",
        recovery.partition,
        size(recovery.size_bytes)
    )
}

fn image(page: &mut Page, recovery: &RecoveryReport) {
    let Some(image) = &recovery.image else { return };
    let mut parts = Vec::new();
    if let Some(version) = &image.version {
        parts.push(format!("image {version}"));
    }
    parts.extend(image.architecture.clone());
    parts.push(size(image.size_bytes));
    parts.push(image.path.clone());
    page.entry("", &parts.join(", "));
}

fn space_rule(page: &mut Page, name: &str, rule: &RuleReport, rules: Rules) {
    let words = if rule.met { "met" } else { "not met" };
    page.marked_entry(
        name,
        mark(rule.met),
        &format!("{} {words}: {}", rule.code, rule.arithmetic),
    );
    if rules == Rules::Explained {
        page.paragraph(MARGIN + GUTTER + 2, rule.rule, Tone::Quiet);
    }
}

/// The two marks in one line each, without the sums: for the demo.
pub fn rules_in_short(page: &mut Page, recovery: &RecoveryReport) {
    for rule in &recovery.rules {
        let text = format!("{}: {}", rule.code, rule.arithmetic);
        page.hanging(
            MARGIN,
            vec![mark(rule.met), Span::new(" ", Tone::Plain)],
            &text,
            Tone::Plain,
        );
    }
}
