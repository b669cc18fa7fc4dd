//! Which files own which clusters.

use crate::attribute::Attribute;
use crate::bytes::u16_at;
use crate::error::NtfsError;
use crate::record::{self, Record};
use crate::runs::Run;
use crate::types::{AttributeType, Lcn, RecordNumber, Vcn};
use crate::volume::Volume;
use std::fmt;
use winrefit_disk::ReadAt;

/// Some clusters in a row and what owns them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The file's base record.
    pub record: RecordNumber,
    /// The record that holds the run: the base record or an extension record.
    pub holder: RecordNumber,
    /// Type and name of the attribute.
    pub attribute: (AttributeType, String),
    /// Where the clusters are in the stream.
    pub vcn: Vcn,
    /// First cluster.
    pub lcn: Lcn,
    /// Number of clusters.
    pub clusters: u64,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (type_code, name) = &self.attribute;
        let colon = if name.is_empty() { "" } else { ":" };
        write!(f, "file record {}, {type_code}{colon}{name}", self.record)
    }
}

/// The owners of clusters at or behind `lcn`, in the order of the $MFT, at most `max`. A run that begins before
/// `lcn` is given from there on. Damaged records are passed over: a check tells of them.
///
/// # Errors
/// An error of the medium.
pub fn owners_from<R: ReadAt>(volume: &Volume<R>, lcn: Lcn, max: usize) -> Result<Vec<Owner>, NtfsError> {
    let mut owners = Vec::new();
    for_each_run(volume, |holder, attribute, vcn, start, clusters| {
        let end = start.0.saturating_add(clusters);
        if end > lcn.0 && owners.len() < max {
            let from = start.0.max(lcn.0);
            let vcn = Vcn(vcn.0.saturating_add(from - start.0));
            owners.push(owner(holder, attribute, vcn, Lcn(from), end - from));
        }
    })?;
    Ok(owners)
}

/// Who has a cluster; the first in record order where, on a damaged volume, several have it.
///
/// # Errors
/// An error of the medium.
pub fn owner_of<R: ReadAt>(volume: &Volume<R>, lcn: Lcn) -> Result<Option<Owner>, NtfsError> {
    let mut found = None;
    for_each_run(volume, |holder, attribute, vcn, start, clusters| {
        let skip = lcn.0.checked_sub(start.0).filter(|&skip| skip < clusters);
        if let (Some(skip), None) = (skip, &found) {
            let vcn = Vcn(vcn.0.saturating_add(skip));
            found = Some(owner(holder, attribute, vcn, lcn, clusters - skip));
        }
    })?;
    Ok(found)
}

pub(crate) fn owner(
    holder: &Record<&[u8]>,
    attribute: &Attribute<'_>,
    vcn: Vcn,
    lcn: Lcn,
    clusters: u64,
) -> Owner {
    Owner {
        record: holder.base().map_or(holder.number(), |base| base.record),
        holder: holder.number(),
        attribute: (attribute.type_code(), String::from_utf16_lossy(&attribute.name())),
        vcn,
        lcn,
        clusters,
    }
}

/// Calls `visit` for every run with clusters of every sound record in use.
pub(crate) fn for_each_run<R: ReadAt>(
    volume: &Volume<R>,
    mut visit: impl FnMut(&Record<&[u8]>, &Attribute<'_>, Vcn, Lcn, u64),
) -> Result<(), NtfsError> {
    volume.scan(|number, raw| {
        // Free records need no fixups removed.
        if u16_at(raw, record::FLAGS).unwrap_or(0) & record::FLAG_IN_USE == 0 {
            return Ok::<(), NtfsError>(());
        }
        let Ok(holder) = Record::parse_in_place(number, raw) else {
            return Ok(());
        };
        for attribute in holder.attributes().map_while(Result::ok) {
            let mut vcn = attribute.lowest_vcn();
            for Run { lcn, clusters } in attribute.runs_iter().map_while(Result::ok) {
                if let Some(lcn) = lcn {
                    visit(&holder, &attribute, vcn, lcn, clusters);
                }
                vcn = Vcn(vcn.0.saturating_add(clusters));
            }
        }
        Ok(())
    })
}
