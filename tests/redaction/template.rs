//! Filling templates with random text.

/// A small generator of pseudo-random numbers (splitmix64): the same seed gives the same corpus.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("it is below a usize")
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A text that fits the template.
pub fn fill(template: &str, random: &mut Random) -> String {
    let characters: Vec<char> = template.chars().collect();
    let (mut out, mut at) = (String::new(), 0);
    while at < characters.len() {
        match characters[at] {
            '[' => {
                let close = at + characters[at..].iter().position(|c| *c == ']').expect("a class is closed");
                let set = class(&characters[at + 1..close]);
                at = close + 1;
                let count = count(&characters, &mut at, random);
                out.extend((0..count).map(|_| *random.pick(&set)));
            }
            '(' => {
                let close = at + characters[at..].iter().position(|c| *c == ')').expect("a group is closed");
                let group: String = characters[at + 1..close].iter().collect();
                if group.contains('|') {
                    out.push_str(random.pick::<&str>(&group.split('|').collect::<Vec<_>>()));
                } else {
                    out.push('(');
                    out.push_str(&group);
                    out.push(')');
                }
                at = close + 1;
            }
            character => {
                out.push(character);
                at += 1;
            }
        }
    }
    out
}

fn class(text: &[char]) -> Vec<char> {
    let (mut set, mut at) = (Vec::new(), 0);
    while at < text.len() {
        if at + 2 < text.len() && text[at + 1] == '-' {
            set.extend(text[at]..=text[at + 2]);
            at += 3;
        } else {
            set.push(text[at]);
            at += 1;
        }
    }
    set
}

fn count(characters: &[char], at: &mut usize, random: &mut Random) -> usize {
    if characters.get(*at) != Some(&'{') {
        return 1;
    }
    let close = *at + characters[*at..].iter().position(|c| *c == '}').expect("a count is closed");
    let text: String = characters[*at + 1..close].iter().collect();
    *at = close + 1;
    let (least, most) = text.split_once(',').unwrap_or((&text, &text));
    let (least, most): (usize, usize) = (least.parse().expect("a number"), most.parse().expect("a number"));
    least + random.below(most - least + 1)
}

/// A negative: the text before, the part that must survive, … filled in; parts between marks are returned.
pub fn negative(template: &str, random: &mut Random) -> (String, Vec<String>) {
    let (mut text, mut parts, mut rest) = (String::new(), Vec::new(), template);
    let mut open: Option<usize> = None;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("{{").filter(|_| open.is_none()) {
            open = Some(text.len());
            rest = after;
        } else if let (Some(start), Some(after)) =
            (open, rest.strip_prefix("}}").filter(|after| !after.starts_with('}')))
        {
            parts.push(text[start..].to_owned());
            open = None;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("<[") {
            let close = after.find('>').expect("a class is closed");
            text.push_str(&fill(&format!("[{}", &after[..close]), random));
            rest = &after[close + 1..];
        } else {
            let character = rest.chars().next().expect("it is not empty");
            text.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    (text, parts)
}
