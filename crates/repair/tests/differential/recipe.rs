//! What a random disk is made of: all of it follows from one number.

use crate::common::disks::{Kind, Part, Style};
use crate::random::{Case, case};
use crate::volume::random::{FEATURES, Random, Spec};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use winrefit_disk::SectorSize;
use winrefit_repair::plan::Request;

const MIB: u64 = 1 << 20;

/// Who has made a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// `VolumeBuilder`, and nobody has used it since.
    Ours,
    /// The same, and ntfs-3g has used it for years.
    Worn,
    /// mkntfs and ntfs-3g.
    Peer,
}

/// One of NTFS's own streams, or the large file, that lies where no formatting puts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    Mft,
    Mirror,
    Log,
    Bitmap,
    Noise,
}

/// A volume, beside what its part says.
#[derive(Debug, Clone)]
pub struct VolumeRecipe {
    pub maker: Maker,
    /// How it was used; not asked where nobody has.
    pub wear: Spec,
    /// What lies elsewhere, and in how many pieces; 0 is one piece at the end.
    pub strays: Vec<(Stray, u64)>,
    pub shadow_copies: usize,
    /// Bad clusters, this many thousandths behind the start of the volume.
    pub bad: Option<u64>,
}

/// What is wrong with the partition table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableState {
    Sound,
    /// A byte of a GPT's first copy: in the header, or in the entries.
    FirstCopy(u64),
    /// The same of the second copy.
    SecondCopy(u64),
    /// The disk has so many MiB more than when it was partitioned.
    Grown(u64),
}

/// Which command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// `fix` on a disk with a recovery partition.
    Fix,
    /// `fix` on one without.
    Create,
    /// `reset-update`.
    Reset,
}

/// A disk, and what is asked for on it.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub seed: u64,
    pub case: Case,
    pub wish: Wish,
    /// One for each part.
    pub volumes: Vec<VolumeRecipe>,
    pub table: TableState,
    /// Whether unallocated space holds what was there once.
    pub leftovers: bool,
    /// Whether the system partition is a FAT volume with a boot store.
    pub fat: bool,
}

impl Recipe {
    pub fn of(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let mut case = case().new_tree(&mut runner).unwrap().current();
        let mut random = Random::new(seed ^ 0xD1FF_E7E4);
        // What is no leftover is refused at once; that needs no many disks.
        if case.disk.number_of(Kind::Stale).is_none() && random.below(4) > 0 {
            case.request.remove_stale = None;
        }
        let wish = match random.below(20) {
            0 | 1 | 3 if can_be_without(&case) => without_recovery(&mut case, &mut random),
            2 => Wish::Reset,
            _ => Wish::Fix,
        };
        let style = case.disk.style;
        let table = match random.below(24) {
            0 if style == Style::Gpt => TableState::FirstCopy(random.below(2)),
            1 if style == Style::Gpt => TableState::SecondCopy(random.below(2)),
            2 => TableState::Grown(1 + random.below(24)),
            _ => TableState::Sound,
        };
        let size = case.disk.sector_size;
        let volumes = case.disk.parts.iter();
        let volumes: Vec<_> = volumes.map(|part| volume(part, size, &mut random)).collect();
        let shadows = volumes.iter().any(|volume| volume.shadow_copies > 0);
        case.request.drop_shadow_copies = shadows && random.below(3) > 0;
        Self {
            seed,
            case,
            wish,
            volumes,
            table,
            leftovers: random.below(4) == 0,
            fat: random.below(2) == 0,
        }
    }

    /// Whether WinRE works on the Windows volume itself, and is to get a partition.
    pub fn is_on_own_volume(&self) -> bool {
        self.wish == Wish::Create && self.case.request.create
    }

    /// Whether the system partition of this recipe is a FAT volume.
    pub fn is_fat(&self, part: &Part) -> bool {
        part.kind == Kind::System && self.fat
    }

    /// Whether a part is an NTFS volume.
    pub fn is_ntfs(&self, part: &Part) -> bool {
        match part.kind {
            Kind::Reserved | Kind::Foreign => false,
            Kind::System => self.case.disk.style == Style::Mbr && !self.fat,
            _ => true,
        }
    }
}

fn is_recovery(part: &Part) -> bool {
    matches!(part.kind, Kind::Recovery | Kind::Stale)
}

/// A logical partition that is left out would leave a hole in the chain.
fn can_be_without(case: &Case) -> bool {
    !case
        .disk
        .parts
        .iter()
        .any(|part| is_recovery(part) && part.ebr.is_some())
}

/// Takes out all recovery partitions, and leaves room for a new one behind or within C:.
fn without_recovery(case: &mut Case, random: &mut Random) -> Wish {
    let disk = &mut case.disk;
    disk.parts.retain(|part| !is_recovery(part));
    if random.below(4) > 0 {
        disk.sectors += (24 + random.below(12)) * MIB / disk.sector_size.bytes();
    }
    case.request = Request {
        free_bytes: Some((1 + random.below(4)) * MIB),
        reclaim: case.request.reclaim,
        create: random.below(3) == 0,
        ..Request::default()
    };
    Wish::Create
}

fn volume(part: &Part, size: SectorSize, random: &mut Random) -> VolumeRecipe {
    let is_windows = matches!(part.kind, Kind::Windows | Kind::Data);
    let maker = match random.below(12) {
        0 => Maker::Peer,
        1 | 2 if is_windows => Maker::Worn,
        _ => Maker::Ours,
    };
    let seed = random.below(u64::MAX);
    let (fill, features) = if is_windows {
        (15 + random.below(75), random.below(1 << FEATURES.len()))
    } else {
        (30 + random.below(30), 1 << random.below(FEATURES.len() as u64))
    };
    let wear = Spec {
        ours: maker != Maker::Peer,
        sectors: (part.end - part.start) * size.bytes() / 512,
        cluster_log: part.cluster.ilog2(),
        large_sectors: size == SectorSize::B4096,
        large_records: random.below(6) == 0,
        fill_percent: fill,
        aged: is_windows && random.below(2) == 0,
        features: features as u16,
        seed,
    };
    let all = [Stray::Mft, Stray::Mirror, Stray::Log, Stray::Bitmap, Stray::Noise];
    let mut strays = Vec::new();
    if maker == Maker::Ours && random.below(3) == 0 {
        for stray in all {
            if random.below(2) == 0 {
                strays.push((stray, [0, 1, 2, 5, 17][random.below(5) as usize]));
            }
        }
    }
    let is_shadowed = maker == Maker::Ours && (is_windows || part.kind == Kind::Recovery);
    VolumeRecipe {
        maker,
        wear,
        strays,
        shadow_copies: match random.below(24) {
            0 if is_shadowed => 1 + random.below(3) as usize,
            _ => 0,
        },
        bad: (random.below(16) == 0).then(|| random.below(1000)),
    }
}
