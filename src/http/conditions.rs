//! Preconditions of RFC 9110, section 13, against one strong entity tag. Pure.
//!
//! There is no `last-modified`, so the conditions on dates never hold for us: `if-range` with a date asks for the whole.

use warp::http::HeaderMap;
use warp::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH, IF_RANGE};

/// A strong entity tag, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTag(String);

impl EntityTag {
    /// The tag of content with this digest.
    #[must_use]
    pub fn of_sha256(hexadecimal: &str) -> Self {
        Self(format!("\"{hexadecimal}\""))
    }

    /// As a header shows it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the preconditions leave to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Send it.
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: it is not what the client means.
    Failed,
}

/// Weighs `if-match` and then `if-none-match`, in the order of RFC 9110, section 13.2.2.
#[must_use]
pub fn outcome(headers: &HeaderMap, tag: &EntityTag) -> Outcome {
    if let Some(list) = listed(headers, &IF_MATCH)
        && !list.iter().any(|listed| listed == "*" || listed == tag.as_str())
    {
        return Outcome::Failed;
    }
    match listed(headers, &IF_NONE_MATCH) {
        Some(list) if list.iter().any(|listed| listed == "*" || weakly(listed) == tag.as_str()) => Outcome::NotModified,
        _ => Outcome::Proceed,
    }
}

/// Whether a `range` counts: without `if-range` always, with it when it names exactly this content.
#[must_use]
pub fn range_counts(headers: &HeaderMap, tag: &EntityTag) -> bool {
    headers.get(IF_RANGE).is_none_or(|value| value.to_str().is_ok_and(|text| text.trim() == tag.as_str()))
}

/// The tag without its mark of weakness: `if-none-match` compares weakly.
fn weakly(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// The members of a header's list; `None` without the header. Our tags hold no comma, so splitting there is enough.
fn listed(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    headers.contains_key(name).then(|| {
        let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
        lines.flat_map(|line| line.split(',')).map(|member| member.trim().to_owned()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn if_match_compares_strongly_and_if_none_match_weakly() {
        let tag = EntityTag::of_sha256("ab");
        for (pairs, expected) in [
            (&[][..], Outcome::Proceed),
            (&[(IF_MATCH, "\"ab\"")], Outcome::Proceed),
            (&[(IF_MATCH, "*")], Outcome::Proceed),
            (&[(IF_MATCH, "\"x\", \"ab\"")], Outcome::Proceed),
            (&[(IF_MATCH, "W/\"ab\"")], Outcome::Failed),
            (&[(IF_MATCH, "\"x\"")], Outcome::Failed),
            (&[(IF_MATCH, "")], Outcome::Failed),
            (&[(IF_NONE_MATCH, "\"ab\"")], Outcome::NotModified),
            (&[(IF_NONE_MATCH, "W/\"ab\"")], Outcome::NotModified),
            (&[(IF_NONE_MATCH, "*")], Outcome::NotModified),
            (&[(IF_NONE_MATCH, "\"x\"")], Outcome::Proceed),
            (&[(IF_NONE_MATCH, "\"x\""), (IF_NONE_MATCH, "\"ab\"")], Outcome::NotModified),
            (&[(IF_MATCH, "\"x\""), (IF_NONE_MATCH, "\"ab\"")], Outcome::Failed),
        ] {
            assert_eq!(outcome(&headers(pairs), &tag), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_range_counts_for_exactly_the_content_it_was_begun_with() {
        let tag = EntityTag::of_sha256("ab");
        for (value, counts) in [
            (None, true),
            (Some("\"ab\""), true),
            (Some("W/\"ab\""), false),
            (Some("\"other\""), false),
            (Some("Mon, 01 Jun 2026 10:30:00 GMT"), false),
        ] {
            let pairs: Vec<_> = value.map(|value| (IF_RANGE, value)).into_iter().collect();
            assert_eq!(range_counts(&headers(&pairs), &tag), counts, "{value:?}");
        }
    }
}
