//! Contrast of the style sheet's colours, as WCAG 2.1 measures it: 4.5 for text, 3 for what is drawn.

use std::collections::BTreeMap;

const SHEET: &str = include_str!("../style.css");

/// What is read, and what it stands on.
const TEXT: [(&str, &str); 26] = [
    ("text", "page"),
    ("text", "card"),
    ("quiet", "page"),
    ("quiet", "card"),
    ("link", "page"),
    ("good", "page"),
    ("bad", "page"),
    ("caution", "page"),
    ("note", "page"),
    ("good", "good-tint"),
    ("bad", "bad-tint"),
    ("caution", "caution-tint"),
    ("text", "good-tint"),
    ("text", "bad-tint"),
    ("text", "caution-tint"),
    ("quiet", "good-tint"),
    ("quiet", "bad-tint"),
    ("quiet", "caution-tint"),
    ("text", "windows-tint"),
    ("text", "recovery-tint"),
    ("text", "system-tint"),
    ("text", "other-tint"),
    ("on-fill", "windows"),
    ("on-fill", "recovery"),
    ("on-fill", "system"),
    ("on-fill", "other"),
];

/// What is told apart, and from what.
const DRAWN: [(&str, &str); 7] = [
    ("windows", "free"),
    ("recovery", "free"),
    ("system", "free"),
    ("other", "free"),
    ("windows", "windows-tint"),
    ("recovery", "recovery-tint"),
    ("good", "free"),
];

/// Colours by name, of each `:root` in the sheet.
fn palettes() -> Vec<BTreeMap<&'static str, &'static str>> {
    let blocks = SHEET
        .split(":root {")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    let palettes = blocks.map(|(block, _)| {
        let declarations = block
            .split(';')
            .filter_map(|declaration| declaration.trim().split_once(": "));
        let colours = declarations.filter(|(name, value)| name.starts_with("--") && value.starts_with('#'));
        colours
            .map(|(name, value)| (name.trim_start_matches('-'), value))
            .collect()
    });
    palettes.collect()
}

/// Relative luminance of `#rrggbb`.
fn luminance(colour: &str) -> f64 {
    let part = |from: usize| {
        let value = f64::from(u8::from_str_radix(&colour[from..from + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn light_dark_and_paper_have_contrast_enough() {
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
    let palettes = palettes();
    assert_eq!(palettes.len(), 3, "light, dark, paper");
    for (which, palette) in palettes.iter().enumerate() {
        for (pairs, due) in [(&TEXT[..], 4.5), (&DRAWN[..], 3.0)] {
            for (one, other) in pairs {
                let found = contrast(palette[one], palette[other]);
                assert!(
                    found >= due,
                    "palette {which}: {one} on {other} has {found:.2}, needs {due}"
                );
            }
        }
    }
}
