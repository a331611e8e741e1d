//! The query of a request: decoded pairs, each name at most once where it counts.

use percent_encoding::percent_decode_str;

use super::problem::{Issue, Problem};

/// Pairs that are looked at; a request with more is refused.
const PAIRS_MAX: usize = 64;

/// The decoded pairs in their order. Names that no endpoint asks for are ignored: clients send more than we know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// The pairs of this raw query.
    ///
    /// # Errors
    /// More than 64 pairs, or text that is not UTF-8 once decoded.
    pub fn parse(raw: Option<&str>) -> Result<Self, Problem> {
        let pairs = raw.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let decoded: Option<Vec<_>> = pairs
            .take(PAIRS_MAX + 1)
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Some((decode(name)?, decode(value)?))
            })
            .collect();
        match decoded {
            Some(pairs) if pairs.len() <= PAIRS_MAX => Ok(Self(pairs)),
            Some(_) => Err(refused("out_of_range", format!("A query has at most {PAIRS_MAX} parameters."))),
            None => Err(refused("invalid_value", "The query is not percent-encoded UTF-8.".to_owned())),
        }
    }

    /// The value of `name`, if it is there.
    ///
    /// # Errors
    /// When it is there twice.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        if values.next().is_some() {
            let reason = format!("The parameter {name} is given more than once; give it once.");
            return Err(Problem::invalid(vec![Issue::new("duplicate", name, reason)]));
        }
        Ok(value)
    }
}

fn refused(code: &'static str, reason: String) -> Problem {
    Problem::invalid(vec![Issue::new(code, "query", reason)])
}

/// `application/x-www-form-urlencoded`: a plus is a space.
fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let query = Query::parse(Some("name=a+b%26c&empty&x=1&&y=%C3%A4")).unwrap();
        for (name, value) in
            [("name", Some("a b&c")), ("empty", Some("")), ("x", Some("1")), ("y", Some("ä")), ("z", None)]
        {
            assert_eq!(query.one(name).unwrap(), value, "{name}");
        }
        assert_eq!(Query::parse(None).unwrap(), Query::default());
    }

    #[test]
    fn a_parameter_given_twice_is_refused_where_it_counts() {
        let query = Query::parse(Some("page=1&page=1&x=1")).unwrap();
        assert!(query.one("page").is_err());
        assert_eq!(query.one("x").unwrap(), Some("1"));
    }

    #[test]
    fn what_is_no_text_or_too_much_is_refused() {
        assert!(Query::parse(Some("name=%FF")).is_err());
        assert!(Query::parse(Some(&"a=1&".repeat(PAIRS_MAX))).is_ok());
        assert!(Query::parse(Some(&"a=1&".repeat(PAIRS_MAX + 1))).is_err());
    }
}
