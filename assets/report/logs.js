// --- logs: chunks of 200 lines, laid out only when seen; a filter makes new chunks and puts the old ones aside ------
const CHUNK_LINES = 200, LINE_PX = 18, FIRST_HITS = 600, AROUND = 3, REGEX_MS_MAX = 1500, JUMP_ROOM_PX = 120;
const soon = globalThis.requestIdleCallback ?? (work => setTimeout(work, 30)), notSoon = globalThis.cancelIdleCallback ?? clearTimeout;
const LEVEL = /\b(?:(error|err|crit|critical|fatal|panic|emerg|alert)|(warn|warning)|(info|notice)|(debug|trace|dbg|verbose))\b/i;
function level(line) {
  const found = LEVEL.exec(line.slice(0, 160));
  return !found ? "other" : found[1] ? "error" : found[2] ? "warn" : found[3] ? "info" : "debug";
}

// The time of a line on the other clock: the node's for a line in UTC, UTC for one in local time.
const STAMP = /^\W?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:\d\d)/;
function otherTime(line, ahead) {
  const [, day, time, zone] = STAMP.exec(line) ?? [];
  if (!day) return "";
  const inUtc = /^Z|00:00$/.test(zone), at = Date.parse(`${day}T${time}${zone}`) + (inUtc ? ahead * 1000 : 0);
  return Number.isNaN(at) ? "" : new Date(at).toISOString().slice(11, 19) + (inUtc ? "" : "Z");
}

function viewer(element) {
  const pane = element.querySelector(".pane"), field = element.querySelector(".lq"), hits = element.querySelector(".lhits");
  const around = element.querySelector("[data-log=around]"), chips = all("[data-l]", element);
  const original = [...pane.children], first = parseInt(original[0]?.querySelector("i").textContent ?? "1", 10);
  let split, levels, found = null, shown = null, at = -1, idle = 0;

  const lines = () => split ??= original.flatMap(chunk => chunk.querySelector("code").textContent.split("\n").slice(0, -1));
  const levelOf = index => (levels ??= lines().map(level))[index];

  // Beside the numbers once a chunk is seen, where the two clocks differ.
  async function tell(chunk) {
    const ahead = (await report).snapshot.utc_offset_s;
    if (!ahead || chunk.querySelector("span.t")) return;
    const times = make("span", chunk.querySelector("code").textContent.split("\n").slice(0, -1).map(line => `${otherTime(line, ahead)}\n`).join(""), "t");
    times.setAttribute("aria-hidden", "true");
    chunk.querySelector("i").after(times);
    pane.classList.add("timed");
  }
  pane.addEventListener("contentvisibilityautostatechange", event => { if (!event.skipped) tell(event.target); }, true);
  element.addEventListener("toggle", () => all(".c:not(.full)", pane).forEach(tell));

  function test(text) {
    const regex = /^\/(.+)\/?$/.exec(text);
    if (regex) {
      const pattern = new RegExp(regex[1].replace(/\/$/, ""), "i"), until = performance.now() + REGEX_MS_MAX;
      return (line, index) => {
        if (index % 200 === 0 && performance.now() > until) throw new Error("this expression takes too long");
        return pattern.test(line);
      };
    }
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return line => { const lower = line.toLowerCase(); return words.every(word => lower.includes(word)); };
  }

  // Chunks of these lines, keeping their numbers. What is not a hit stands in lighter ink.
  function chunk(indices, isHit) {
    const pre = make("pre", "", indices.length === CHUNK_LINES ? "c full" : "c"), code = make("code");
    const numbers = make("i", indices.map(index => `${index + first}\n`).join(""));
    numbers.setAttribute("aria-hidden", "true");
    let plain = "";
    for (const index of indices) {
      const name = !isHit(index) ? "gap" : levelOf(index);
      if (name === "error" || name === "warn" || name === "gap") {
        if (plain) code.append(plain);
        code.append(make("b", lines()[index], name));
        plain = "\n";
      } else {
        plain += `${lines()[index]}\n`;
      }
    }
    if (plain) code.append(plain);
    pre.append(numbers, code);
    if (!pre.matches(".full")) tell(pre);
    return pre;
  }
  function draw(indices, isHit) {
    notSoon(idle);
    let next = 0;
    const more = count => {
      const part = [];
      for (const end = Math.min(indices.length, next + count); next < end; next += CHUNK_LINES) part.push(chunk(indices.slice(next, next + CHUNK_LINES), isHit));
      return part;
    };
    pane.replaceChildren(...more(FIRST_HITS));
    const rest = () => {
      pane.append(...more(FIRST_HITS));
      if (next < indices.length) idle = soon(rest);
    };
    if (next < indices.length) idle = soon(rest);
    return () => { notSoon(idle); if (next < indices.length) pane.append(...more(indices.length)); };
  }
  let finish = () => {};
  function restore() {
    shown = null;
    finish = () => {};
    notSoon(idle);
    if (pane.firstChild !== original[0]) pane.replaceChildren(...original);
  }

  function filter() {
    const text = field.value.trim(), wanted = chips.filter(chip => chip.getAttribute("aria-pressed") === "true").map(chip => chip.dataset.l);
    at = -1;
    CSS.highlights?.delete("at");
    if (!text && !wanted.length) {
      found = null;
      restore();
      hits.textContent = "";
      return;
    }
    try {
      const says = test(text);
      found = [];
      lines().forEach((line, index) => {
        if ((!wanted.length || wanted.includes(levelOf(index))) && says(line, index)) found.push(index);
      });
    } catch (error) {
      hits.textContent = `Not a usable expression: ${error.message}`;
      return;
    }
    const isFound = new Set(found);
    shown = found;
    if (around.getAttribute("aria-pressed") === "true") {
      const near = new Set(found.flatMap(index => Array.from({ length: 2 * AROUND + 1 }, (_, step) => index + step - AROUND)));
      shown = [...near].filter(index => index >= 0 && index < lines().length).sort((a, b) => a - b);
    }
    if (found.length === lines().length) {
      restore();
    } else {
      finish = draw(shown, index => isFound.has(index));
    }
    pane.scrollTop = 0;
    hits.textContent = `${found.length.toLocaleString("en")} of ${lines().length.toLocaleString("en")} lines`;
  }

  // Scrolls to a line and marks it; the document itself is not changed.
  function show(index) {
    finish();
    const place = shown ? shown.indexOf(index) : index;
    const box = pane.children[Math.floor(place / CHUNK_LINES)];
    if (place < 0 || !box) return false;
    pane.scrollTop = box.offsetTop + (place % CHUNK_LINES) * LINE_PX - JUMP_ROOM_PX;
    mark(box.querySelector("code"), place % CHUNK_LINES);
    return true;
  }
  function mark(code, line) {
    if (!CSS.highlights) return;
    const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT), range = new Range();
    let breaks = 0, started = false;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      let from = 0;
      if (!started) {
        while (breaks < line && from >= 0) {
          from = node.data.indexOf("\n", from) + 1 || -1;
          if (from > 0) breaks += 1;
        }
        if (from < 0 || (from === node.data.length && breaks === line)) continue;
        range.setStart(node, from);
        started = true;
      }
      const end = node.data.indexOf("\n", from);
      range.setEnd(node, end < 0 ? node.data.length : end);
      if (end >= 0) break;
    }
    if (started) CSS.highlights.set("at", new Highlight(range));
  }
  // Without a filter, the next error or warning.
  function jump(step) {
    const stops = found ?? lines().map((_, index) => index).filter(index => "error warn".includes(levelOf(index)));
    if (!stops.length) return;
    at = (at + step + stops.length + (at < 0 && step < 0 ? 1 : 0)) % stops.length;
    show(stops[at]);
    hits.textContent = `${(at + 1).toLocaleString("en")} of ${stops.length.toLocaleString("en")} ${found ? "lines" : "errors and warnings"}, line ${stops[at] + first}`;
  }

  let typing;
  field.oninput = () => { clearTimeout(typing); typing = setTimeout(filter, 60); };
  field.onkeydown = event => { if (event.key === "Enter") { event.preventDefault(); jump(event.shiftKey ? -1 : 1); } };
  element.querySelector(".tools").addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.hasAttribute("aria-pressed")) {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      filter();
    }
    if (button.dataset.log === "next") jump(1);
    if (button.dataset.log === "prev") jump(-1);
    if (button.dataset.log === "copy") copy((shown ?? [...lines().keys()]).map(index => lines()[index]).join("\n"), "Lines");
  });
  // A click on a number is a link to its line.
  pane.addEventListener("click", event => {
    if (event.target.localName !== "i") return;
    const line = Math.floor((event.clientY - event.target.getBoundingClientRect().top) / LINE_PX);
    const number = event.target.textContent.split("\n")[line];
    if (number) location.hash = `#${element.id}:L${number}`;
  });

  return {
    element,
    lines,
    count: words => { let count = 0; for (const line of lines()) { const lower = line.toLowerCase(); if (words.every(word => lower.includes(word))) count += 1; } return count; },
    open(text) { element.open = true; field.value = text; filter(); },
    line(number) {
      element.open = true;
      if (shown && !shown.includes(number - first)) { field.value = ""; chips.forEach(chip => chip.setAttribute("aria-pressed", "false")); filter(); }
      const go = () => { pane.scrollIntoView({ block: "end" }); return show(number - first); };
      if (!go()) say(`Line ${number} is not in this page`);
      // A fold that has just been opened has its height only once it was painted, and nothing is while the page loads.
      if (document.readyState === "complete") afterPaint(go); else addEventListener("load", () => afterPaint(go), { once: true });
    },
  };
}
const logs = all(".log").map(viewer);
function showLine(id, number) {
  logs.find(log => log.element.id === id)?.line(number);
}
