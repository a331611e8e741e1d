//! Paging: `page` and `results` in, a page with its totals and its `link` header out.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use warp::http::HeaderValue;

use super::problem::{Issue, Problem};
use super::query::Query;

/// Results of a page when the client does not say.
pub const RESULTS_DEFAULT: u64 = 10;
/// Results of a page at most: whoever asks for more gets this many and follows the pages.
pub const RESULTS_MAX: u64 = 100;

/// What RFC 3986 calls unreserved stays as it is in a link.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Which page a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// From 1.
    pub page: u64,
    /// 1 to [`RESULTS_MAX`].
    pub results: u64,
}

impl PageQuery {
    /// The page that a query asks for.
    ///
    /// # Errors
    /// A number that is none, zero, negative, beyond 63 bits or given twice; every issue of both parameters.
    pub fn of(query: &Query) -> Result<Self, Problem> {
        let (mut issues, mut numbers) = (Vec::new(), [1, RESULTS_DEFAULT]);
        for (number, name) in numbers.iter_mut().zip(["page", "results"]) {
            match query.one(name).map(|text| text.map(positive)) {
                Ok(None) => {}
                Ok(Some(Some(given))) => *number = given,
                Ok(Some(None)) => {
                    let reason = format!("The parameter {name} must be a whole number from 1.");
                    issues.push(Issue::new("invalid_value", name, reason));
                }
                Err(twice) => issues.extend(twice.into_issues()),
            }
        }
        let [page, results] = numbers;
        if issues.is_empty() {
            Ok(Self { page, results: results.min(RESULTS_MAX) })
        } else {
            Err(Problem::invalid(issues))
        }
    }

    /// Items before this page; saturates, since a page past the end is empty and no error.
    #[must_use]
    pub fn offset(self) -> u64 {
        (self.page - 1).saturating_mul(self.results).min(i64::MAX.unsigned_abs())
    }
}

fn positive(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse::<i64>().ok()).flatten()?;
    u64::try_from(number).ok().filter(|number| *number > 0)
}

/// A page of a list, as its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
pub struct Page<T> {
    items: Vec<T>,
    page: u64,
    total_results: u64,
    total_pages: u64,
}

impl<T> Page<T> {
    /// The page of `items` out of `total_results`.
    #[must_use]
    pub fn new(query: PageQuery, items: Vec<T>, total_results: u64) -> Self {
        Self { items, page: query.page, total_results, total_pages: total_results.div_ceil(query.results) }
    }

    /// The `link` header of RFC 8288: `first` and `last` of a list that has pages, `prev` and `next` where there are
    /// any. `url` is the list's own address without a query; `filters` are the parameters that made it this list.
    #[must_use]
    pub fn links(&self, url: &str, filters: &[(&str, &str)], results: u64) -> Option<HeaderValue> {
        let last = self.total_pages;
        let previous = (self.page > 1).then(|| (self.page - 1).min(last));
        let next = (self.page < last).then(|| self.page + 1);
        let places = [("first", Some(1)), ("prev", previous), ("next", next), ("last", Some(last))];
        let filters: Vec<String> = filters
            .iter()
            .map(|(name, value)| format!("{name}={}&", utf8_percent_encode(value, QUERY_VALUE)))
            .collect();
        let filters = filters.concat();
        let links: Vec<String> = places
            .into_iter()
            .filter_map(|(relation, page)| Some((relation, page?)))
            .map(|(relation, page)| format!("<{url}?{filters}page={page}&results={results}>; rel=\"{relation}\""))
            .collect();
        (last > 0).then(|| HeaderValue::try_from(links.join(", ")).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(raw: &str) -> Option<(u64, u64)> {
        PageQuery::of(&Query::parse(Some(raw)).unwrap()).ok().map(|query| (query.page, query.results))
    }

    #[test]
    fn pages_and_results_start_at_one_and_results_end_at_a_hundred() {
        for (raw, expected) in [
            ("", Some((1, 10))),
            ("page=3", Some((3, 10))),
            ("results=100", Some((1, 100))),
            ("results=101", Some((1, 100))),
            ("page=9223372036854775807&results=9223372036854775807", Some((i64::MAX.unsigned_abs(), 100))),
            ("other=x", Some((1, 10))),
            ("page=0", None),
            ("page=-1", None),
            ("page=%2B1", None),
            ("page=", None),
            ("page=1.0", None),
            ("page=x", None),
            ("page=9223372036854775808", None),
            ("page=1&page=2", None),
            ("results=0", None),
            ("results=5&results=5", None),
        ] {
            assert_eq!(asked(raw), expected, "{raw}");
        }
    }

    #[test]
    fn an_offset_does_not_overflow() {
        assert_eq!(PageQuery { page: i64::MAX.unsigned_abs(), results: 100 }.offset(), i64::MAX.unsigned_abs());
        assert_eq!(PageQuery { page: 3, results: 10 }.offset(), 20);
    }

    #[test]
    fn links_lead_where_there_is_something() {
        let link = |page, total| {
            let query = PageQuery { page, results: 10 };
            let list = Page::new(query, Vec::<u8>::new(), total);
            list.links("http://h/x", &[], 10).map(|value| {
                let text = value.to_str().unwrap().replace("http://h/x?page=", "").replace("&results=10", "");
                text.replace("; rel=", "=").replace('"', "")
            })
        };
        for (page, total, expected) in [
            (1, 0, None),
            (5, 0, None),
            (1, 10, Some("<1>=first, <1>=last")),
            (1, 30, Some("<1>=first, <2>=next, <3>=last")),
            (2, 30, Some("<1>=first, <1>=prev, <3>=next, <3>=last")),
            (3, 30, Some("<1>=first, <2>=prev, <3>=last")),
            (9, 30, Some("<1>=first, <3>=prev, <3>=last")),
        ] {
            assert_eq!(link(page, total).as_deref(), expected, "page {page} of {total}");
        }
    }

    #[test]
    fn a_link_keeps_the_filter() {
        let list = Page::new(PageQuery { page: 1, results: 10 }, vec![1], 1);
        let value = list.links("http://h/x", &[("name", "a b&c>")], 10).unwrap();
        assert!(value.to_str().unwrap().starts_with("<http://h/x?name=a%20b%26c%3E&page=1&results=10>; rel=\"first\""));
    }

    #[test]
    fn a_page_is_its_items_and_its_totals() {
        let list = Page::new(PageQuery { page: 2, results: 10 }, vec![7], 11);
        let json = serde_json::to_string(&list).unwrap();
        assert_eq!(json, r#"{"items":[7],"page":2,"total_results":11,"total_pages":2}"#);
    }
}
