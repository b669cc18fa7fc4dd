//! What can be wrong with a FAT volume. Clusters are numbered as in the table, from 2 on.

use winrefit_disk::DiskError;

/// An error of a FAT volume or of the medium under it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FatError {
    /// The medium failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// No boot sector: the two bytes at 510 are not 55 AA.
    #[error("the first sector ends with {actual:02x?}, not with 55 aa")]
    Signature {
        /// The two bytes.
        actual: [u8; 2],
    },
    /// A field of the boot sector has a value that no FAT volume has.
    #[error("boot sector: {field} is {actual}")]
    Field {
        /// Name of the field in the specification.
        field: &'static str,
        /// Its value.
        actual: u64,
    },
    /// The volume is longer than what it lies on.
    #[error("the volume has {volume_bytes} bytes, of which {available_bytes} are there")]
    Truncated {
        /// Length by the boot sector.
        volume_bytes: u64,
        /// Length of the medium.
        available_bytes: u64,
    },
    /// A directory or file that should not be empty begins at a cluster that is none.
    #[error("{what} begins at cluster {cluster}; the volume has {clusters} clusters from number 2 on")]
    FirstCluster {
        /// File or directory.
        what: &'static str,
        /// The cluster.
        cluster: u32,
        /// How many there are.
        clusters: u32,
    },
    /// An entry of the table names neither a cluster nor the end.
    #[error(
        "the table says {actual:#x} for cluster {cluster}; the volume has {clusters} clusters from number 2 on"
    )]
    NextCluster {
        /// Whose entry.
        cluster: u32,
        /// What it says.
        actual: u32,
        /// How many clusters there are.
        clusters: u32,
    },
    /// The chain ends before the file does.
    #[error("the chain from cluster {first_cluster} has {actual} clusters, the file needs {expected}")]
    ChainTooShort {
        /// Where it begins.
        first_cluster: u32,
        /// Clusters that the size needs.
        expected: u64,
        /// Clusters in the chain.
        actual: u64,
    },
    /// The chain is far longer than the file or any directory may be: it runs in a circle, most likely.
    #[error("the chain from cluster {first_cluster} does not end after {clusters} clusters")]
    Endless {
        /// Where it begins.
        first_cluster: u32,
        /// Clusters that were followed.
        clusters: u64,
    },
    /// Two chains lead to one cluster.
    #[error("cluster {cluster} belongs to a second chain, through cluster {from}")]
    Shared {
        /// The cluster.
        cluster: u32,
        /// The one that also leads to it.
        from: u32,
    },
    /// The file is larger than the caller takes, or no file.
    #[error(
        "{}", if *is_directory { "a directory is there instead of a file".to_owned() }
        else { format!("the file has {size_bytes} bytes, at most {limit_bytes} are read") }
    )]
    TooLarge {
        /// Size of the file.
        size_bytes: u64,
        /// The caller's limit.
        limit_bytes: u64,
        /// Whether it is a directory.
        is_directory: bool,
    },
}
