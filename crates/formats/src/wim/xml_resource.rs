//! The XML resource of a WIM file, to a list of images.

use super::{
    RESOURCE_COMPRESSED, WimArchitecture, WimError, WimImage, WimResource, WimVersion, XML_BYTES_MAX,
};
use crate::bytes::utf16_units;
use crate::xml;
use roxmltree::Node;
use std::str::FromStr;
use winrefit_disk::ReadAt;

/// An image has some 30 nodes.
const NODES_MAX: u32 = 30_000;

pub(super) fn read(file: &dyn ReadAt, resource: WimResource) -> Result<Vec<WimImage>, WimError> {
    let WimResource {
        length,
        flags,
        original_size,
        ..
    } = resource;
    let packed = flags & RESOURCE_COMPRESSED != 0 || length != original_size;
    if packed || length == 0 || length > XML_BYTES_MAX || length % 2 != 0 {
        return Err(WimError::XmlResource {
            length,
            original_size,
            flags,
        });
    }
    let text = text(&file.read_vec(resource.offset, length as usize)?)?;
    let document = xml::parse(&text, NODES_MAX)?;
    let images = document.root_element().children();
    images
        .filter(|node| node.has_tag_name("IMAGE"))
        .map(image)
        .collect()
}

fn text(bytes: &[u8]) -> Result<String, WimError> {
    let units = utf16_units(bytes);
    let mut text = String::with_capacity(units.len());
    let mut unit = 0;
    for c in char::decode_utf16(units) {
        let c = c.map_err(|_| WimError::XmlText { unit })?;
        text.push(c);
        unit += c.len_utf16();
    }
    Ok(text)
}

fn image(node: Node<'_, '_>) -> Result<WimImage, WimError> {
    let index = parsed(0, "INDEX", node.attribute("INDEX").unwrap_or_default())?;
    let windows = child(node, "WINDOWS");
    let of_windows = |name| windows.and_then(|windows| text_of(windows, name));
    let version = windows.and_then(|windows| child(windows, "VERSION"));
    let total_bytes = text_of(node, "TOTALBYTES");
    let arch = of_windows("ARCH");
    Ok(WimImage {
        index,
        name: text_of(node, "NAME"),
        description: text_of(node, "DESCRIPTION"),
        total_bytes: total_bytes
            .map(|value| parsed(index, "TOTALBYTES", &value))
            .transpose()?,
        architecture: arch
            .map(|value| parsed(index, "ARCH", &value).map(WimArchitecture::from_value))
            .transpose()?,
        product_name: of_windows("PRODUCTNAME"),
        edition_id: of_windows("EDITIONID"),
        installation_type: of_windows("INSTALLATIONTYPE"),
        version: version.map(|node| version_of(index, node)).transpose()?,
    })
}

fn version_of(image: u32, node: Node<'_, '_>) -> Result<WimVersion, WimError> {
    let part = |name| parsed(image, name, &text_of(node, name).unwrap_or_default());
    Ok(WimVersion {
        major: part("MAJOR")?,
        minor: part("MINOR")?,
        build: part("BUILD")?,
        sp_build: child(node, "SPBUILD").map_or(Ok(0), |_| part("SPBUILD"))?,
    })
}

fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    child(node, name).map(|child| child.text().unwrap_or_default().trim().to_owned())
}

fn parsed<T: FromStr>(image: u32, element: &'static str, value: &str) -> Result<T, WimError> {
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    value
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| WimError::NotANumber {
            image,
            element,
            value: value.chars().take(64).collect(),
        })
}
