//! Windows, its recovery environment, and the space rules with their sums.

use super::names::Name;
use super::page::{MARGIN, Page, Span, Tone, mark};
use winrefit_repair::report::{RecoveryReport, Report, RuleReport, WindowsReport};
use winrefit_repair::text;
use winrefit_repair::text::{Bytes, Text};

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
        page.entry(Some(Name::Windows), windows_line(windows));
    }
    if let Some(recovery) = &report.recovery {
        // Where no Windows refers to that partition, it is said which place they do refer to.
        let is_elsewhere =
            |w: &&WindowsReport| recovery.enabled.is_none() && w.recovery_enabled == Some(true);
        let mut name = Some(Name::WinRe);
        for windows in report.windows.iter().filter(is_elsewhere) {
            page.entry(name.take(), elsewhere_line(windows));
        }
        page.entry(name, state_line(recovery));
        image(page, recovery);
        for (index, rule) in recovery.rules.iter().enumerate() {
            space_rule(page, (index == 0).then_some(Name::Space), rule, rules);
        }
    } else {
        for windows in &report.windows {
            page.entry(Some(Name::WinRe), elsewhere_line(windows));
        }
    }
    page.blank();
}

fn windows_line(windows: &WindowsReport) -> Text {
    let product = match (&windows.product, &windows.display_version) {
        (Some(product), Some(version)) => Text::raw(format!("{product} {version}")),
        (Some(product), None) => Text::raw(product),
        (None, Some(version)) => text!("a Windows of unknown product, version {version}", version),
        (None, None) => text!("a Windows of unknown product"),
    };
    let build = windows.build.as_ref().map(|build| text!("build {build}", build));
    let place = text!("on partition {number}", number = windows.partition);
    Text::listed([product].into_iter().chain(build).chain([place]))
}

/// WinRE of a Windows that has no recovery partition.
fn elsewhere_line(windows: &WindowsReport) -> Text {
    match (windows.recovery_enabled, windows.recovery_partition) {
        (Some(true), Some(number)) if number == windows.partition => {
            text!("enabled, on partition {number} beside Windows itself", number)
        }
        (Some(true), Some(number)) => text!("enabled, on partition {number}", number),
        (Some(true), None) => text!("enabled, on no partition of this disk"),
        (Some(false), _) => text!("disabled"),
        (None, _) => text!("unknown"),
    }
}

fn state_line(recovery: &RecoveryReport) -> Text {
    let (number, size) = (recovery.partition, Bytes(recovery.size_bytes));
    let state = match recovery.enabled {
        Some(true) => text!("enabled, on partition {number} of {size}", number, size),
        Some(false) => text!("disabled; recovery partition {number} of {size}", number, size),
        None => text!("no Windows refers to partition {number} of {size}", number, size),
    };
    let free = recovery.free_bytes.map(Bytes);
    let free = free.map(|free| text!("{free} of it free", free));
    Text::listed([state].into_iter().chain(free))
}

fn image(page: &mut Page, recovery: &RecoveryReport) {
    let Some(image) = &recovery.image else { return };
    let version = image.version.as_ref();
    let version = version.map(|version| text!("image {version}", version));
    let architecture = image.architecture.as_ref().map(Text::raw);
    let rest = [Bytes(image.size_bytes).into(), Text::raw(&image.path)];
    page.entry(
        None,
        Text::listed(version.into_iter().chain(architecture).chain(rest)),
    );
}

fn space_rule(page: &mut Page, name: Option<Name>, rule: &RuleReport, rules: Rules) {
    let sum = if rule.met {
        text!("{rule} met: {sum}", rule = rule.name(), sum = &rule.arithmetic)
    } else {
        text!(
            "{rule} not met: {sum}",
            rule = rule.name(),
            sum = &rule.arithmetic
        )
    };
    page.marked_entry(name, mark(rule.met), sum);
    if rules == Rules::Explained {
        page.paragraph(MARGIN + page.gutter() + 2, &rule.rule, Tone::Quiet);
    }
}

/// The two marks in one line each, without the sums: for the demo.
pub fn rules_in_short(page: &mut Page, recovery: &RecoveryReport) {
    for rule in &recovery.rules {
        page.hanging(
            MARGIN,
            vec![mark(rule.met), Span::new(" ", Tone::Plain)],
            rule.named_arithmetic(),
            Tone::Plain,
        );
    }
}
