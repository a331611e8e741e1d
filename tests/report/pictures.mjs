// The pictures of docs/images: `make report-pictures`. Look at each before it is committed.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUp, launch, open, pages, settled } from "./harness.mjs";

const OUT = join(import.meta.dirname, "../../docs/images");
const PRINT_DPI = "72";
mkdirSync(OUT, { recursive: true });
const browser = await launch();

async function picture(file, name, options = {}, prepare = null) {
  const { page, close } = await open(browser, name, options);
  await prepare?.(page);
  await page.evaluate(() => document.fonts.ready);
  await settled(page);
  await page.screenshot({ path: join(OUT, file) });
  await close();
  console.log(join("docs/images", file));
}

// The first page as it comes out of a printer.
async function printed(file, name) {
  const { page, close } = await open(browser, name);
  const folder = mkdtempSync(join(tmpdir(), "snapvisor-print-")), pdf = join(folder, "report.pdf");
  await page.pdf({ path: pdf, tagged: true, format: "A4", preferCSSPageSize: true });
  await close();
  execFileSync("pdftoppm", ["-png", "-singlefile", "-r", PRINT_DPI, pdf, join(folder, "page")]);
  copyFileSync(join(folder, "page.png"), join(OUT, file));
  const count = /^Pages:\s+(\d+)/m.exec(execFileSync("pdfinfo", [pdf], { encoding: "utf8" }))[1];
  rmSync(folder, { recursive: true });
  console.log(`${join("docs/images", file)}, of ${count} pages`);
}

await picture("report-logs.png", "lines-50000", { hash: "#log-rt00" }, page => page.locator("#log-rt00 [data-l=error]").click());
await picture("report-diff.png", "diff");
for (const [file, name, hash] of [["sick", "sick", "#f-disk-space"], ["machine", "machine", ""], ["lines", "lines-50000", "#log-rt03:L1234"]]) {
  if (!existsSync(join(pages, `${name}.html`))) {
    console.error(`${name}.html is missing: no pictures of it`);
    continue;
  }
  await picture(`report-${file}-light.png`, name, { hash: file === "lines" ? hash : "" });
  await picture(`report-${file}-dark.png`, name, { scheme: "dark", hash });
  await picture(`report-${file}-narrow.png`, name, { width: 390, height: 844, hash: file === "lines" ? hash : "" });
  await printed(`report-${file}-print.png`, name);
}
await browser.close();
cleanUp();
