// --- search: `v:fail c:network id:tls -word "two words"` ------------------------------------------------------------
// The field, the chips and the address are one state: the field's text.
const HITS_MARKED_MAX = 500;
const q = $("q");
// What the catalogue says of checks that are well: the page has it from here on.
function explain({ checks }) {
  const known = new Map(checks.map(check => [check.id, check]));
  for (const row of all(".row.pass, .row.info")) {
    const { why, rule, source, references } = known.get(row.dataset.id);
    const said = [["Why", why], ["Rule", rule], ["Threshold", source], ["Read", references.join("; ")]].filter(([, words]) => words);
    row.querySelector(".print").prepend(...said.flatMap(([name, words]) => {
      const place = make("dd");
      place.append(...words.split("`").map((part, at) => at % 2 ? make("code", part) : part));
      return [make("dt", name), place];
    }));
  }
  index = null;
  if (q.value) search();
}
report.then(explain);
let index;
function checks() {
  if (index) return index;
  const found = new Map();
  for (const element of all("[data-id]")) {
    const { id } = element.dataset, category = element.closest("[data-c]").dataset.c;
    if (!found.has(id)) found.set(id, { id, v: element.classList[1], elements: [], text: "", category: `${category} ${$(`cat-${category}`)?.querySelector("h3").textContent.toLowerCase()}` });
    found.get(id).elements.push(element);
    found.get(id).text += ` ${element.textContent.toLowerCase()}`;
  }
  return index = [...found.values()];
}

function terms(text) {
  const parsed = { v: [], c: [], id: [], word: [], not: [] };
  for (const [, minus, kind, term, quoted] of text.toLowerCase().matchAll(/(-?)(?:(v|c|id):)?("([^"]*)"?|\S+)/g)) {
    const word = quoted ?? term;
    if (!word) continue;
    if (minus) parsed.not.push([kind ?? "word", word]); else parsed[kind ?? "word"].push(word);
  }
  return parsed;
}
const says = (check, kind, word) =>
  kind === "v" ? check.v.startsWith(word) : kind === "c" ? check.category.includes(word) : kind === "id" ? check.id.includes(word) : check.text.includes(word);
function matches(check, wanted) {
  const any = kind => !wanted[kind].length || wanted[kind].some(word => says(check, kind, word));
  return any("v") && any("c") && any("id") && wanted.word.every(word => says(check, "word", word))
    && !wanted.not.some(([kind, word]) => says(check, kind, word));
}

function setQuery(text) {
  q.value = text;
  search();
}
let counting;
function search() {
  const text = q.value.trim(), wanted = terms(text);
  let shown = 0;
  for (const check of checks()) {
    const hidden = !matches(check, wanted);
    shown += hidden ? 0 : 1;
    check.elements.forEach(element => { element.hidden = hidden; });
  }
  all(".cat").forEach(category => { category.hidden = !category.querySelector("[data-id]:not([hidden])"); });
  all(".toolbar .chip").forEach(chip => chip.setAttribute("aria-pressed", String(wanted.v.includes(chip.dataset.v))));
  $("hits").textContent = text ? `${shown} of ${checks().length} checks` : "";
  highlight(text ? wanted.word : []);
  if (text || location.hash.startsWith("#?")) history.replaceState(null, "", text ? `#?q=${encodeURIComponent(text)}` : location.pathname + location.search);
  clearTimeout(counting);
  if (wanted.word.length && logs.length) counting = setTimeout(countLogLines, 250, wanted.word);
}

// The words within what is on the screen, without touching the document.
function highlight(words) {
  if (!CSS.highlights) return;
  CSS.highlights.delete("hit");
  if (!words.length) return;
  const hits = new Highlight();
  for (const item of all("[data-id]:not([hidden])")) {
    const walker = document.createTreeWalker(item, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node && hits.size < HITS_MARKED_MAX; node = walker.nextNode()) markWords(node, words, hits);
  }
  CSS.highlights.set("hit", hits);
}
function markWords(node, words, hits) {
  const text = node.data.toLowerCase();
  if (text.length !== node.data.length) return;
  for (const word of words) {
    for (let at = text.indexOf(word); at >= 0 && hits.size < HITS_MARKED_MAX; at = text.indexOf(word, at + word.length)) {
      const range = new Range();
      range.setStart(node, at);
      range.setEnd(node, at + word.length);
      hits.add(range);
    }
  }
}

// The same words in the logs: counted once typing pauses, one log at a time, shown when asked for.
async function countLogLines(words) {
  const counts = [], text = q.value;
  for (const log of logs) {
    counts.push(log.count(words));
    await new Promise(resolve => setTimeout(resolve));
    if (q.value !== text) return;
  }
  const lines = counts.reduce((sum, count) => sum + count, 0);
  if (!lines) return;
  const button = make("button", `Show ${lines.toLocaleString("en")} log line${lines === 1 ? "" : "s"}`);
  button.type = "button";
  button.onclick = () => {
    logs.forEach((log, at) => { if (counts[at]) log.open(words.join(" ")); });
    $("logs").scrollIntoView();
  };
  $("hits").append(" ", button);
}

function toggleVerdict(word) {
  const term = `v:${word}`, parts = q.value.split(/\s+/).filter(Boolean);
  setQuery((parts.includes(term) ? parts.filter(part => part !== term) : [...parts, term]).join(" "));
}
