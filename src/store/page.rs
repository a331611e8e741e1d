//! Pages of lists.

use std::num::{NonZeroU32, NonZeroU64};

/// Which page of a list: counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    page: u64,
    results: u32,
}

impl PageRequest {
    /// Items of a page when none are asked for.
    pub const RESULTS_DEFAULT: u32 = 10;
    /// Items of a page at most; more are asked for by some clients, who then follow the pages.
    pub const RESULTS_MAX: u32 = 100;

    /// The page of this number with this many items, at most [`PageRequest::RESULTS_MAX`].
    #[must_use]
    pub fn new(page: NonZeroU64, results: NonZeroU32) -> Self {
        Self { page: page.get(), results: results.get().min(Self::RESULTS_MAX) }
    }

    /// Its number, from one.
    #[must_use]
    pub const fn page(self) -> u64 {
        self.page
    }

    /// Items of a page.
    #[must_use]
    pub const fn results(self) -> u32 {
        self.results
    }

    /// Items before it.
    #[must_use]
    pub fn offset(self) -> u64 {
        (self.page - 1).saturating_mul(u64::from(self.results))
    }

    /// The offset as SQLite takes it; beyond its range is beyond any list.
    pub(super) fn sql_offset(self) -> i64 {
        i64::try_from(self.offset()).unwrap_or(i64::MAX)
    }
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { page: 1, results: Self::RESULTS_DEFAULT }
    }
}

/// One page of a list and the length of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// The items of this page; none past the end.
    pub items: Vec<T>,
    /// Items of the whole list.
    pub total: u64,
}

impl<T> Paged<T> {
    /// The page of a list that is in memory.
    #[must_use]
    pub fn of(all: Vec<T>, request: PageRequest) -> Self {
        let total = all.len() as u64;
        let before = usize::try_from(request.offset()).unwrap_or(usize::MAX);
        Self { items: all.into_iter().skip(before).take(request.results as usize).collect(), total }
    }

    /// Pages of the whole list; an empty list has none.
    #[must_use]
    pub fn total_pages(&self, request: PageRequest) -> u64 {
        self.total.div_ceil(u64::from(request.results))
    }

    /// The same page of something made from each item.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Paged<U> {
        Paged { items: self.items.into_iter().map(f).collect(), total: self.total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(page: u64, results: u32) -> PageRequest {
        PageRequest::new(NonZeroU64::new(page).unwrap(), NonZeroU32::new(results).unwrap())
    }

    #[test]
    fn pages_cut_a_list_without_losing_or_repeating() {
        let all: Vec<u32> = (0..25).collect();
        for (page, results, items, pages) in [
            (1, 10, (0..10).collect::<Vec<_>>(), 3),
            (3, 10, (20..25).collect(), 3),
            (4, 10, vec![], 3),
            (u64::MAX, 100, vec![], 1),
            (1, 1000, (0..25).collect(), 1),
            (2, 25, vec![], 1),
        ] {
            let paged = Paged::of(all.clone(), request(page, results));
            assert_eq!(
                (paged.items.clone(), paged.total_pages(request(page, results))),
                (items, pages),
                "{page} {results}"
            );
        }
        assert_eq!(Paged::<u32>::of(vec![], PageRequest::default()).total_pages(PageRequest::default()), 0);
    }
}
