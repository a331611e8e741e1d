//! The walk of a packet through the chains, with an answer that is never more certain than the rules allow.

use super::{Action, Chain, Condition, Element, Field, Firewall, Hook, Policy, Sense, Set, Test};

/// What the filters do with a new connection to a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is let through.
    Accepted,
    /// It is let through from somewhere: another rule decides by what is not known here, as the sender's address.
    Depends,
    /// It never arrives; the place that stops it.
    Stopped(String),
}

/// Rules that are walked through for one port.
const STEPS_MAX: usize = 50_000;
/// Chains that jump into each other; the kernel allows 16.
const DEPTH_MAX: usize = 16;
/// `NFPROTO_IPV4`, and `NFPROTO_INET`, whose chains see both families.
const IPV4: u8 = 2;
const INET: u8 = 1;
/// `ct state new`, as a bit.
const STATE_NEW: u32 = 8;
/// The loopback interface has number 1 in every network.
const LOOPBACK: u32 = 1;

/// A packet that opens a connection from another host over IPv4.
#[derive(Debug, Clone, Copy)]
pub struct Packet {
    /// The transport protocol's number.
    pub protocol: u8,
    /// The port that is connected to.
    pub port: u16,
}

impl Firewall {
    /// What becomes of this packet.
    #[must_use]
    pub fn fate(&self, packet: Packet) -> Fate {
        let mut bases: Vec<(&Chain, Hook)> = self
            .chains
            .iter()
            .filter(|chain| [IPV4, INET].contains(&chain.family))
            .filter_map(|chain| Some((chain, chain.hook.filter(|hook| hook.number <= 1)?)))
            .collect();
        bases.sort_by_key(|(_, hook)| (hook.number, hook.priority));
        let mut depends = false;
        for (chain, hook) in bases {
            let mut walk = Walk { all: self, packet, steps: 0, maybe_accepted: false, maybe_stopped: false };
            let end = match walk.chain(chain, 0) {
                End::Open if hook.policy == Policy::Drop => End::Stopped(format!("the policy of {}", chain.place())),
                End::Open => End::Accepted,
                end => end,
            };
            match end {
                End::Stopped(_) if walk.maybe_accepted => depends = true,
                End::Stopped(place) => return Fate::Stopped(place),
                _ => depends |= walk.maybe_stopped,
            }
        }
        if depends { Fate::Depends } else { Fate::Accepted }
    }
}

/// How a chain ended for the packet.
enum End {
    Accepted,
    Stopped(String),
    /// No rule decided.
    Open,
}

struct Walk<'a> {
    all: &'a Firewall,
    packet: Packet,
    steps: usize,
    /// A rule that may or may not match would have let it through.
    maybe_accepted: bool,
    /// A rule that may or may not match would have stopped it.
    maybe_stopped: bool,
}

/// Whether a rule matches the packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Matched {
    Surely,
    /// What it depends on is not known.
    Perhaps,
}

impl Walk<'_> {
    fn chain(&mut self, chain: &Chain, depth: usize) -> End {
        // Once a rule may have led back out of the chain, no rule behind it is met for sure.
        let mut met = Matched::Surely;
        for (at, rule) in chain.rules.iter().enumerate() {
            self.steps += 1;
            if depth > DEPTH_MAX || self.steps > STEPS_MAX {
                (self.maybe_accepted, self.maybe_stopped) = (true, true);
                return End::Open;
            }
            let matches = self.all_of(&rule.conditions, chain);
            if matches == Some(false) {
                continue;
            }
            let surety = if matches == Some(true) { met } else { Matched::Perhaps };
            let (action, surety) = match &rule.action {
                Action::Map(field, name) => match self.mapped(*field, name, chain) {
                    LookUp::Found(element) => (element.action.clone().unwrap_or(Action::Unknown), surety),
                    LookUp::Missing => continue,
                    LookUp::Unknown => (Action::Unknown, Matched::Perhaps),
                },
                action => (action.clone(), surety),
            };
            if surety == Matched::Perhaps && matches!(action, Action::Return | Action::Goto(_)) {
                met = Matched::Perhaps;
            }
            let place = || format!("rule {} of {}", at + 1, chain.place());
            if let Some(end) = self.act(&action, surety, chain, depth, place) {
                return end;
            }
        }
        End::Open
    }

    /// What an action comes to: an end of this chain, or nothing yet.
    fn act(
        &mut self,
        action: &Action,
        matched: Matched,
        chain: &Chain,
        depth: usize,
        place: impl Fn() -> String,
    ) -> Option<End> {
        match (action, matched) {
            (Action::Nothing, _) | (Action::Return, Matched::Perhaps) => None,
            (Action::Accept, Matched::Surely) => Some(End::Accepted),
            (Action::Drop | Action::Reject, Matched::Surely) => Some(End::Stopped(place())),
            (Action::Return, Matched::Surely) => Some(End::Open),
            (Action::Accept, Matched::Perhaps) => {
                self.maybe_accepted = true;
                None
            }
            (Action::Drop | Action::Reject, Matched::Perhaps) => {
                self.maybe_stopped = true;
                None
            }
            (Action::Jump(name) | Action::Goto(name), _) => {
                let target =
                    self.all.chains.iter().find(|target| {
                        (target.family, &target.table, &target.name) == (chain.family, &chain.table, name)
                    });
                let end = target.map_or(End::Open, |target| self.chain(target, depth + 1));
                match (end, matched) {
                    (End::Open, Matched::Surely) if matches!(action, Action::Goto(_)) => Some(End::Open),
                    (End::Open, _) => None,
                    (end, Matched::Surely) => Some(end),
                    (End::Accepted, Matched::Perhaps) => {
                        self.maybe_accepted = true;
                        None
                    }
                    (End::Stopped(_), Matched::Perhaps) => {
                        self.maybe_stopped = true;
                        None
                    }
                }
            }
            (Action::Unknown | Action::Map(..), _) => {
                (self.maybe_accepted, self.maybe_stopped) = (true, true);
                None
            }
        }
    }

    /// Whether all hold; `None` if that is not known and none fails.
    fn all_of(&self, conditions: &[Condition], chain: &Chain) -> Option<bool> {
        let mut all = Some(true);
        for condition in conditions {
            match self.holds(condition, chain) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    fn holds(&self, condition: &Condition, chain: &Chain) -> Option<bool> {
        let field = condition.field;
        match &condition.test {
            Test::Compare(operator, wanted) if matches!(field, Field::Link | Field::LinkName) => {
                is_loopback(field, wanted)?;
                // The packet comes by another interface than loopback.
                match operator {
                    0 => Some(false),
                    1 => Some(true),
                    _ => None,
                }
            }
            Test::Compare(operator, wanted) => compared(&self.value(field)?, *operator, wanted),
            Test::Masked(mask, operator, wanted) => {
                let value = self.value(field)?;
                let masked: Vec<u8> = value.iter().zip(mask).map(|(value, mask)| value & mask).collect();
                compared(&masked, *operator, wanted)
            }
            Test::Range(sense, from, to) => {
                let value = self.value(field)?;
                let inside = compared(&value, 5, from)? && compared(&value, 3, to)?;
                Some(inside == (*sense == Sense::Holds))
            }
            Test::In(sense, name) => {
                let value = self.value(field)?;
                let found = match self.set(name, chain)?.find(&value) {
                    LookUp::Unknown => return None,
                    LookUp::Missing => false,
                    LookUp::Found(_) => true,
                };
                Some(found == (*sense == Sense::Holds))
            }
            Test::Unknown => None,
        }
    }

    /// The packet's value of a field, in the bytes that filters compare; `None` if it is not known.
    fn value(&self, field: Field) -> Option<Vec<u8>> {
        match field {
            Field::Protocol => Some(vec![self.packet.protocol]),
            Field::Family => Some(vec![IPV4]),
            Field::Port => Some(self.packet.port.to_be_bytes().to_vec()),
            Field::State => Some(STATE_NEW.to_ne_bytes().to_vec()),
            Field::Link | Field::LinkName | Field::Other => None,
        }
    }

    fn set(&self, name: &str, chain: &Chain) -> Option<&Set> {
        self.all
            .sets
            .iter()
            .find(|set| (set.family, &set.table, set.name.as_str()) == (chain.family, &chain.table, name))
    }

    /// What a map says of this packet.
    fn mapped(&self, field: Field, name: &str, chain: &Chain) -> LookUp<'_> {
        match (self.value(field), self.set(name, chain)) {
            (Some(value), Some(set)) => set.find(&value),
            _ => LookUp::Unknown,
        }
    }
}

/// What came of looking a value up.
#[derive(Debug, Clone, Copy)]
enum LookUp<'a> {
    /// It cannot be told.
    Unknown,
    /// It is not there.
    Missing,
    /// It is.
    Found(&'a Element),
}

impl<'a> From<Option<&'a Element>> for LookUp<'a> {
    fn from(found: Option<&'a Element>) -> Self {
        found.map_or(Self::Missing, Self::Found)
    }
}

/// `Some` if a test of an interface names loopback.
fn is_loopback(field: Field, wanted: &[u8]) -> Option<()> {
    let named = match field {
        Field::Link => wanted.first_chunk().copied().map(u32::from_ne_bytes) == Some(LOOPBACK),
        _ => wanted == b"lo" || wanted.starts_with(b"lo\0"),
    };
    named.then_some(())
}

/// Compares bytes of one length, the first counting most; `None` where that makes no sense.
fn compared(value: &[u8], operator: u32, wanted: &[u8]) -> Option<bool> {
    let order = (value.len() == wanted.len()).then(|| value.cmp(wanted))?;
    Some(match operator {
        0 => order.is_eq(),
        1 => order.is_ne(),
        2 => order.is_lt(),
        3 => order.is_le(),
        4 => order.is_gt(),
        5 => order.is_ge(),
        _ => return None,
    })
}

impl Set {
    /// The element for a value; not known if the set's keys are made of more than this value.
    fn find(&self, value: &[u8]) -> LookUp<'_> {
        if self.elements.iter().any(|element| element.key.len() != value.len()) {
            return LookUp::Unknown;
        }
        let intervals = self.elements.iter().any(|element| element.ends);
        if !intervals {
            let covers = |element: &&Element| match &element.until {
                Some(until) => (element.key.as_slice()..=until.as_slice()).contains(&value),
                None => element.key == value,
            };
            return self.elements.iter().find(covers).into();
        }
        let mut sorted: Vec<&Element> = self.elements.iter().collect();
        // An interval that begins where another ends stands behind that end.
        sorted.sort_by(|a, b| a.key.cmp(&b.key).then(b.ends.cmp(&a.ends)));
        let before = sorted.into_iter().rev().find(|element| element.key.as_slice() <= value);
        before.filter(|element| !element.ends).into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Rule;
    use super::*;

    const TCP_8090: Packet = Packet { protocol: 6, port: 8090 };

    fn port(operator: u32, port: u16) -> Condition {
        Condition { field: Field::Port, test: Test::Compare(operator, port.to_be_bytes().to_vec()) }
    }

    fn tcp() -> Condition {
        Condition { field: Field::Protocol, test: Test::Compare(0, vec![6]) }
    }

    fn other() -> Condition {
        Condition { field: Field::Other, test: Test::Compare(0, vec![10, 0, 0, 1]) }
    }

    fn state(mask: u32) -> Condition {
        let test = Test::Masked(mask.to_ne_bytes().to_vec(), 1, vec![0; 4]);
        Condition { field: Field::State, test }
    }

    fn link(operator: u32, name: &[u8]) -> Condition {
        Condition { field: Field::LinkName, test: Test::Compare(operator, name.to_vec()) }
    }

    fn rule(conditions: Vec<Condition>, action: Action) -> Rule {
        Rule { conditions, action }
    }

    fn input(policy: Policy, rules: Vec<Rule>) -> Chain {
        let hook = Some(Hook { number: 1, priority: 0, policy });
        Chain { family: INET, table: "filter".into(), name: "input".into(), hook, rules }
    }

    fn fate(policy: Policy, rules: Vec<Rule>) -> Fate {
        Firewall { chains: vec![input(policy, rules)], ..Firewall::default() }.fate(TCP_8090)
    }

    fn stopped(place: &str) -> Fate {
        Fate::Stopped(format!("{place} inet filter input"))
    }

    #[test]
    fn rules_decide_in_their_order() {
        use Action::{Accept, Drop, Nothing, Reject, Return};
        for (policy, rules, expected) in [
            (Policy::Accept, vec![], Fate::Accepted),
            (Policy::Drop, vec![], stopped("the policy of")),
            (Policy::Drop, vec![rule(vec![tcp(), port(0, 8090)], Accept)], Fate::Accepted),
            (Policy::Drop, vec![rule(vec![tcp(), port(0, 22)], Accept)], stopped("the policy of")),
            (Policy::Accept, vec![rule(vec![tcp(), port(0, 8090)], Drop)], stopped("rule 1 of")),
            (Policy::Accept, vec![rule(vec![], Nothing), rule(vec![port(4, 8000)], Reject)], stopped("rule 2 of")),
            // What is about established connections or loopback does not meet a new one from elsewhere.
            (Policy::Drop, vec![rule(vec![state(2 | 4)], Accept)], stopped("the policy of")),
            (Policy::Drop, vec![rule(vec![state(8)], Accept)], Fate::Accepted),
            (Policy::Drop, vec![rule(vec![link(0, b"lo\0")], Accept)], stopped("the policy of")),
            (Policy::Accept, vec![rule(vec![link(1, b"lo"), port(0, 8090)], Drop)], stopped("rule 1 of")),
            // What depends on the sender is not decided.
            (Policy::Drop, vec![rule(vec![other(), port(0, 8090)], Accept)], Fate::Depends),
            (Policy::Accept, vec![rule(vec![other()], Drop)], Fate::Depends),
            (Policy::Drop, vec![rule(vec![link(0, b"eth0\0")], Accept)], Fate::Depends),
            (Policy::Drop, vec![rule(vec![], Action::Unknown)], Fate::Depends),
            // To leave a chain early decides nothing where the rest of it does not either.
            (Policy::Accept, vec![rule(vec![other()], Return), rule(vec![port(0, 22)], Drop)], Fate::Accepted),
            (Policy::Accept, vec![rule(vec![other()], Return), rule(vec![port(0, 8090)], Drop)], Fate::Depends),
            (Policy::Drop, vec![rule(vec![other()], Return), rule(vec![port(0, 8090)], Accept)], Fate::Depends),
        ] {
            assert_eq!(fate(policy, rules.clone()), expected, "{policy:?} {rules:?}");
        }
    }

    #[test]
    fn chains_are_jumped_to_and_left() {
        let sub = |rules| Chain { family: INET, table: "filter".into(), name: "iggy".into(), hook: None, rules };
        for (action, rules, expected) in [
            (Action::Jump("iggy".into()), vec![rule(vec![port(0, 8090)], Action::Accept)], Fate::Accepted),
            (Action::Jump("iggy".into()), vec![rule(vec![], Action::Return)], stopped("the policy of")),
            (Action::Goto("iggy".into()), vec![], stopped("the policy of")),
            (Action::Jump("gone".into()), vec![], stopped("the policy of")),
            (Action::Jump("iggy".into()), vec![rule(vec![], Action::Jump("iggy".into()))], Fate::Depends),
        ] {
            let chains = vec![input(Policy::Drop, vec![rule(vec![], action.clone())]), sub(rules)];
            assert_eq!(Firewall { chains, ..Firewall::default() }.fate(TCP_8090), expected, "{action:?}");
        }
    }

    #[test]
    fn sets_intervals_and_maps_are_looked_up() {
        let element = |port: u16, ends| Element { key: port.to_be_bytes().to_vec(), ends, ..Element::default() };
        let set = |elements| Set { family: INET, table: "filter".into(), name: "ports".into(), elements };
        let inside = |elements| {
            let test = Test::In(Sense::Holds, "ports".into());
            let rules = vec![rule(vec![Condition { field: Field::Port, test }], Action::Accept)];
            let all =
                Firewall { chains: vec![input(Policy::Drop, rules)], sets: vec![set(elements)], ..Firewall::default() };
            all.fate(TCP_8090) == Fate::Accepted
        };
        for (elements, expected) in [
            (vec![element(22, false), element(8090, false)], true),
            (vec![element(22, false)], false),
            (vec![element(0, true), element(8000, false), element(8091, true)], true),
            (vec![element(0, true), element(8000, false), element(8090, true)], false),
            (vec![element(8090, true), element(8080, false), element(8090, false), element(8091, true)], true),
            (vec![Element { until: Some(9000_u16.to_be_bytes().to_vec()), ..element(8000, false) }], true),
        ] {
            assert_eq!(inside(elements.clone()), expected, "{elements:?}");
        }
        let state = |bits: u32, action| Element {
            key: bits.to_ne_bytes().to_vec(),
            action: Some(action),
            ..Element::default()
        };
        let map = Set { elements: vec![state(2, Action::Accept), state(8, Action::Drop)], ..set(Vec::new()) };
        let rules = vec![rule(vec![], Action::Map(Field::State, "ports".into()))];
        let all = Firewall { chains: vec![input(Policy::Accept, rules)], sets: vec![map], ..Firewall::default() };
        assert_eq!(all.fate(TCP_8090), stopped("rule 1 of"));
    }

    #[test]
    fn every_chain_on_the_way_must_let_it_through() {
        let early = Chain {
            hook: Some(Hook { number: 0, priority: -300, policy: Policy::Drop }),
            name: "raw".into(),
            ..input(Policy::Accept, vec![])
        };
        let all = Firewall { chains: vec![input(Policy::Accept, vec![]), early], ..Firewall::default() };
        assert_eq!(all.fate(TCP_8090), Fate::Stopped("the policy of inet filter raw".into()));
        let six = Chain { family: 10, ..input(Policy::Drop, vec![]) };
        assert_eq!(Firewall { chains: vec![six], ..Firewall::default() }.fate(TCP_8090), Fate::Accepted);
    }
}
