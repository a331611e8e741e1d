//! Paging: `page` and `results` in, a page with its totals and its `link` header out.

use std::num::{NonZeroU32, NonZeroU64};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use warp::http::HeaderValue;

use super::answer::Answer;
use super::problem::{Issue, Problem};
use super::query::Query;
use crate::store::{PageRequest, Paged};

/// What RFC 3986 calls unreserved stays as it is in a link.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The page that a query asks for.
///
/// # Errors
/// A number that is none, zero, negative, beyond 63 bits or given twice; the issues of both parameters.
pub fn requested(query: &Query) -> Result<PageRequest, Problem> {
    let (mut issues, defaults) = (Vec::new(), PageRequest::default());
    let mut numbers = [defaults.page(), u64::from(defaults.results())];
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
    let page = NonZeroU64::new(page).unwrap_or(NonZeroU64::MIN);
    let results = u32::try_from(results).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MAX);
    if issues.is_empty() { Ok(PageRequest::new(page, results)) } else { Err(Problem::invalid(issues)) }
}

fn positive(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse::<i64>().ok()).flatten()?;
    u64::try_from(number).ok().filter(|number| *number > 0)
}

/// A page of a list, as its body.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
struct Page<T> {
    items: Vec<T>,
    page: u64,
    total_results: u64,
    total_pages: u64,
}

/// 200 with a page. `url` is the list's own address without a query; `filters` are the parameters that made it this list.
#[must_use]
pub fn answer<T: Serialize>(request: PageRequest, found: Paged<T>, url: &str, filters: &[(&str, &str)]) -> Answer {
    let total_pages = found.total_pages(request);
    let page = Page { items: found.items, page: request.page(), total_results: found.total, total_pages };
    let answer = Answer::json(&page);
    match links(request, total_pages, url, filters) {
        Some(links) => answer.with("link", links),
        None => answer,
    }
}

/// The `link` header of RFC 8288: `first` and `last` of a list that has pages, `prev` and `next` where there are any.
fn links(request: PageRequest, last: u64, url: &str, filters: &[(&str, &str)]) -> Option<HeaderValue> {
    let (page, results) = (request.page(), request.results());
    let previous = (page > 1).then(|| (page - 1).min(last));
    let next = (page < last).then(|| page + 1);
    let places = [("first", Some(1)), ("prev", previous), ("next", next), ("last", Some(last))];
    let filters: Vec<String> =
        filters.iter().map(|(name, value)| format!("{name}={}&", utf8_percent_encode(value, QUERY_VALUE))).collect();
    let filters = filters.concat();
    let links: Vec<String> = places
        .into_iter()
        .filter_map(|(relation, page)| Some((relation, page?)))
        .map(|(relation, page)| format!("<{url}?{filters}page={page}&results={results}>; rel=\"{relation}\""))
        .collect();
    (last > 0).then(|| HeaderValue::try_from(links.join(", ")).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(raw: &str) -> Option<(u64, u32)> {
        let request = requested(&Query::parse(Some(raw)).unwrap());
        request.ok().map(|request| (request.page(), request.results()))
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

    fn request(page: u64) -> PageRequest {
        PageRequest::new(NonZeroU64::new(page).unwrap(), NonZeroU32::new(10).unwrap())
    }

    #[test]
    fn links_lead_where_there_is_something() {
        for (page, total, expected) in [
            (1, 0, None),
            (5, 0, None),
            (1, 1, Some("<1>=first, <1>=last")),
            (1, 3, Some("<1>=first, <2>=next, <3>=last")),
            (2, 3, Some("<1>=first, <1>=prev, <3>=next, <3>=last")),
            (3, 3, Some("<1>=first, <2>=prev, <3>=last")),
            (9, 3, Some("<1>=first, <3>=prev, <3>=last")),
        ] {
            let shown = links(request(page), total, "http://h/x", &[]).map(|value| {
                let text = value.to_str().unwrap().replace("http://h/x?page=", "").replace("&results=10", "");
                text.replace("; rel=", "=").replace('"', "")
            });
            assert_eq!(shown.as_deref(), expected, "page {page} of {total}");
        }
    }

    #[test]
    fn a_link_keeps_the_filter() {
        let value = links(request(1), 1, "http://h/x", &[("name", "a b&c>")]).unwrap();
        assert!(value.to_str().unwrap().starts_with("<http://h/x?name=a%20b%26c%3E&page=1&results=10>; rel=\"first\""));
    }

    #[test]
    fn a_page_is_its_items_and_its_totals() {
        let page = answer(request(2), Paged { items: vec![7], total: 11 }, "http://h/x", &[]);
        assert_eq!(page.body, br#"{"items":[7],"page":2,"total_results":11,"total_pages":2}"#);
        let empty = answer(request(1), Paged::<u8> { items: vec![], total: 0 }, "http://h/x", &[]);
        assert_eq!(empty.body, br#"{"items":[],"page":1,"total_results":0,"total_pages":0}"#);
        assert!(!empty.headers.iter().any(|(name, _)| name == "link"));
    }
}
