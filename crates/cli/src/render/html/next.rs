//! What to do next, in the order of its urgency. It gathers what the report says in several places.

use super::markup::Html;
use super::words::Say;
use crate::render::human::verdict::next_command;
use winrefit_repair::report::{FindingReport, Report, Severity, Verdict};
use winrefit_repair::text;

/// The list of what to do; one line where there is nothing.
pub fn section(html: &mut Html, report: &Report, options: &str) {
    let mut steps = Html::new("step");
    if report.refusal.is_none() {
        unfinished(&mut steps, report);
    }
    if let Some(refusal) = &report.refusal {
        step(
            &mut steps,
            &refusal.explained.title,
            &refusal.explained.next,
            None,
        );
    }
    let command = next_command(report, options);
    let mut findings = report.findings.iter().filter(|finding| is_step(finding));
    if let Some(command) = &command {
        // The sentence that explains the command is that of the finding which the verdict rests on.
        let first = findings.next().filter(|_| report.verdict == Verdict::NeedsRepair);
        match first {
            Some(finding) => step(
                &mut steps,
                &finding.explained.title,
                &finding.explained.next,
                Some(command),
            ),
            None => step(&mut steps, text!("Run the command"), "", Some(command)),
        }
    }
    if let (Some(plan), Verdict::Repaired) = (&report.plan, report.verdict) {
        for afterwards in &plan.afterwards {
            step(
                &mut steps,
                text!("In Windows, after the repair"),
                afterwards,
                None,
            );
        }
    }
    let mut said: Vec<String> = Vec::new();
    said.extend(
        report
            .refusal
            .iter()
            .map(|refusal| refusal.explained.next.to_string()),
    );
    if let (Some(plan), Verdict::Repaired) = (&report.plan, report.verdict) {
        said.extend(plan.afterwards.iter().map(ToString::to_string));
    }
    for finding in findings {
        // Several findings may be cured by one step.
        let next = finding.explained.next.to_string();
        if said.contains(&next) {
            continue;
        }
        said.push(next);
        step(
            &mut steps,
            &finding.explained.title,
            &finding.explained.next,
            None,
        );
    }
    if steps.is_empty() {
        html.paragraph("", text!("Nothing has to be done."));
    } else {
        html.element("ol", &[("class", "next-steps")], |html| html.append(steps));
    }
}

/// Notes are for the record, and what says nothing to do is no step.
fn is_step(finding: &FindingReport) -> bool {
    finding.severity != Severity::Note && !finding.explained.next.is_empty()
}

fn unfinished(html: &mut Html, report: &Report) {
    if let (Some(journal), Verdict::Unfinished) = (&report.journal, report.verdict) {
        step(
            html,
            text!("Finish the interrupted work first"),
            &journal.text,
            None,
        );
    }
}

fn step(html: &mut Html, title: impl Say, words: impl Say, command: Option<&str>) {
    html.element("li", &[], |html| {
        html.leaf("strong", "", title);
        html.paragraph("", words);
        if let Some(command) = command {
            html.element("pre", &[("class", "command")], |html| {
                html.leaf("code", "", command)
            });
        }
    });
}
