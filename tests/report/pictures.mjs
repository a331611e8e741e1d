// The pictures of docs/images, from the fixtures: `make report-pictures`. Look at each before it is committed.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cleanUp, launch, open, pages } from "./harness.mjs";

const OUT = join(import.meta.dirname, "../../docs/images");
mkdirSync(OUT, { recursive: true });
const browser = await launch();
for (const [file, name, options, prepare] of [
  ["report.png", "mixed", {}, null],
  ["report-dark.png", "mixed", { scheme: "dark", hash: "#f-disk-space" }, null],
  ["report-390px.png", "mixed", { width: 390, height: 844, scheme: "dark" }, null],
  ["report-logs.png", "lines-50000", { hash: "#log-rt00" }, page => page.locator("#log-rt00 [data-l=error]").click()],
  ["report-diff.png", "diff", {}, null],
  // A real one: `snapvisor collect`, then `snapvisor report render … --output target/report-pages/own.html`.
  ...existsSync(join(pages, "own.html")) ? [["report-this-machine.png", "own", { height: 620 }, null]] : [],
]) {
  const { page, close } = await open(browser, name, options);
  await prepare?.(page);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(OUT, file) });
  await close();
  console.log(join("docs/images", file));
}
await browser.close();
cleanUp();
