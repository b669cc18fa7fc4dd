//! XML from a disk, parsed within bounds.
//!
//! The parser calls itself for each level of nesting and compares each attribute with its neighbours, so hostile depth
//! would end the process and hostile breadth its day. A scan over the tags comes first and refuses both. Where a text is
//! malformed, scan and parser may see different things, but only behind the point at which the parser stops.

use roxmltree::{Document, ParsingOptions};

/// Real documents have 2 (`ReAgent.xml`) to 6 (WIM) levels.
const DEPTH_MAX: usize = 32;
/// Real elements have up to 5 attributes.
const ATTRIBUTES_MAX: usize = 64;

/// Declarations of namespaces in a whole text. Real ones have one or two; the parser copies those of all elements around
/// one that has its own.
const NAMESPACES_MAX: usize = 64;
const NAMESPACE: &[u8] = b"xmlns";

/// Why a text was not taken as XML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not well-formed, with a document type (which could define entities), or with too many nodes.
    #[error(transparent)]
    Syntax(#[from] roxmltree::Error),
    /// Elements are nested too deeply.
    #[error("the element at byte {position} is nested more than {DEPTH_MAX} deep")]
    TooDeep {
        /// Where it begins in the UTF-8 text.
        position: usize,
    },
    /// The text declares too many namespaces.
    #[error("the element at byte {position} declares one namespace more than {NAMESPACES_MAX}")]
    TooManyNamespaces {
        /// Where it begins in the UTF-8 text.
        position: usize,
    },
    /// An element has too many attributes.
    #[error("the element at byte {position} has more than {ATTRIBUTES_MAX} attributes")]
    TooManyAttributes {
        /// Where it begins in the UTF-8 text.
        position: usize,
    },
}

/// Parses `text`, which may begin with a byte order mark. Positions in the document are those of `text`.
pub(crate) fn parse(text: &str, nodes_max: u32) -> Result<Document<'_>, XmlError> {
    check_shape(text.as_bytes())?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: nodes_max,
    };
    Ok(Document::parse_with_options(text, options)?)
}

fn check_shape(text: &[u8]) -> Result<(), XmlError> {
    let (mut depth, mut namespaces) = (0usize, 0);
    let mut at = 0;
    while let Some(position) = find(text, at, b"<") {
        let rest = text.get(position + 1..).unwrap_or_default();
        at = if rest.starts_with(b"!--") {
            find(text, position + 4, b"-->")
        } else if rest.starts_with(b"![CDATA[") {
            find(text, position + 9, b"]]>")
        } else if rest.starts_with(b"?") {
            find(text, position + 2, b"?>")
        } else {
            let tag = scan_tag(text, position)?;
            match (rest.first(), tag.empty) {
                (Some(b'/'), _) => depth = depth.saturating_sub(1),
                (_, true) => {}
                (_, false) => depth += 1,
            }
            if depth > DEPTH_MAX {
                return Err(XmlError::TooDeep { position });
            }
            let whole = text.get(position..tag.end).unwrap_or_default();
            namespaces += memchr::memmem::find_iter(whole, NAMESPACE).count();
            if namespaces > NAMESPACES_MAX {
                return Err(XmlError::TooManyNamespaces { position });
            }
            Some(tag.end)
        }
        .unwrap_or(text.len());
    }
    Ok(())
}

struct Tag {
    end: usize,
    empty: bool,
}

fn scan_tag(text: &[u8], position: usize) -> Result<Tag, XmlError> {
    let mut quote = None;
    let mut attributes = 0;
    let mut previous = 0;
    for (at, &byte) in text.iter().enumerate().skip(position) {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => attributes += 1,
            (None, b'>') => {
                let empty = previous == b'/';
                return Ok(Tag { end: at, empty });
            }
            (None, _) => {}
        }
        if attributes > ATTRIBUTES_MAX {
            return Err(XmlError::TooManyAttributes { position });
        }
        previous = byte;
    }
    let (end, empty) = (text.len(), false);
    Ok(Tag { end, empty })
}

fn find(text: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.windows(what.len())
        .position(|window| window == what)
        .map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_and_attributes_are_bounded_before_the_parser_sees_them() {
        let deep = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        assert!(parse(&deep(DEPTH_MAX), 1000).is_ok());
        let position = 3 * DEPTH_MAX;
        assert_eq!(
            parse(&deep(DEPTH_MAX + 1), 1000).unwrap_err(),
            XmlError::TooDeep { position }
        );
        let disguised = "<a b='/>'><!--</a>--><?x </a>?><![CDATA[</a>]]>/>".repeat(100_000);
        assert!(matches!(
            parse(&disguised, u32::MAX),
            Err(XmlError::TooDeep { .. })
        ));
        let wide: String = (0..=ATTRIBUTES_MAX).map(|i| format!(" a{i}=''")).collect();
        let wide = format!("<x{wide}/>");
        assert_eq!(
            parse(&wide, 1000).unwrap_err(),
            XmlError::TooManyAttributes { position: 0 }
        );
    }

    #[test]
    fn namespaces_are_bounded_before_the_parser_copies_them() {
        let element = |i: usize| format!("<a xmlns:n{i}='u{i}'/>");
        let text = |count: usize| format!("<r>{}</r>", (0..count).map(element).collect::<String>());
        assert!(parse(&text(NAMESPACES_MAX), 1000).is_ok());
        let position = text(NAMESPACES_MAX).len() - "</r>".len();
        assert_eq!(
            parse(&text(NAMESPACES_MAX + 1), 1000).unwrap_err(),
            XmlError::TooManyNamespaces { position }
        );
    }

    #[test]
    fn ordinary_texts_pass() {
        let many = format!(
            "<r>{}</r>",
            "<a b='1>' c=\"'\"/><d>x/></d><!-- < -->".repeat(1000)
        );
        assert!(parse(&many, 100_000).is_ok());
        assert!(matches!(parse(&many, 100), Err(XmlError::Syntax(_))));
        assert!(matches!(parse("<a", 100), Err(XmlError::Syntax(_))));
    }
}
