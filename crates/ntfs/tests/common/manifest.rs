//! Everything that is on a volume, as small as a hash allows, to be compared with the same after a resize.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use winrefit_disk::ReadAt;
use winrefit_ntfs::check::path_of;
use winrefit_ntfs::file::{File, StreamBody};
use winrefit_ntfs::{AttributeType, RecordNumber, Volume};

/// System files whose content or size a resize changes: $MFT, $MFTMirr, $LogFile, $Bitmap, $Boot, $BadClus.
const RESIZED: [u64; 6] = [0, 1, 2, 6, 7, 8];

/// Facts by what they are about: a file and one of its attributes, or a path and one of its properties.
#[derive(Debug, PartialEq, Eq)]
pub struct Manifest(BTreeMap<(String, String), String>);

impl Manifest {
    /// As our reader sees it: every file record in use, every attribute byte by byte with its holes, sizes and flags.
    pub fn of<R: ReadAt>(reader: R) -> Self {
        let volume = Volume::open(reader).unwrap();
        let mut facts = BTreeMap::new();
        for number in (0..volume.records()).map(RecordNumber) {
            let record = match volume.read_record(number) {
                Ok(record) if record.is_in_use() && record.base().is_none() => record,
                _ => continue,
            };
            let file = volume
                .file(number)
                .unwrap_or_else(|e| panic!("record {number}: {e}"));
            let path = path_of(&volume, number).unwrap_or_default();
            let name = format!("{number} {path}");
            let header = (record.sequence(), record.flags(), record.link_count());
            facts.insert((name.clone(), "record".to_owned()), format!("{header:x?}"));
            if !RESIZED.contains(&number.0) {
                attributes(&volume, &file, &name, &mut facts);
            }
        }
        Self(facts)
    }

    /// As a mounted volume shows it.
    pub fn of_host(root: &Path) -> Self {
        let mut facts = BTreeMap::new();
        let mut rest = vec![root.to_owned()];
        while let Some(path) = rest.pop() {
            let meta = std::fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let mut add = |what: &str, fact: String| facts.insert((name.clone(), what.to_owned()), fact);
            // The time of the root changes by mounting.
            let time = if path == root { 0 } else { meta.mtime() };
            add(
                "inode",
                format!("{} {:o} {} {time}", meta.ino(), meta.mode(), meta.nlink()),
            );
            if meta.is_dir() {
                rest.extend(
                    std::fs::read_dir(&path)
                        .unwrap()
                        .map(|entry| entry.unwrap().path()),
                );
            } else if meta.is_symlink() {
                add("link", format!("{:?}", std::fs::read_link(&path)));
            } else if meta.is_file() {
                let content = std::fs::read(&path).map_err(|e| e.kind());
                add(
                    "content",
                    format!("{} {:x?}", meta.len(), content.map(|b| hash(&b))),
                );
            }
            if !meta.is_symlink() {
                let listed = xattr::list(&path).unwrap().filter_map(|x| x.into_string().ok());
                let hidden = ["ntfs_attrib", "ntfs_reparse_data", "ntfs_ea", "ntfs_acl"];
                for attribute in listed.chain(hidden.map(|x| format!("system.{x}"))) {
                    let value = xattr::get(&path, &attribute).map_err(|e| e.kind());
                    add(
                        &attribute,
                        format!("{:x?}", value.map(|v| v.map(|v| (v.len(), hash(&v))))),
                    );
                }
            }
        }
        Self(facts)
    }

    /// Leaves out what is about files and attributes that are not wanted.
    pub fn retain(&mut self, is_wanted: impl Fn(&str, &str) -> bool) {
        self.0.retain(|(file, what), _| is_wanted(file, what));
    }

    /// How many facts there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Fails with a few of the differences: there may be many.
    pub fn assert_same(&self, after: &Self, who: &str) {
        let keys: BTreeSet<_> = self.0.keys().chain(after.0.keys()).collect();
        let mut differ = keys
            .into_iter()
            .filter(|key| self.0.get(*key) != after.0.get(*key));
        let show = |key| format!("{key:?}: {:?} became {:?}", self.0.get(key), after.0.get(key));
        let shown: Vec<_> = differ.by_ref().take(8).map(show).collect();
        assert!(
            shown.is_empty(),
            "{who} sees {} differences: {shown:#?}",
            shown.len() + differ.count()
        );
    }
}

/// All attributes of a file but its attribute list, which says where they are and no more.
fn attributes<R: ReadAt>(
    volume: &Volume<R>,
    file: &File,
    name: &str,
    facts: &mut BTreeMap<(String, String), String>,
) {
    let is_root = file.number() == RecordNumber::ROOT;
    let mut resident: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for attribute in file.attributes().map(Result::unwrap) {
        let (kind, stream) = (attribute.type_code(), String::from_utf16_lossy(&attribute.name()));
        if kind == AttributeType::ATTRIBUTE_LIST || (is_root && stream == "$I30") {
            continue;
        }
        let key = format!("{kind}:{stream}");
        if let Some(value) = attribute.value() {
            let fact = format!(
                "{} bytes {:x} flags {:x}",
                value.len(),
                hash(value),
                attribute.flags()
            );
            resident.entry(key).or_default().push(fact);
        } else if attribute.lowest_vcn().0 == 0 {
            let fact = non_resident(volume, file, kind, &stream);
            let fact = format!(
                "{fact} {:?} {}",
                attribute.total_allocated(),
                attribute.compression_unit()
            );
            facts.insert((name.to_owned(), key), fact);
        }
    }
    for (key, mut values) in resident {
        values.sort_unstable();
        facts.insert((name.to_owned(), key), values.join("; "));
    }
    if is_root {
        root_entries(volume, file, name, facts);
    }
}

/// Sizes, flags, and a hash of every cluster and hole in order of VCNs, wherever the clusters are.
fn non_resident<R: ReadAt>(volume: &Volume<R>, file: &File, kind: AttributeType, name: &str) -> String {
    let stream = file.require(kind, name).unwrap();
    let StreamBody::NonResident { runs, sizes } = &stream.body else {
        panic!("{kind} became resident");
    };
    let geometry = volume.geometry();
    let cluster = u64::from(geometry.cluster_size);
    let mut hasher = DefaultHasher::new();
    for run in &runs.0 {
        let Some(lcn) = run.lcn else {
            (u64::MAX, run.clusters).hash(&mut hasher);
            continue;
        };
        let (mut at, end) = (
            geometry.offset_of(lcn),
            geometry.offset_of(lcn) + run.clusters * cluster,
        );
        while at < end {
            let part = (end - at).min(1 << 20);
            hasher.write(&volume.reader().read_vec(at, part as usize).unwrap());
            at += part;
        }
    }
    format!("{sizes:?} flags {:x} {:x}", stream.flags, hasher.finish())
}

/// The names in the root directory, without the sizes of files that a resize changes.
fn root_entries<R: ReadAt>(
    volume: &Volume<R>,
    root: &File,
    name: &str,
    facts: &mut BTreeMap<(String, String), String>,
) {
    for (reference, mut entry) in volume.directory(root).unwrap().list().unwrap() {
        if RESIZED.contains(&reference.record.0) {
            (entry.allocated_size, entry.data_size) = (0, 0);
        }
        let key = format!("entry {} {}", entry.display_name(), entry.namespace);
        facts.insert((name.to_owned(), key), format!("{reference:?} {entry:?}"));
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
