//! Packet filters of `nf_tables`, and what they do with a new connection to a port.
//!
//! A rule is kept as what it asks of a packet and what it does then. Questions that are not understood are kept as such:
//! an answer is then never more certain than the rules allow.

mod fate;

pub use fate::{Fate, Packet};

use serde::{Deserialize, Serialize};

use super::Key;

/// The filters of this host.
pub const FIREWALL: Key<Firewall> = Key::new("net.firewall");

/// All filters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firewall {
    /// The chains of rules.
    pub chains: Vec<Chain>,
    /// The sets and maps that rules look things up in.
    pub sets: Vec<Set>,
    /// Tables of the older kind of filters (`iptables-legacy`), which are not read.
    pub legacy: Vec<String>,
}

/// A chain of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The family's number: 1 inet, 2 ip, 10 ip6.
    pub family: u8,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Where the kernel enters it; `None` for one that only rules jump to.
    pub hook: Option<Hook>,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// Where the kernel enters a chain, and what happens at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// 0 prerouting, 1 input.
    pub number: u32,
    /// Lower ones come first.
    pub priority: i32,
    /// What becomes of a packet that no rule decided about.
    pub policy: Policy,
}

/// What becomes of a packet that no rule decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// It goes on.
    Accept,
    /// It is dropped.
    Drop,
}

/// A rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it asks; all must be so.
    pub conditions: Vec<Condition>,
    /// What it does then.
    pub action: Action,
}

/// What a rule does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing that decides: it counts, or logs.
    #[default]
    Nothing,
    /// The packet goes on to the next chain.
    Accept,
    /// It is dropped.
    Drop,
    /// It is refused.
    Reject,
    /// The rules of another chain, and then the next one.
    Jump(String),
    /// The rules of another chain in place of the rest.
    Goto(String),
    /// Back to where this chain was jumped to from.
    Return,
    /// What the map says of the field.
    Map(Field, String),
    /// Something that is not understood (a program decides, an extension).
    Unknown,
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The transport protocol.
    Protocol,
    /// IPv4 or IPv6.
    Family,
    /// The port that is connected to.
    Port,
    /// The interface's name.
    LinkName,
    /// The interface's number.
    Link,
    /// Whether the connection is new.
    State,
    /// Anything else: addresses, marks, users.
    Other,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// About what.
    pub field: Field,
    /// What is asked of it.
    pub test: Test,
}

/// What is asked of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Compared with a value: 0 equal, 1 not equal, 2 less, 3 less or equal, 4 greater, 5 greater or equal.
    Compare(u32, Vec<u8>),
    /// Compared after masking.
    Masked(Vec<u8>, u32, Vec<u8>),
    /// Between two values, both included.
    Range(Sense, Vec<u8>, Vec<u8>),
    /// In a set.
    In(Sense, String),
    /// Not understood.
    Unknown,
}

/// Whether a test must hold or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sense {
    /// It must.
    Holds,
    /// It must not.
    Fails,
}

/// A set, or a map to actions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Set {
    /// The family of its table.
    pub family: u8,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its elements, in order of their keys. In a set of intervals each begins one, or ends it.
    pub elements: Vec<Element>,
}

/// An element of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Element {
    /// Its key.
    pub key: Vec<u8>,
    /// The end of an interval that begins with `key`, where the set keeps both.
    pub until: Option<Vec<u8>>,
    /// Whether it is the first key behind an interval.
    pub ends: bool,
    /// What a map says of it.
    pub action: Option<Action>,
}

impl Firewall {
    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.chains.iter().map(|chain| chain.rules.len()).sum()
    }
}

impl Chain {
    /// `inet filter input`.
    #[must_use]
    pub fn place(&self) -> String {
        let family = match self.family {
            1 => "inet",
            2 => "ip",
            10 => "ip6",
            5 => "netdev",
            7 => "bridge",
            3 => "arp",
            _ => "?",
        };
        format!("{family} {} {}", self.table, self.name)
    }
}
