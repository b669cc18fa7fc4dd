//! Judgements that are made once for equal contents. A judgement is a function of what it reads, so it holds for every
//! state that is the same in those sectors, and for no other.

use super::content::{Ground, Probe, State};
use std::collections::HashMap;
use std::rc::Rc;

/// Results of one function of a disk.
pub struct Memo<T> {
    /// How many slots there were: with a new one it is not known any more who has read it.
    slots: usize,
    sets: Vec<Set<T>>,
    /// How often the function was called.
    pub calls: u64,
}

/// Results of the calls that have read the same sectors.
struct Set<T> {
    read: Vec<u32>,
    results: HashMap<u128, Rc<T>>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self {
            slots: 0,
            sets: Vec::new(),
            calls: 0,
        }
    }
}

impl<T> Memo<T> {
    /// The result for `state`.
    pub fn get(
        &mut self,
        ground: &Ground,
        state: &State,
        call: impl FnOnce(Probe<'_>) -> (T, Vec<u32>),
    ) -> Rc<T> {
        if self.slots != ground.slots() {
            (self.sets, self.slots) = (Vec::new(), ground.slots());
        }
        let found = self.sets.iter().position(|set| set.find(state).is_some());
        if let Some(at) = found {
            // Most calls read what the last one has read.
            self.sets[..=at].rotate_right(1);
            return self.sets[0].find(state).expect("found above").clone();
        }
        self.calls += 1;
        let (result, read) = call(ground.disk(state));
        let result = Rc::new(result);
        if self.slots != ground.slots() {
            return result;
        }
        let key = digest(read.iter().map(|slot| state[*slot as usize]));
        match self.sets.iter_mut().find(|set| set.read == read) {
            Some(set) => {
                set.results.insert(key, result.clone());
            }
            None => self.sets.push(Set {
                read,
                results: HashMap::from([(key, result.clone())]),
            }),
        }
        result
    }
}

impl<T> Set<T> {
    fn find(&self, state: &State) -> Option<&Rc<T>> {
        self.results
            .get(&digest(self.read.iter().map(|slot| state[*slot as usize])))
    }
}

/// A digest of numbers, in two independent halves.
pub fn digest(numbers: impl Iterator<Item = u32>) -> u128 {
    let (mut a, mut b) = (0x243F_6A88_85A3_08D3u64, 0x1319_8A2E_0370_7344u64);
    for number in numbers {
        let number = u64::from(number) + 1;
        a = (a.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        b = (b ^ number.wrapping_mul(0xC2B2_AE3D_27D4_EB4F))
            .rotate_left(29)
            .wrapping_mul(0x1656_67B1_9E37_79F9);
    }
    u128::from(a ^ (a >> 32)) << 64 | u128::from(b ^ (b >> 29))
}

#[cfg(test)]
mod tests {
    use super::*;
    use winrefit_disk::{Device, Event, MemoryDevice, ReadAt, SectorSize};

    /// Reads sector 1 only if sector 0 is not zero, and then writes sector 2.
    fn sum(mut disk: Probe<'_>) -> (u32, Vec<u32>) {
        let byte = |disk: &Probe<'_>, sector: u64| u32::from(disk.read_vec(sector * 512 + 7, 1).unwrap()[0]);
        let mut sum = byte(&disk, 0);
        if sum != 0 {
            sum += byte(&disk, 1);
            disk.write_at(1024, &[9; 512]).unwrap();
            sum += byte(&disk, 2);
        }
        (sum, disk.into_parts().0)
    }

    #[test]
    fn a_result_holds_for_what_was_read_and_for_nothing_else() {
        let ground = Ground::new(MemoryDevice::zeroed(8 * 512, SectorSize::B512));
        let events: Vec<Event> = (0..3u64)
            .flat_map(|sector| [1u8, 2, 3].map(|byte| (sector * 512, byte)))
            .map(|(offset, byte)| Event::Write {
                offset,
                data: vec![byte; 512],
            })
            .collect();
        ground.ops(&events);
        let mut memo = Memo::default();
        for round in 0..2 {
            for state in (0..64u32).map(|all| vec![all & 3, all >> 2 & 3, all >> 4]) {
                let direct = sum(ground.disk(&state)).0;
                let due = if state[0] == 0 { 0 } else { state[0] + state[1] + 9 };
                assert_eq!((*memo.get(&ground, &state, sum), direct), (due, due));
            }
            // Sector 2 is never read before it is written; sector 1 only behind another one than zero.
            assert_eq!(memo.calls, 1 + 3 * 4, "round {round}");
        }
    }
}
