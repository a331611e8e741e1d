// A pgBadger report of as many log lines as our large fixture has, to stand beside it: the report that operators know.
import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pages } from "./harness.mjs";

const LINES = 50_000;
const TABLES = ["orders", "items", "customers", "payments", "shipments", "offsets", "segments", "topics"];

// Statements with durations, errors, connections: what pgBadger counts, in the default prefix of Debian's PostgreSQL.
function log() {
  const two = number => String(number).padStart(2, "0"), lines = [];
  for (let index = 0; index < LINES; index += 1) {
    const second = Math.floor(index / 14), time = `2026-11-24 ${two(2 + Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)} UTC`;
    const prefix = `${time} [${1000 + index % 64}] app@shop`, table = TABLES[index * 7 % TABLES.length];
    if (index % 41 === 7) lines.push(`${prefix} ERROR:  relation "${table}_${index % 97}" does not exist at character 15`);
    else if (index % 41 === 9) lines.push(`${prefix} WARNING:  there is already a transaction in progress`);
    else if (index % 41 === 11) lines.push(`${prefix} LOG:  connection authorized: user=app database=shop`);
    else lines.push(`${prefix} LOG:  duration: ${(index * 37 % 4000) / 10}00 ms  statement: SELECT * FROM ${table} WHERE id = ${index} AND state = 'open' ORDER BY id LIMIT 100`);
  }
  return `${lines.join("\n")}\n`;
}

// The name of the page, or null where pgBadger is not installed.
export function pgbadger() {
  if (spawnSync("pgbadger", ["--version"]).status !== 0) return null;
  const [input, output] = [join(pages, "pgbadger.log"), join(pages, "pgbadger.html")];
  writeFileSync(input, log());
  execFileSync("pgbadger", ["--quiet", "--format", "stderr", "--prefix", "%t [%p] %u@%d ", "--outfile", output, input]);
  return "pgbadger";
}
