// The report's budgets, measured in Chromium from file://, with real key presses: the best of five, since other work on
// the machine can only make a run slower. The median stands beside it.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createRequire } from "node:module";
import { cleanUp, launch, open, pages } from "./harness.mjs";
import { pgbadger } from "./pgbadger.mjs";

const RUNS = 5;
const best = values => Math.min(...values);
const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const file = name => join(pages, `${name}.html`);
const kb = bytes => bytes / 1024;
let over = 0;
const figure = value => (value >= 100 ? value.toFixed(0) : value.toFixed(1));
function row(what, values, limit, unit) {
  const value = best([values].flat()), ok = value <= limit;
  over += ok ? 0 : 1;
  const middle = Array.isArray(values) ? `  (median ${figure(median(values))})` : "";
  console.log(`${ok ? "ok  " : "OVER"}  ${what.padEnd(52)} ${figure(value).padStart(8)} ${unit.padEnd(4)} of ${limit} ${unit}${middle}`);
}

const browser = await launch();

// Memory of the page's own renderer, from the kernel.
async function pssMb(page) {
  const session = await browser.browser().newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const sizes = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => {
    try { return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"))[1]) / 1024; } catch { return 0; }
  });
  return Math.max(...sizes);
}

async function load(name, slow = 1) {
  const { page, close } = await open(browser, "empty");
  const session = await page.context().newCDPSession(page);
  if (slow > 1) await session.send("Emulation.setCPUThrottlingRate", { rate: slow });
  await page.addInitScript(() => {
    globalThis.blocked = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => { globalThis.blocked += Math.max(0, entry.duration - 50); })).observe({ type: "longtask", buffered: true });
  });
  await page.goto(`file://${file(name)}`);
  await page.waitForLoadState("load");
  await page.waitForTimeout(600);
  const figures = await page.evaluate(() => ({
    load: performance.getEntriesByType("navigation")[0].loadEventEnd,
    fcp: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
    blocked: globalThis.blocked,
    elements: document.querySelectorAll("*").length,
  }));
  figures.pss = await pssMb(page);
  await close();
  return figures;
}

// The worst interaction of each kind: typing, expanding everything, the theme, opening a log, filtering it, sorting.
async function interactions(name, slow = 1) {
  const { page, close } = await open(browser, name);
  const session = await page.context().newCDPSession(page);
  await page.evaluate(() => {
    globalThis.worst = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => { if (entry.interactionId) globalThis.worst = Math.max(globalThis.worst, entry.duration); })).observe({ type: "event", durationThreshold: 16, buffered: true });
  });
  if (slow > 1) await session.send("Emulation.setCPUThrottlingRate", { rate: slow });
  const figures = {};
  // Into the middle: headless Chromium presents nothing near the lower edge, and an event would seem to wait a second.
  const center = selector => page.locator(selector).first().evaluate(element => element.scrollIntoView({ block: "center" }));
  const measure = async (what, act) => {
    await page.evaluate(() => { globalThis.worst = 0; });
    await act();
    await page.waitForTimeout(700);
    figures[what] = await page.evaluate(() => globalThis.worst);
  };
  await measure("type", async () => { await page.focus("#q"); await page.keyboard.type("space", { delay: 80 }); await page.keyboard.press("Escape"); });
  await measure("theme", () => page.click("#theme"));
  await measure("open a log", async () => { await center("#log-rt00 > summary"); await page.click("#log-rt00 > summary"); });
  await measure("filter a log", async () => { await center("#log-rt00 .lq"); await page.focus("#log-rt00 .lq"); await page.keyboard.type("stale", { delay: 80 }); });
  await measure("sort", async () => { await center("#f-disk-space th button"); await page.locator("#f-disk-space th button").first().click(); });
  await measure("expand all", () => page.click("#expand"));
  await close();
  return figures;
}

const size = name => statSync(file(name)).size;
row("mixed, 643 log lines: size", kb(size("mixed")), 600, "KB");
const bare = name => kb(Buffer.byteLength(readFileSync(file(name), "utf8").replace(/<section id="logs">.*?<\/section>/s, "")));
row("mixed, without its logs: size", bare("mixed"), 250, "KB");
for (const host of ["bare-metal", "debian-vm", "sick"]) row(`${host}, recorded, every check, no log: size`, bare(host), 250, "KB");
row("50,000 lines: size", size("lines-50000") / 1e6, 9, "MB");
row("50,000 lines: size, gzip", gzipSync(readFileSync(file("lines-50000"))).length / 1e6, 1.6, "MB");
for (const [slow, loadMax, inpMax] of [[1, 800, 100], [4, 2000, 200]]) {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await load("lines-50000", slow));
  const of = key => runs.map(figures => figures[key]);
  const name = `50,000 lines${slow > 1 ? `, processor ${slow} times slower` : ""}`;
  row(`${name}: load`, of("load"), loadMax, "ms");
  if (slow === 1) {
    row(`${name}: first paint`, of("fcp"), 400, "ms");
    row(`${name}: blocked while loading`, of("blocked"), 100, "ms");
    row(`${name}: renderer's memory`, of("pss"), 130, "MB");
    row(`${name}: elements`, of("elements"), 10_000, "");
  }
  const acts = [];
  for (let run = 0; run < 3; run += 1) acts.push(await interactions("lines-50000", slow));
  for (const what of Object.keys(acts[0])) row(`${name}: ${what}`, acts.map(figures => figures[what]), inpMax, "ms");
}

// --- beside a report that operators know -----------------------------------------------------------------------------
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
async function aside(name) {
  const runs = [];
  for (let run = 0; run < 3; run += 1) runs.push(await load(name));
  const html = readFileSync(file(name)), of = key => best(runs.map(figures => figures[key]));
  const { page, wrong, close } = await open(browser, name);
  await page.waitForLoadState("load");
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').count();
  const errors = wrong.length;
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  await close();
  const plain = await open(browser, name, { javaScript: false });
  const words = (await plain.page.locator("body").innerText()).split(/\s+/).length;
  await plain.close();
  return {
    "size, MB": html.length / 1e6, "size, gzip, MB": gzipSync(html).length / 1e6, "load, ms": of("load"), "first paint, ms": of("fcp"),
    "blocked while loading, ms": of("blocked"), "renderer's memory, MB": of("pss"), "elements": of("elements"),
    "nodes with an axe violation": violations.reduce((sum, { nodes }) => sum + nodes.length, 0),
    "errors and outside requests": errors, "content security policies": policy, "visible words without JavaScript": words,
  };
}
const other = pgbadger();
if (other) {
  const [ours, theirs] = [await aside("lines-50000"), await aside(other)];
  console.log(`\n${"50,000 log lines".padEnd(36)} ${"snapvisor".padStart(12)} ${"pgBadger".padStart(12)}`);
  for (const what of Object.keys(ours)) console.log(`${what.padEnd(36)} ${figure(ours[what]).padStart(12)} ${figure(theirs[what]).padStart(12)}`);
} else {
  console.log("\nNOT COMPARED with pgBadger: it is not installed and could not be (apt-get install pgbadger)");
}

await browser.close();
cleanUp();
console.log(over ? `${over} over budget` : "all within budget");
process.exitCode = over ? 1 : 0;
