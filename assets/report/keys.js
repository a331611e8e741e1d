// --- keys, and the start ---------------------------------------------------------------------------------------------
const help = $("help"), keysAct = $("keys");
function step(by) {
  const findings = all(".finding:not([hidden])");
  if (!findings.length) return;
  const here = findings.indexOf(document.activeElement.closest?.(".finding"));
  const next = findings[Math.min(findings.length - 1, Math.max(0, here < 0 ? (by > 0 ? 0 : findings.length - 1) : here + by))];
  next.focus({ preventScroll: true });
  next.scrollIntoView();
}
const KEYS = {
  "/": () => { q.focus(); q.select(); },
  j: () => step(1),
  k: () => step(-1),
  f: () => toggleVerdict("fail"),
  e: expand,
  l: () => $("logs")?.scrollIntoView(),
  t: changeThemeSoon,
  s: save,
  "?": () => help.showModal(),
};
document.addEventListener("keydown", event => {
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "Escape" && event.target === q) {
    setQuery("");
    q.blur();
  }
  if (typing || help.open || !keysAct.checked || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && q.value) return setQuery("");
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

all(".js").forEach(control => { control.hidden = false; });
theme(remembered("snapvisor-theme"));
keysAct.checked = remembered("snapvisor-keys") !== "off";
keysAct.onchange = () => remember("snapvisor-keys", keysAct.checked ? "on" : "off");
q.oninput = () => afterPaint(search);
$("expand").onclick = expand;
$("save").onclick = save;
$("print").onclick = () => print();
$("theme").onclick = changeThemeSoon;
$("ask").onclick = () => help.showModal();
all(".toolbar .chip").forEach(chip => { chip.onclick = () => toggleVerdict(chip.dataset.v); });
soon(prepareTables, { timeout: 200 });
reachSoon();
addEventListener("resize", reachSoon);
document.addEventListener("toggle", reachSoon, true);
addEventListener("hashchange", follow);
watchSections();
follow();
