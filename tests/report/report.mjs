// The report in a real browser: what the static tests cannot see.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { HtmlValidate } from "html-validate";
import { cleanUp, finish, launch, open, pages, settled, test } from "./harness.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FIXTURES = ["all-pass", "mixed", "everything", "empty", "hostile", "failed", "findings-100", "lines-50000"];
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const browser = await launch();
const report = name => JSON.parse(readFileSync(join(pages, `${name}.json`), "utf8"));
const visible = (page, selector) => page.locator(`${selector}:visible`).count();

async function within(name, options, body) {
  const opened = await open(browser, name, options);
  try {
    await body(opened.page, opened.wrong);
    assert.deepEqual(opened.wrong, []);
  } finally {
    await opened.close();
  }
}

for (const name of FIXTURES) {
  await test(`${name}: opens without an error, a request or a violation`, () => within(name, {}, async (page) => {
    await page.waitForLoadState("load");
    const title = report(name).summary.headline;
    if (name !== "hostile") assert.equal(await page.title(), title);
    assert.equal(await page.locator("h1").count(), 1);
  }));
}

for (const name of ["mixed", "all-pass", "failed", "everything"]) {
  for (const scheme of ["light", "dark"]) {
    for (const state of ["closed", "expanded"]) {
      await test(`${name}: axe finds nothing, ${scheme}, ${state}`, () => within(name, { scheme }, async page => {
        if (state === "expanded") await page.locator("#expand").click();
        await settled(page);
        await settled(page);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(tags => globalThis.axe.run(document, { runOnly: tags, resultTypes: ["violations"] }), TAGS);
        assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | ")}`), []);
      }));
    }
  }
}

await test("the pages are valid HTML", async () => {
  const validator = new HtmlValidate({ extends: ["html-validate:standard"], rules: {
    // Elements of ours that its tables do not know, and matters of taste.
    "no-inline-style": "error", "long-title": "off", "no-raw-characters": "off", "prefer-native-element": "off", "require-sri": "off", "input-missing-label": "off",
  } });
  for (const name of FIXTURES.filter(name => name !== "lines-50000")) {
    const result = await validator.validateString(readFileSync(join(pages, `${name}.html`), "utf8"), `${name}.html`);
    assert.deepEqual(result.results.flatMap(file => file.messages.map(message => `${name} ${message.line}:${message.column} ${message.ruleId} ${message.message}`)).slice(0, 8), []);
  }
});

await test("the search counts, and field, chips and address are one state", () => within("mixed", {}, async page => {
  const { checks } = report("mixed"), count = predicate => checks.filter(predicate).length;
  for (const [query, expected] of [
    ["v:fail", count(check => check.verdict === "fail")],
    ["v:fail v:warn", count(check => ["fail", "warn"].includes(check.verdict))],
    ["c:network", count(check => check.category === "network")],
    ["c:network -v:skip", count(check => check.category === "network" && check.verdict !== "skip")],
    ["id:disk.space", 1],
    ['"4.1 % of /var/lib"', 1],
    ["vm.swappiness recommended", 1],
    ["no-such-word", 0],
  ]) {
    await page.fill("#q", query);
    await settled(page);
    assert.match(await page.textContent("#hits"), new RegExp(`^${expected} of ${checks.length} checks`), query);
    assert.equal(await visible(page, "#checks [data-id]"), expected, query);
    assert.equal(new URLSearchParams(decodeURIComponent(new URL(page.url()).hash).slice(1)).get("?q") ?? new URLSearchParams(new URL(page.url()).hash.slice(2)).get("q"), query);
  }
  await page.fill("#q", "");
  await settled(page);
  await page.click(".toolbar .chip[data-v=warn]");
  assert.equal(await page.inputValue("#q"), "v:warn");
  assert.equal(await page.getAttribute(".toolbar .chip[data-v=warn]", "aria-pressed"), "true");
  assert.equal(await visible(page, ".finding"), count(check => check.verdict === "warn"));
  await page.click(".toolbar .chip[data-v=warn]");
  assert.equal(await visible(page, "#checks [data-id]"), checks.length);
}));

await test("what the catalogue says of a check that is well is put in its place and can be searched", () => within("mixed", {}, async page => {
  const well = report("mixed").checks.filter(({ verdict }) => ["pass", "info"].includes(verdict));
  assert.ok(well.length > 3);
  for (const { id, why, rule, source } of well) {
    const print = await page.locator(`.row[data-id="${id}"] .print`).evaluate(list => [...list.children].map(part => part.textContent));
    for (const words of [why, rule, source]) if (words) assert.ok(print.includes(words.replaceAll("`", "")), `${id}: ${words}`);
  }
  const { id, why } = well.find(check => check.why);
  await page.fill("#q", `"${why.replaceAll("`", "").toLowerCase()}"`);
  await settled(page);
  assert.equal(await visible(page, `#checks [data-id="${id}"]`), 1);
}));

await test("the words of a search are counted in the logs and shown there", () => within("lines-50000", {}, async page => {
  await page.fill("#q", "broken pipe");
  const button = page.locator("#hits button");
  await button.waitFor();
  const lines = report("lines-50000").logs.flatMap(log => log.text.split("\n")).filter(line => line.includes("Broken pipe")).length;
  assert.equal(await button.textContent(), `Show ${lines.toLocaleString("en")} log lines`);
  await button.click();
  assert.match(await page.textContent("#log-rt00 .lhits"), /^49 of 2,000 lines$/);
}));

await test("links open what they name", async () => {
  await within("mixed", { hash: "#f-disk-space" }, async page => {
    assert.equal(await page.evaluate(() => document.activeElement.id), "f-disk-space");
    assert.ok(await page.locator("#f-disk-space").evaluate(element => element.getBoundingClientRect().top < 300));
  });
  await within("mixed", { hash: "#c-iggy-stats" }, async page => assert.ok(await page.locator("#c-iggy-stats").evaluate(element => element.open)));
  await within("mixed", { hash: "#f-iggy-stats" }, async page => assert.ok(await page.locator("#c-iggy-stats").evaluate(element => element.open)));
  await within("mixed", { hash: "#?q=v%3Afail" }, async page => assert.equal(await visible(page, ".finding"), 2));
  await within("mixed", { hash: "#cat-tls" }, async page => assert.ok(await page.locator("#cat-tls").evaluate(element => element.getBoundingClientRect().top < 900)));
  await within("lines-50000", { hash: "#log-rt03:L1234" }, async page => {
    const marked = await page.evaluate(() => [...CSS.highlights.get("at")].map(range => range.toString()).join());
    assert.equal(marked, report("lines-50000").logs[3].text.split("\n")[1233]);
    assert.ok(await page.locator("#log-rt03").evaluate(element => element.open));
    await settled(page);
    const [line, pane] = await page.evaluate(() => [[...CSS.highlights.get("at")][0].getBoundingClientRect(), document.querySelector("#log-rt03 .pane").getBoundingClientRect()].map(box => box.toJSON()));
    assert.ok(line.height > 0 && line.top > pane.top && line.bottom < pane.bottom && line.bottom < 900, JSON.stringify([line, pane]));
  });
});

await test("keys act, and stop acting when they are switched off", () => within("mixed", {}, async page => {
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the findings");
  await page.keyboard.press("j");
  const first = await page.evaluate(() => document.activeElement.id);
  assert.equal(first, "f-disk-space");
  await page.keyboard.press("j");
  assert.notEqual(await page.evaluate(() => document.activeElement.id), first);
  await page.keyboard.press("k");
  assert.equal(await page.evaluate(() => document.activeElement.id), first);
  await page.keyboard.press("f");
  assert.equal(await page.inputValue("#q"), "v:fail");
  await page.keyboard.press("Escape");
  assert.equal(await page.inputValue("#q"), "");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "q");
  await page.keyboard.type("jkt");
  assert.equal(await page.inputValue("#q"), "jkt");
  await page.keyboard.press("Escape");
  await page.keyboard.press("e");
  await settled(page);
  assert.equal(await page.locator("#checks details:not([open])").count(), 0);
  await page.keyboard.press("t");
  await settled(page);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.keyboard.press("?");
  assert.ok(await page.locator("#help").evaluate(dialog => dialog.open));
  await page.uncheck("#keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("t");
  await settled(page);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
}));

await test("a log filters by words, expression and level and keeps its line numbers", () => within("lines-50000", {}, async page => {
  await page.locator("#log-rt00 > summary").click();
  const lines = report("lines-50000").logs[0].text.split("\n");
  const numbers = () => page.locator("#log-rt00 .pane i").evaluateAll(all => all.flatMap(one => one.textContent.split("\n").filter(Boolean).map(Number)));
  const expected = predicate => lines.map((line, index) => [line, index + 1]).filter(([line]) => predicate(line)).map(([, number]) => number);
  const filtered = async (text, predicate) => {
    await page.fill("#log-rt00 .lq", text);
    await page.waitForFunction(count => document.querySelector("#log-rt00 .lhits").textContent.startsWith(`${count} of`), expected(predicate).length.toLocaleString("en"));
    assert.deepEqual(await numbers(), expected(predicate), text);
  };
  await filtered("stale client", line => line.includes("stale client"));
  await filtered("/client (ID: )?10[0-3]\\d/", line => /client (ID: )?10[0-3]\d/.test(line));
  await page.click("#log-rt00 [data-log=next]");
  await page.fill("#log-rt00 .lq", "");
  await page.click("#log-rt00 [data-l=error]");
  assert.deepEqual(await numbers(), expected(line => / ERROR /.test(line)));
  await page.click("#log-rt00 [data-log=around]");
  assert.ok((await numbers()).length > expected(line => / ERROR /.test(line)).length * 5);
  await page.click("#log-rt00 [data-log=around]");
  await page.click("#log-rt00 [data-l=error]");
  assert.deepEqual(await numbers(), lines.map((_, index) => index + 1));
  await page.fill("#log-rt00 .lq", "/(/");
  await page.waitForFunction(() => document.querySelector("#log-rt00 .lhits").textContent.startsWith("Not a usable expression"));
}));

await test("lines that were never seen have their height, so that the scroll bar does not jump", () => within("lines-50000", {}, async page => {
  await page.locator("#log-rt00 > summary").click();
  await settled(page);
  const heights = await page.locator("#log-rt00 .c").evaluateAll(chunks => chunks.map(chunk => chunk.offsetHeight));
  assert.deepEqual(heights, heights.map(() => 3600));
}));

await test("each line has its time on the other clock beside it", () => within("lines-50000", {}, async page => {
  await page.locator("#log-rt00 > summary").click();
  const times = page.locator("#log-rt00 .c:first-child .t");
  await times.waitFor();
  const hour = text => Number(/(\d\d):\d\d:\d\d/.exec(text)[1]);
  const [line, time] = [report("lines-50000").logs[0].text.split("\n")[0], (await times.textContent()).split("\n")[0]];
  assert.equal(report("lines-50000").snapshot.utc_offset_s, 3600);
  assert.match(time, /^\d\d:\d\d:\d\d$/);
  assert.equal(hour(time), (hour(line) + 1) % 24, `${line} ${time}`);
  await page.click("#log-rt00 [data-l=error]");
  await page.waitForFunction(() => document.querySelector("#log-rt00 .c .t")?.textContent.length > 8);
}));

await test("the script and the program see the same level in a line", () => within("mixed", {}, async page => {
  for (const [index, log] of report("mixed").logs.entries()) {
    const id = `#log-rt0${index}`;
    await page.locator(`${id} > summary`).click();
    for (const level of ["error", "warn", "info", "other"]) {
      const chip = page.locator(`${id} [data-l=${level}]`);
      if (!await chip.count()) continue;
      await chip.click();
      const marked = await page.locator(`${id} .lhits`).textContent();
      await chip.click();
      const elements = await page.locator(`${id} .pane b.${level}`).count();
      if (["error", "warn"].includes(level)) assert.match(marked, new RegExp(`^${elements} of ${log.lines} lines`), `${id} ${level}`);
    }
  }
}));

await test("tables sort both ways, by number and by text", () => within("mixed", {}, async page => {
  const column = at => page.locator("#f-disk-space tbody tr").evaluateAll((rows, at) => rows.map(row => row.cells[at].textContent.trim()), at);
  await page.click("#f-disk-space th:nth-child(2) button");
  assert.deepEqual(await column(1), ["98.0 GiB", "1.80 TiB", "–"]);
  assert.equal(await page.getAttribute("#f-disk-space th:nth-child(2)", "aria-sort"), "ascending");
  await page.click("#f-disk-space th:nth-child(2) button");
  assert.deepEqual((await column(1)).slice(-2), ["1.80 TiB", "98.0 GiB"]);
  await page.click("#f-disk-space th:nth-child(1) button");
  assert.deepEqual(await column(0), ["/", "/mnt/dead", "/var/lib/iggy"]);
}));

await test("what is saved is report.json", () => within("mixed", {}, async page => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  assert.equal(download.suggestedFilename(), "snapshot-20261124-031240-iggy-03-report.json");
  assert.deepEqual(JSON.parse(readFileSync(await download.path(), "utf8")), report("mixed"));
}));

await test("the ticket, the commands and the link are copied", () => within("mixed", {}, async page => {
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await page.click("#f-disk-space [data-copy=commands]");
  assert.equal(await clipboard(), "iggy topic update 3 7 orders --message-expiry 24h\ndf -h /var/lib/iggy");
  await page.click("#f-disk-space [data-copy=ticket]");
  const ticket = await clipboard();
  for (const part of ["### Fail: Free space on Iggy's file systems (`disk.space`)", "- Node: iggy-03, deployment prod-eu-1", "- Measured: 4.1 %, expected ≥ 15 %", "| Mount | Size | Free | Used |", "```sh\niggy topic update 3 7 orders"]) {
    assert.ok(ticket.includes(part), `${part}\n${ticket}`);
  }
  await page.click("#f-disk-space [data-copy=link]");
  assert.ok((await clipboard()).endsWith("mixed.html#f-disk-space"));
}));

await test("without JavaScript everything is there and nothing is dead", () => within("mixed", { javaScript: false }, async page => {
  const text = await page.locator("main").innerText();
  for (const part of ["Two checks failed", "Free space on Iggy", "/var/lib/iggy", "df -h /var/lib/iggy", "Not seen", "iggy-server"]) assert.ok(text.includes(part), part);
  for (const selector of [".js", "button"]) assert.equal(await visible(page, selector), 0, selector);
  assert.ok(text.includes("snapvisor checks explain"), "where the words of what is well stand");
  for (const { id, why, verdict } of report("mixed").checks) {
    const whole = await page.locator(`#checks [data-id="${id}"], #findings [data-id="${id}"]`).evaluateAll(all => all.map(one => one.textContent).join());
    if (["fail", "warn", "skip"].includes(verdict)) assert.ok(whole.includes(why.replaceAll("`", "")), id);
  }
  await page.locator("#log-rt00 > summary").click();
  assert.ok((await page.locator("#log-rt00 .pane").innerText()).includes("failed to send response"));
}));

await test("hostile text makes no element and runs nothing", () => within("hostile", {}, async page => {
  await page.locator("#expand").click();
  await settled(page);
  assert.equal(await page.locator("main img, main script, main style, main iframe, [onerror]").count(), 0);
  const text = await page.locator("main").innerText();
  for (const part of ["</script><img src=x onerror=alert(1)>", "<!--<script>alert(2)</script>", "\\x1b[31mred", "\\u{202e}gnp.exe"]) assert.ok(text.includes(part), part);
  await page.fill("#q", "script");
  await page.keyboard.press("Escape");
}));

for (const name of ["mixed", "hostile", "lines-50000", "everything"]) {
  await test(`${name}: nothing scrolls sideways at 390 px`, () => within(name, { width: 390, height: 844 }, async page => {
    await page.locator("#expand").click();
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
  }));
}

await test("a comparison has no script, nothing for axe, and links that lead to what moved", () => within("diff", {}, async page => {
  await page.evaluate(axe);
  assert.equal(await page.locator("script").count(), 0);
  assert.equal(await page.locator("h1").textContent(), "2 new, 1 worse, 1 resolved.");
  for (const link of await page.locator("a.moved").all()) assert.equal(await page.locator(await link.getAttribute("href")).count(), 1);
  const { violations } = await page.evaluate(tags => globalThis.axe.run(document, { runOnly: tags }), TAGS);
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)}`), []);
}));

await test("print has every finding with its proof, every check as a line, and stays within 15 pages", () => within("mixed", {}, async page => {
  const path = join(pages, "mixed.pdf");
  writeFileSync(path, await page.pdf({ tagged: true, format: "A4", preferCSSPageSize: true }));
  const text = execFileSync("pdftotext", ["-layout", path, "-"], { encoding: "utf8" });
  for (const check of report("mixed").checks) assert.ok(text.includes(check.title), check.title);
  for (const part of ["df -h /var/lib/iggy", "systemctl reload iggy-server"]) assert.ok(text.includes(part), part);
  const count = (text.match(/\f/g) ?? []).length;
  assert.ok(count <= 15, `${count} pages`);
}));

await browser.close();
cleanUp();
finish();
