//! The rules of `nf_tables`, over netlink. Nothing is asked that would make the kernel load a module.

use super::super::root::Host;
use super::super::scene::Scene;
use super::netlink::{self, Message, NETLINK_NETFILTER, attribute, attribute_of, attributes, number_be, text};
use crate::evidence::Observed;
use crate::evidence::firewall::{
    Action, Chain, Condition, Element, Field, Firewall, Hook, Policy, Rule, Sense, Set, Test,
};

/// `NFNL_SUBSYS_NFTABLES`, above the message.
const TABLES: u16 = 10 << 8;
/// `NFT_MSG_NEWCHAIN`, `_GETCHAIN`, `_NEWRULE`, `_GETRULE`, `_NEWSET`, `_GETSET`, `_NEWSETELEM`, `_GETSETELEM`.
const NEW_CHAIN: u16 = TABLES | 0x3;
const GET_CHAINS: u16 = TABLES | 0x4;
const NEW_RULE: u16 = TABLES | 0x6;
const GET_RULES: u16 = TABLES | 0x7;
const NEW_SET: u16 = TABLES | 0x9;
const GET_SETS: u16 = TABLES | 0xa;
const NEW_ELEMENTS: u16 = TABLES | 0xc;
const GET_ELEMENTS: u16 = TABLES | 0xd;
/// Bytes of `struct nfgenmsg`.
const HEADER_BYTES: usize = 4;
/// The row of /proc/net/netlink that nfnetlink has when it is there.
const NETFILTER_ROW: &str = "12";
/// Sets whose elements are asked for, and elements that are kept of each.
const SETS_MAX: usize = 256;
const ELEMENTS_MAX: usize = 8_192;
/// Rules that are kept.
const RULES_MAX: usize = 20_000;

pub(super) fn firewall(scene: &Scene) -> Observed<Firewall> {
    let host = &scene.host;
    // Only root may read the names of older tables; to nobody else do they say anything.
    let legacy = host.text("/proc/net/ip_tables_names").unwrap_or_default();
    let legacy = legacy.lines().map(str::to_owned).collect();
    let there = is_there(host);
    host.call("firewall", || {
        if there { Ok(Firewall { legacy, ..ask()? }) } else { Ok(Firewall { legacy, ..Firewall::default() }) }
    })
}

/// Whether the kernel has `nf_tables` already: asking for a part that is not there would make it load one.
fn is_there(host: &Host) -> bool {
    let sockets = host.text("/proc/net/netlink").unwrap_or_default();
    if !sockets.lines().any(|line| line.split_ascii_whitespace().nth(1) == Some(NETFILTER_ROW)) {
        return false;
    }
    // A kernel without loadable modules cannot load one.
    let Ok(modules) = host.text("/proc/modules") else { return true };
    let release = host.trimmed("/proc/sys/kernel/osrelease").unwrap_or_default();
    modules.lines().any(|line| line.starts_with("nf_tables "))
        || host
            .text(&format!("/lib/modules/{release}/modules.builtin"))
            .is_ok_and(|text| text.contains("/nf_tables.ko"))
}

fn ask() -> Observed<Firewall> {
    let table = |kind: u16, family: u8, more: &[u8]| {
        let body = [&[family, 0, 0, 0], more].concat();
        netlink::table(NETLINK_NETFILTER, kind, &body)
            .map_err(|error| netlink::gap(&error, "firewall rules", "CAP_NET_ADMIN"))
    };
    let mut chains: Vec<Chain> = table(GET_CHAINS, 0, &[])?.iter().filter_map(chain).collect();
    for message in table(GET_RULES, 0, &[])?.iter().take(RULES_MAX) {
        let Some((family, table, name, rule)) = rule(message) else { continue };
        let of = |chain: &&mut Chain| (chain.family, &chain.table, &chain.name) == (family, &table, &name);
        if let Some(chain) = chains.iter_mut().find(of) {
            chain.rules.push(rule);
        }
    }
    let mut sets: Vec<Set> = table(GET_SETS, 0, &[])?.iter().filter_map(set).take(SETS_MAX).collect();
    for set in &mut sets {
        let named = [nul(1, &set.table), nul(2, &set.name)].concat();
        // A set that went away in between has no elements any more.
        let found = table(GET_ELEMENTS, set.family, &named).unwrap_or_default();
        set.elements = found.iter().flat_map(elements).take(ELEMENTS_MAX).collect();
    }
    Ok(Firewall { chains, sets, legacy: Vec::new() })
}

fn nul(kind: u16, value: &str) -> Vec<u8> {
    attribute_of(kind, &[value.as_bytes(), &[0]].concat())
}

/// The family and the attributes of a message of this type.
fn open(message: &Message, kind: u16) -> Option<(u8, &[u8])> {
    (message.kind == kind).then_some(())?;
    Some((*message.body.first()?, message.body.get(HEADER_BYTES..)?))
}

/// `NFTA_CHAIN_*`: 1 table, 3 name, 4 hook (1 number, 2 priority), 5 policy.
fn chain(message: &Message) -> Option<Chain> {
    let (family, all) = open(message, NEW_CHAIN)?;
    let hook = attribute(all, 4).and_then(|hook| {
        Some(Hook {
            number: number_be(attribute(hook, 1)?)?,
            priority: number_be(attribute(hook, 2)?)?.cast_signed(),
            policy: match attribute(all, 5).and_then(number_be) {
                Some(0) => Policy::Drop,
                _ => Policy::Accept,
            },
        })
    });
    Some(Chain { family, table: text(attribute(all, 1)?), name: text(attribute(all, 3)?), hook, rules: Vec::new() })
}

/// `NFTA_RULE_*`: 1 table, 2 chain, 4 expressions (each 1 name, 2 data).
fn rule(message: &Message) -> Option<(u8, String, String, Rule)> {
    let (family, all) = open(message, NEW_RULE)?;
    let mut reader = Reader::default();
    for (_, expression) in attributes(attribute(all, 4).unwrap_or_default()) {
        let name = attribute(expression, 1).map(text).unwrap_or_default();
        reader.read(&name, attribute(expression, 2).unwrap_or_default());
    }
    Some((family, text(attribute(all, 1)?), text(attribute(all, 2)?), reader.rule))
}

/// Reads expressions one by one: they load fields into registers and test what is there.
#[derive(Default)]
struct Reader {
    rule: Rule,
    /// Register → field, and the mask that was laid over it.
    registers: Vec<(u32, Field, Option<Vec<u8>>)>,
}

impl Reader {
    fn read(&mut self, name: &str, data: &[u8]) {
        let value = |kind: u16| attribute(data, kind).and_then(number_be);
        match name {
            "meta" => self.load(
                value(1),
                match value(2) {
                    Some(4) => Field::Link,
                    Some(6) => Field::LinkName,
                    Some(15) => Field::Family,
                    Some(16) => Field::Protocol,
                    _ => Field::Other,
                },
            ),
            // Two bytes at the third of the transport header: the port of the other end's wish, in TCP and UDP alike.
            "payload" => {
                let port = (value(2), value(3), value(4)) == (Some(2), Some(2), Some(2));
                self.load(value(1), if port { Field::Port } else { Field::Other });
            }
            "ct" => self.load(value(1), if value(2) == Some(0) { Field::State } else { Field::Other }),
            "bitwise" => self.mask(value(1), value(2), attribute(data, 4), attribute(data, 5)),
            "cmp" => {
                let wanted = attribute(data, 3).and_then(|data| attribute(data, 1)).map(<[u8]>::to_vec);
                self.compare(value(1), value(2), wanted);
            }
            "range" => {
                let bound = |kind: u16| Some(attribute(attribute(data, kind)?, 1)?.to_vec());
                let test = match (bound(3), bound(4)) {
                    (Some(from), Some(to)) => Test::Range(sense(value(2)), from, to),
                    _ => Test::Unknown,
                };
                self.test(value(1), test);
            }
            "lookup" => self.look_up(data),
            "immediate" => {
                if let Some(verdict) = attribute(data, 2).and_then(|data| attribute(data, 2)) {
                    self.rule.action = action(verdict);
                }
            }
            "reject" => self.rule.action = Action::Reject,
            "counter" | "log" | "notrack" | "comment" | "last" => {}
            "queue" | "tproxy" | "synproxy" | "dup" | "fwd" | "target" => self.rule.action = Action::Unknown,
            // Addresses, limits, extensions of iptables: they ask something that is not known here.
            _ => self.rule.conditions.push(Condition { field: Field::Other, test: Test::Unknown }),
        }
    }

    fn load(&mut self, register: Option<u32>, field: Field) {
        let Some(register) = register else { return };
        self.registers.retain(|(known, ..)| *known != register);
        self.registers.push((register, field, None));
    }

    fn field(&self, register: Option<u32>) -> (Field, Option<Vec<u8>>) {
        let found = self.registers.iter().find(|(known, ..)| Some(*known) == register);
        found.map_or((Field::Other, None), |(_, field, mask)| (*field, mask.clone()))
    }

    fn mask(&mut self, from: Option<u32>, to: Option<u32>, mask: Option<&[u8]>, flips: Option<&[u8]>) {
        let bytes = |data: Option<&[u8]>| data.and_then(|data| attribute(data, 1)).map(<[u8]>::to_vec);
        let (field, before) = self.field(from);
        let plain = bytes(flips).is_none_or(|flips| flips.iter().all(|byte| *byte == 0));
        let Some(to) = to else { return };
        self.registers.retain(|(known, ..)| *known != to);
        // Flipped bits, or a mask over a mask, are more than is understood.
        match bytes(mask).filter(|_| plain && before.is_none()) {
            Some(mask) => self.registers.push((to, field, Some(mask))),
            None => self.registers.push((to, Field::Other, None)),
        }
    }

    fn compare(&mut self, register: Option<u32>, operator: Option<u32>, wanted: Option<Vec<u8>>) {
        let test = match (self.field(register).1, operator, wanted) {
            (None, Some(operator), Some(wanted)) => Test::Compare(operator, wanted),
            (Some(mask), Some(operator), Some(wanted)) => Test::Masked(mask, operator, wanted),
            _ => Test::Unknown,
        };
        self.test(register, test);
    }

    fn test(&mut self, register: Option<u32>, test: Test) {
        self.rule.conditions.push(Condition { field: self.field(register).0, test });
    }

    /// `NFTA_LOOKUP_*`: 1 set, 2 source register, 3 destination register, 5 flags (1 inverts).
    fn look_up(&mut self, data: &[u8]) {
        let value = |kind: u16| attribute(data, kind).and_then(number_be);
        let name = attribute(data, 1).map(text).unwrap_or_default();
        let (field, mask) = self.field(value(2));
        match (value(3), mask) {
            // Into the register of verdicts.
            (Some(0), None) => self.rule.action = Action::Map(field, name),
            (Some(0), Some(_)) => self.rule.action = Action::Unknown,
            (Some(register), _) => self.load(Some(register), Field::Other),
            (None, None) => self.test(value(2), Test::In(sense(value(5)), name)),
            (None, Some(_)) => self.test(value(2), Test::Unknown),
        }
    }
}

/// 1 inverts.
fn sense(flag: Option<u32>) -> Sense {
    if flag.is_some_and(|flag| flag & 1 == 1) { Sense::Fails } else { Sense::Holds }
}

/// `NFTA_VERDICT_*`: 1 code, 2 chain.
fn action(verdict: &[u8]) -> Action {
    let chain = || attribute(verdict, 2).map(text).unwrap_or_default();
    match attribute(verdict, 1).and_then(number_be).map(u32::cast_signed) {
        Some(0) => Action::Drop,
        Some(1) => Action::Accept,
        Some(-1) => Action::Nothing,
        Some(-3) => Action::Jump(chain()),
        Some(-4) => Action::Goto(chain()),
        Some(-5) => Action::Return,
        _ => Action::Unknown,
    }
}

/// `NFTA_SET_*`: 1 table, 2 name.
fn set(message: &Message) -> Option<Set> {
    let (family, all) = open(message, NEW_SET)?;
    Some(Set { family, table: text(attribute(all, 1)?), name: text(attribute(all, 2)?), elements: Vec::new() })
}

/// `NFTA_SET_ELEM_LIST_ELEMENTS` is 3; of each: 1 key, 2 data, 3 flags (1 ends an interval, 2 is for all others), 10 end.
fn elements(message: &Message) -> Vec<Element> {
    let Some((_, all)) = open(message, NEW_ELEMENTS) else { return Vec::new() };
    let element = |(_, element): (u16, &[u8])| {
        let key = attribute(element, 1).and_then(|key| attribute(key, 1))?;
        let flags = attribute(element, 3).and_then(number_be).unwrap_or(0);
        Some(Element {
            key: key.to_vec(),
            until: attribute(element, 10).and_then(|end| attribute(end, 1)).map(<[u8]>::to_vec),
            ends: flags & 1 == 1,
            action: attribute(element, 2).and_then(|data| attribute(data, 2)).map(action),
        })
    };
    attributes(attribute(all, 3).unwrap_or_default()).filter_map(element).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::firewall::{Fate, Packet};

    fn nested(parts: &[Vec<u8>]) -> Vec<u8> {
        parts.concat()
    }

    fn be(kind: u16, value: u32) -> Vec<u8> {
        attribute_of(kind, &value.to_be_bytes())
    }

    fn expression(name: &str, data: &[Vec<u8>]) -> Vec<u8> {
        attribute_of(1, &nested(&[nul(1, name), attribute_of(2, &nested(data))]))
    }

    fn message(kind: u16, parts: &[Vec<u8>]) -> Message {
        let mut body = vec![1, 0, 0, 0];
        body.extend(nested(parts));
        Message { kind, body }
    }

    #[test]
    fn a_rule_of_the_kernel_is_understood() {
        // tcp dport 8090 drop
        let verdict = attribute_of(2, &attribute_of(2, &be(1, 0)));
        let value = |bytes: &[u8]| attribute_of(3, &attribute_of(1, bytes));
        let expressions = nested(&[
            expression("meta", &[be(1, 1), be(2, 16)]),
            expression("cmp", &[be(1, 1), be(2, 0), value(&[6])]),
            expression("payload", &[be(1, 1), be(2, 2), be(3, 2), be(4, 2)]),
            expression("cmp", &[be(1, 1), be(2, 0), value(&8090_u16.to_be_bytes())]),
            expression("counter", &[]),
            expression("immediate", &[be(1, 0), verdict]),
        ]);
        let rule = rule(&message(NEW_RULE, &[nul(1, "filter"), nul(2, "input"), attribute_of(4, &expressions)]));
        let (family, table, name, rule) = rule.unwrap();
        assert_eq!((family, table.as_str(), name.as_str()), (1, "filter", "input"));
        let hook = nested(&[be(1, 1), be(2, 0)]);
        let chain = chain(&message(NEW_CHAIN, &[nul(1, "filter"), nul(3, "input"), attribute_of(4, &hook), be(5, 1)]));
        let mut chain = chain.unwrap();
        chain.rules.push(rule);
        let all = Firewall { chains: vec![chain], ..Firewall::default() };
        let stopped = Fate::Stopped("rule 1 of inet filter input".into());
        assert_eq!(all.fate(Packet { protocol: 6, port: 8090 }), stopped);
        assert_eq!(all.fate(Packet { protocol: 17, port: 8090 }), Fate::Accepted);
        assert_eq!(all.fate(Packet { protocol: 6, port: 8091 }), Fate::Accepted);
    }

    #[test]
    fn states_are_masked_and_sets_looked_up() {
        let mask = attribute_of(4, &attribute_of(1, &6_u32.to_ne_bytes()));
        let zero = attribute_of(5, &attribute_of(1, &[0; 4]));
        let mut reader = Reader::default();
        reader.read("ct", &nested(&[be(1, 1), be(2, 0)]));
        reader.read("bitwise", &nested(&[be(1, 1), be(2, 1), be(3, 4), mask, zero]));
        reader.read("cmp", &nested(&[be(1, 1), be(2, 1), attribute_of(3, &attribute_of(1, &[0; 4]))]));
        reader.read("payload", &nested(&[be(1, 2), be(2, 2), be(3, 2), be(4, 2)]));
        reader.read("lookup", &nested(&[nul(1, "ports"), be(2, 2), be(5, 1)]));
        reader.read("limit", &[]);
        let expected = [
            Condition { field: Field::State, test: Test::Masked(6_u32.to_ne_bytes().to_vec(), 1, vec![0; 4]) },
            Condition { field: Field::Port, test: Test::In(Sense::Fails, "ports".into()) },
            Condition { field: Field::Other, test: Test::Unknown },
        ];
        assert_eq!(reader.rule.conditions, expected);
        let key = attribute_of(1, &attribute_of(1, &8090_u16.to_be_bytes()));
        let list = attribute_of(3, &attribute_of(1, &nested(&[key, be(3, 1)])));
        let expected = Element { key: 8090_u16.to_be_bytes().to_vec(), ends: true, ..Element::default() };
        assert_eq!(elements(&message(NEW_ELEMENTS, &[nul(1, "filter"), list])), [expected]);
    }

    #[test]
    fn a_kernel_that_would_load_a_module_is_not_asked() {
        for (netlink, modules, there) in [
            ("sk Eth Pid\n0 12 0\n", None, true),
            ("sk Eth Pid\n0 12 0\n", Some("nf_tables 1 2\n"), true),
            ("sk Eth Pid\n0 12 0\n", Some("xfs 1 2\n"), false),
            ("sk Eth Pid\n0 0 0\n", None, false),
        ] {
            let tree = tempfile::tempdir().unwrap();
            let net = tree.path().join("proc/net");
            std::fs::create_dir_all(&net).unwrap();
            std::fs::write(net.join("netlink"), netlink).unwrap();
            if let Some(modules) = modules {
                std::fs::write(tree.path().join("proc/modules"), modules).unwrap();
            }
            assert_eq!(is_there(&Host::recorded(tree.path()).unwrap()), there, "{netlink:?} {modules:?}");
        }
    }
}
