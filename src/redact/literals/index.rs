//! The index of known secrets by how they begin.
//!
//! Secrets of one kind begin alike: every web token does. A list for each beginning would let a hostile text make the work
//! quadratic; so the patterns of a beginning that many share are sorted, and those that may stand in a text are bisected.

use std::collections::HashMap;

use super::super::arena::number;
use super::super::mixing::Mixed;

/// Bytes of a pattern that are looked up; a shorter one is not in the index.
pub(in super::super) const HEAD: usize = 8;
/// Patterns with one head that are compared one by one.
const LISTED_MAX: usize = 32;
/// Patterns around the place of a text among the sorted ones that are compared with it, on either side.
const NEIGHBOURS: usize = 16;
/// Patterns, each the beginning of the one before, that are compared with a text.
const NESTED_MAX: usize = 4 << 10;

/// The index. It knows patterns by their numbers; whoever asks has their bytes.
#[derive(Default)]
pub(in super::super) struct Index {
    /// For each head, where its patterns stand in `order`.
    groups: HashMap<u64, (u32, u32), Mixed>,
    /// Numbers of patterns, those of one head together.
    order: Vec<u32>,
    /// In groups that are sorted, the longest other pattern with which a pattern begins.
    nested: HashMap<u32, u32, Mixed>,
}

/// The head of what begins with these bytes.
#[inline]
pub(in super::super) fn head_of(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.first_chunk::<HEAD>()?))
}

impl Index {
    /// The index of patterns, whose heads and numbers these are.
    pub(in super::super) fn new<'b>(mut heads: Vec<(u64, u32)>, bytes_of: impl Fn(u32) -> &'b [u8]) -> Self {
        heads.sort_unstable();
        let groups = heads.chunk_by(|one, other| one.0 == other.0);
        let mut index = Self {
            groups: HashMap::with_capacity_and_hasher(groups.clone().count(), Mixed::default()),
            order: heads.iter().map(|(_, pattern)| *pattern).collect(),
            nested: HashMap::default(),
        };
        let mut start = 0;
        for group in groups {
            let end = start + group.len();
            index.groups.insert(group[0].0, (number(start), number(end)));
            if group.len() > LISTED_MAX {
                index.order[start..end].sort_by(|one, other| bytes_of(*one).cmp(bytes_of(*other)));
                let mut open: Vec<u32> = Vec::new();
                for pattern in &index.order[start..end] {
                    while open.pop_if(|outer| !bytes_of(*pattern).starts_with(bytes_of(*outer))).is_some() {}
                    if let Some(outer) = open.last() {
                        index.nested.insert(*pattern, *outer);
                    }
                    open.push(*pattern);
                }
            }
            start = end;
        }
        index
    }

    /// The heads of all patterns.
    pub(super) fn heads(&self) -> impl Iterator<Item = u64> {
        self.groups.keys().copied()
    }

    /// Whether a pattern has this head.
    #[inline]
    pub(super) fn has(&self, head: u64) -> bool {
        self.groups.contains_key(&head)
    }

    /// The patterns that may stand at the beginning of a text: all with which it begins, longest first when they are many,
    /// and those with which it agrees for longest.
    pub(in super::super) fn candidates<'i, 'b>(
        &'i self,
        text: &[u8],
        bytes_of: impl Fn(u32) -> &'b [u8],
    ) -> impl Iterator<Item = u32> + 'i {
        let group = head_of(text).and_then(|head| self.groups.get(&head));
        let group = group.map_or(&[][..], |(start, end)| &self.order[*start as usize..*end as usize]);
        let (mut whole, mut near) = (None, group);
        if group.len() > LISTED_MAX {
            let place = group.partition_point(|pattern| bytes_of(*pattern) <= text);
            whole = place.checked_sub(1).map(|before| group[before]);
            near = &group[place.saturating_sub(NEIGHBOURS)..group.len().min(place + NEIGHBOURS)];
        }
        let nested = std::iter::successors(whole, |pattern| self.nested.get(pattern).copied());
        nested.take(NESTED_MAX).chain(near.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(patterns: &[Vec<u8>]) -> Index {
        let heads = (0_u32..).zip(patterns).filter_map(|(number, bytes)| Some((head_of(bytes)?, number))).collect();
        Index::new(heads, |number| &patterns[number as usize])
    }

    /// The longest pattern with which a text begins.
    fn longest(index: &Index, patterns: &[Vec<u8>], text: &[u8]) -> Option<usize> {
        let bytes_of = |number: u32| patterns[number as usize].as_slice();
        let found = index.candidates(text, bytes_of).map(bytes_of).filter(|pattern| text.starts_with(pattern));
        found.map(<[u8]>::len).max()
    }

    #[test]
    fn of_many_that_begin_alike_every_one_is_found_and_few_are_compared() {
        let common = b"Qz7Xw2Kp9aB4".to_vec();
        let ending = |number: usize| format!("{:05}", number * 7919 % 100_000).into_bytes();
        let mut patterns: Vec<Vec<u8>> = (0..5000).map(|number| [common.clone(), ending(number)].concat()).collect();
        // One that all others begin with, and two that begin with others.
        patterns.push(common.clone());
        patterns.push([patterns[17].clone(), b"~~~~".to_vec()].concat());
        patterns.push([patterns[17].clone(), b"~~~~~~~~".to_vec()].concat());
        let index = index(&patterns);
        for pattern in &patterns {
            let text = [pattern.clone(), b" and more".to_vec()].concat();
            assert_eq!(longest(&index, &patterns, &text), Some(pattern.len()));
            let bytes_of = |number: u32| patterns[number as usize].as_slice();
            assert!(index.candidates(&text, bytes_of).count() <= 2 * NEIGHBOURS + 4);
        }
        for ends in ["~", "!", "zzzzz", "", "0"] {
            let text = [common.clone(), ends.as_bytes().to_vec()].concat();
            assert_eq!(longest(&index, &patterns, &text), Some(common.len()), "{ends}");
        }
        assert_eq!(longest(&index, &patterns, b"Qz7Xw2Kp9"), None);
        assert_eq!(longest(&index, &patterns, b"Qz7"), None);
    }
}
