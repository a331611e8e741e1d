// The page stands without this script; the script adds comfort. No framework, no request, no storage but two switches.
const root = document.documentElement;
const $ = id => document.getElementById(id);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const make = (tag, text = "", name = "") => Object.assign(document.createElement(tag), { textContent: text, className: name });
// What moves the whole page waits until the key or the click itself is shown; what is asked twice meanwhile is done once.
const waiting = new Set();
function afterPaint(work) {
  if (waiting.has(work)) return;
  waiting.add(work);
  requestAnimationFrame(() => setTimeout(() => { waiting.delete(work); work(); }));
}
// The document: packed, since every word of it stands on the page once more.
const report = (async () => {
  const packed = Uint8Array.from(atob($("report").textContent), character => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
})();

// The theme and the key switch are all that is ever stored: files opened from disk share one storage.
const remembered = key => { try { return localStorage.getItem(key); } catch { return null; } };
const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* an opaque origin has none */ } };

let saying;
function say(text) {
  const box = document.querySelector(".said") ?? document.body.appendChild(Object.assign(make("p", "", "said"), { role: "status" }));
  box.textContent = text;
  box.hidden = false;
  clearTimeout(saying);
  saying = setTimeout(() => { box.hidden = true; }, 2000);
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.body.appendChild(make("textarea", text, "vh"));
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say(`${what} copied`);
}

// --- Markdown for a ticket -------------------------------------------------------------------------------------------
const inCell = text => text.trim().replace(/\s+/g, " ").replace(/[|`]/g, "\\$&");
function table(element) {
  const rows = all("tr", element).map(row => [...row.cells].map(cell => inCell(cell.querySelector("button")?.textContent ?? cell.textContent)));
  if (!rows.length) return "";
  const head = element.tHead ? rows.shift() : rows[0].map(() => "");
  return [head, head.map(() => "---"), ...rows].map(row => `| ${row.join(" | ")} |`).join("\n");
}
async function ticket(item) {
  const { checks, snapshot, tool } = await report, check = checks.find(check => check.id === item.dataset.id);
  const commands = all(".todo pre", item).map(block => block.textContent.trimEnd()).join("\n");
  const prose = all(".todo p", item).map(line => line.textContent).join("\n\n");
  return [
    `### ${check.verdict === "fail" ? "Fail" : "Warn"}: ${check.title} (\`${check.id}\`)`,
    check.summary,
    [`- Node: ${snapshot.node}${snapshot.deployment ? `, deployment ${snapshot.deployment}` : ""}`,
      `- Snapshot: ${snapshot.name}, taken ${snapshot.taken_at}, snapvisor ${tool.version}`,
      check.measured && `- Measured: ${check.measured.text}${check.expected ? `, expected ${check.expected}` : ""}`,
      `- Severity: ${check.severity}`].filter(Boolean).join("\n"),
    `**Why it matters.** ${check.why}`,
    ...all("table", item).map(table),
    prose && `**What to do.** ${prose}`,
    commands && "```sh\n" + commands + "\n```",
  ].filter(Boolean).join("\n\n") + "\n";
}

// --- the buttons -----------------------------------------------------------------------------------------------------
document.addEventListener("click", async event => {
  const what = event.target.closest("[data-copy]")?.dataset.copy;
  if (!what) return;
  const item = event.target.closest("[data-id]");
  if (what === "commands") copy(all(".todo pre", item).map(block => block.textContent).join("\n"), "Commands");
  if (what === "ticket") copy(await ticket(item), "Markdown");
  if (what === "link") {
    history.replaceState(null, "", `#${item.id}`);
    copy(location.href, "Link");
  }
});

function theme(next) {
  if (next) root.dataset.theme = next;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  $("theme").textContent = dark ? "Light" : "Dark";
  $("theme").setAttribute("aria-label", `Change to the ${dark ? "light" : "dark"} theme`);
  return dark ? "light" : "dark";
}
function changeTheme() {
  const next = theme();
  theme(next);
  remember("snapvisor-theme", next);
}
const changeThemeSoon = () => afterPaint(changeTheme);

const folds = () => all("#checks details, #logs details");
let opened = false;
function expand() {
  opened = folds().some(fold => !fold.open && !fold.hidden);
  $("expand").textContent = opened ? "Collapse all" : "Expand all";
  afterPaint(fold);
}
function fold() {
  folds().forEach(fold => { fold.open = opened; });
}

async function save() {
  const saved = { ...await report };
  saved.logs = saved.logs.map((log, index) => ({ ...log, text: logs[index] ? logs[index].lines().join("\n") : null }));
  const link = make("a");
  link.download = `${saved.snapshot.name}-${saved.snapshot.node}-report.json`.replace(/[^\w.-]+/g, "_");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(saved) + "\n"], { type: "application/json" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  say("report.json saved");
}

// --- tables: sorted by a heading, filtered when long ----------------------------------------------------------------
const ROWS_FOR_A_FILTER = 12;
const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
function sort(heading) {
  const body = heading.closest("table").tBodies[0], column = heading.cellIndex;
  const up = heading.getAttribute("aria-sort") !== "ascending";
  all("th", heading.parentElement).forEach(other => other.removeAttribute("aria-sort"));
  heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  const key = row => {
    const cell = row.cells[column], text = cell?.textContent.trim() ?? "", value = Number(cell?.dataset.s ?? (text || NaN));
    return Number.isNaN(value) ? [1, text] : [0, value];
  };
  const rows = [...body.rows].map(row => [key(row), row]);
  rows.sort(([[a, x]], [[b, y]]) => {
    const compared = a - b || (a ? order.compare(x, y) : x - y);
    return up ? compared : -compared;
  });
  body.append(...rows.map(([, row]) => row));
}
function prepareTables() {
  for (const element of all("table.sorts, table.pairs")) {
    for (const heading of all("thead th", element)) {
      const button = make("button", heading.textContent);
      button.type = "button";
      button.onclick = () => sort(heading);
      heading.replaceChildren(button);
    }
    if (element.tBodies[0].rows.length > ROWS_FOR_A_FILTER) {
      const field = Object.assign(make("input"), { type: "search", placeholder: "Filter rows" });
      field.setAttribute("aria-label", `Filter rows: ${element.caption.textContent}`);
      field.oninput = () => {
        const words = field.value.toLowerCase().split(/\s+/);
        for (const row of element.tBodies[0].rows) {
          const text = row.textContent.toLowerCase();
          row.hidden = !words.every(word => text.includes(word));
        }
      };
      element.caption.append(field);
    }
  }
}
// What scrolls sideways can be reached and named. All boxes are measured before any is changed: one layout, not one each.
function reachScrollers() {
  const wide = box => box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
  for (const box of all(".scroll:not([tabindex]), .lines pre:not([tabindex])").filter(wide)) {
    box.tabIndex = 0;
    box.role = "region";
    box.setAttribute("aria-label", box.querySelector("caption")?.textContent || box.previousElementSibling?.textContent || "Evidence");
  }
}
// Opening everything opens a hundred folds; they are looked at once, when that is over.
let reaching;
function reachSoon() {
  notSoon(reaching);
  reaching = soon(reachScrollers, { timeout: 200 });
}

// --- links -----------------------------------------------------------------------------------------------------------
// A link to a finding still leads somewhere when the check passes in this report, and the other way round.
function target(id) {
  return $(id) ?? (/^[fc]-/.test(id) ? $((id[0] === "f" ? "c" : "f") + id.slice(1)) : null);
}
function follow() {
  const hash = decodeURIComponent(location.hash.slice(1));
  if (hash.startsWith("?")) return setQuery(new URLSearchParams(hash).get("q") ?? "");
  const line = /^(log-rt\d+):L(\d+)$/.exec(hash);
  if (line) return showLine(line[1], Number(line[2]));
  const element = hash && target(hash);
  if (!element) return;
  if (element.hidden || element.closest("[hidden]")) setQuery("");
  if (element.matches("details")) element.open = true;
  if (element.closest("details:not([open])")) element.closest("details").open = true;
  element.scrollIntoView();
  if (element.matches("[tabindex]")) element.focus({ preventScroll: true });
}

// The rail marks the part that is being read.
function watchSections() {
  const entries = new Map(all(".rail nav a").map(link => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver(changes => {
    for (const { target, isIntersecting } of changes) {
      const link = entries.get(target.id);
      if (isIntersecting) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-80px 0px -60% 0px" });
  entries.forEach((_, id) => $(id) && seen.observe($(id)));
}
