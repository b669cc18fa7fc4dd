//! The machine: each Windows with what its registry says, and the images of WinRE.

use super::markup::Html;
use super::parts::{Cell, Sign, fact, facts, row, subheading, table, value_fact, yes_or_no};
use super::recovery::image_words;
use super::words::number;
use winrefit_repair::report::{RegistryReport, Report, ServiceReport, WindowsReport};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Every Windows, then the images.
pub fn section(html: &mut Html, report: &Report) {
    for windows in &report.windows {
        one(html, windows);
    }
    images(html, report);
}

fn one(html: &mut Html, windows: &WindowsReport) {
    subheading(
        html,
        text!("Windows on partition {number}", number = windows.partition),
    );
    facts(html, |html| {
        value_fact(html, text!("Product"), windows.product.as_ref());
        value_fact(html, text!("Version"), windows.display_version.as_ref());
        value_fact(html, text!("Build"), windows.build.as_ref());
        fact(html, text!("WinRE enabled"), |html| {
            html.text(yes_or_no(windows.recovery_enabled))
        });
        if let Some(number) = windows.recovery_partition {
            fact(html, text!("WinRE lies on"), |html| {
                html.text(text!("partition {number}", number))
            });
        }
        if let Some(registry) = &windows.registry {
            registry_facts(html, registry);
        }
    });
    if let Some(registry) = &windows.registry {
        services(html, &registry.services);
    }
}

fn registry_facts(html: &mut Html, registry: &RegistryReport) {
    value_fact(html, text!("Computer"), registry.computer_name.as_ref());
    value_fact(html, text!("Edition"), registry.edition.as_ref());
    value_fact(
        html,
        text!("Kind of installation"),
        registry.installation_type.as_ref(),
    );
    value_fact(
        html,
        text!("WinRE version, as the registry claims"),
        registry.winre_version.as_ref(),
    );
    fact(html, text!("A restart is pending"), |html| {
        html.text(yes_or_no(Some(registry.restart_pending)))
    });
    value_fact(
        html,
        text!("State of Windows Setup"),
        registry.setup_state.as_ref(),
    );
    let listed = |all: &[String]| Text::listed(all.iter().map(Text::raw));
    value_fact(
        html,
        text!("Updates of WinRE installed"),
        Some(listed(&registry.winre_packages)),
    );
    value_fact(
        html,
        text!("Antivirus programs and optimisers"),
        Some(listed(&registry.programs)),
    );
    if registry.firewall.iter().any(Option::is_some) {
        fact(html, text!("Firewall"), |html| {
            let names = [
                text!("domain networks"),
                text!("private networks"),
                text!("public networks"),
            ];
            let all = names
                .into_iter()
                .zip(&registry.firewall)
                .map(|(network, state)| match state {
                    Some(true) => text!("on for {network}", network),
                    Some(false) => text!("off for {network}", network),
                    None => text!("unknown for {network}", network),
                });
            html.text(Text::listed(all));
        });
    }
}

/// The services that updates need, against what Windows sets.
fn services(html: &mut Html, services: &[ServiceReport]) {
    if services.is_empty() {
        return;
    }
    let columns = [
        ("", text!("State")),
        ("", text!("Service")),
        ("", text!("Start")),
        ("", text!("Windows sets")),
    ];
    table(html, text!("Services that updates need"), &columns, |html| {
        for service in services {
            let (sign, word) = match service.is_disabled {
                true => (Sign::Bad, text!("hinders updates")),
                false => (Sign::Good, text!("good")),
            };
            let name = text!("{title} ({name})", title = service.title, name = service.name);
            row(
                html,
                &[
                    ("", Cell::Chip(sign, word)),
                    ("", Cell::Words(name)),
                    ("", Cell::Value(&service.start)),
                    ("", Cell::Value(&service.default)),
                ],
            );
        }
    });
}

fn images(html: &mut Html, report: &Report) {
    let partitions = report.disk.iter().flat_map(|disk| &disk.partitions);
    let all: Vec<_> = partitions
        .flat_map(|partition| {
            partition
                .images
                .iter()
                .map(move |image| (partition.number, image))
        })
        .collect();
    if all.is_empty() {
        return;
    }
    subheading(html, text!("Images of WinRE on this disk"));
    let columns = [
        ("n", text!("Partition")),
        ("", text!("Path")),
        ("", text!("Image")),
        ("", text!("Changed last (UTC)")),
    ];
    table(html, text!("Images, in use or not"), &columns, |html| {
        for (partition, image) in all {
            let words = image_words(image);
            let modified = super::time::shown(image.modified.as_deref().unwrap_or_default());
            row(
                html,
                &[
                    ("n", Cell::Words(number(partition))),
                    ("code", Cell::Value(&image.path)),
                    ("", Cell::Value(&words)),
                    ("time", Cell::Value(&modified)),
                ],
            );
        }
    });
}
