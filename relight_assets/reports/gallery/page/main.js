/* The header, the keys, and the start. */
const STATUSES = [["done", "pairs"], ["failed", "failed"], ["rejected", "rejected"]];
const sorting = { key: "", descending: false };
let status = pairs ? "done" : (STATUSES.find(([name]) => rows.some((row) => row.photo.status === name)) || ["done"])[0];

/* Filters and sorts anew. */
function refresh() {
  const before = shown[at];
  shown = sorted(rows.filter((row) => row.photo.status === status && passes(row)), sorting.key, sorting.descending);
  at = shown.indexOf(before);
  document.getElementById("empty").hidden = shown.length > 0;
  scroller.scrollTop = 0;
  redraw();
  drawHeader();
}

function drawHeader() {
  const title = document.getElementById("title");
  const whose = data.experiment ? `${data.split}, experiment ${data.experiment}` : data.split;
  title.replaceChildren(whose, element("small", { textContent: countsText(), title: `made ${data.made} by relight ${data.version}` }));
  const tally = { keep: 0, drop: 0, forget: 0 };
  for (const { decision } of decisions.values()) if (decision in tally) tally[decision] += 1;
  const decided = tally.keep + tally.drop + tally.forget;
  const words = Object.entries(tally).filter(([, count]) => count).map(([name, count]) => `${count.toLocaleString("en")} ${name}`);
  document.getElementById("decided").textContent = isKept ? words.join(", ") : "decisions are not kept by this browser: download them";
  const button = document.getElementById("download");
  button.textContent = `download ${data.review.file}`;
  button.disabled = !decided && !before.size;
  const reasons = new Set([...decisions.values()].map((each) => each.reason).filter(Boolean));
  document.getElementById("reasons").replaceChildren(...[...reasons].slice(0, 50).map((value) => element("option", { value })));
}

function countsText() {
  const total = rows.reduce((sum, row) => sum + (row.photo.status === status), 0);
  const all = total.toLocaleString("en"), noun = status === "done" ? "pairs" : "photos";
  return shown.length === total ? `${all} ${noun}` : `${shown.length.toLocaleString("en")} of ${all} ${noun}`;
}

function fillTabs() {
  const tabs = document.getElementById("tabs");
  for (const [name, label] of STATUSES) {
    const count = rows.reduce((sum, row) => sum + (row.photo.status === name), 0);
    const button = element("button", { type: "button", textContent: `${label} ${count.toLocaleString("en")}` });
    button.setAttribute("role", "tab");
    button.setAttribute("aria-pressed", String(name === status));
    button.disabled = !count;
    button.onclick = () => {
      status = name;
      for (const other of tabs.children) other.setAttribute("aria-pressed", String(other === button));
      refresh();
    };
    tabs.append(button);
  }
}

function fillSort() {
  const select = document.getElementById("sort"), direction = document.getElementById("direction");
  for (const [value, textContent] of [["", "row"], [" path", "path"], [" failed", "failed thresholds"], [" decision", "decision"]]) {
    select.append(element("option", { value, textContent }));
  }
  addColumnOptions(select);
  const show = () => { direction.textContent = sorting.descending ? "\u2193" : "\u2191"; };
  select.onchange = () => { sorting.key = select.value; refresh(); };
  direction.onclick = () => { sorting.descending = !sorting.descending; show(); refresh(); };
  show();
}

function fillSearch() {
  const input = document.getElementById("search"), caption = columns.get("caption");
  input.oninput = () => {
    const part = input.value.toLowerCase();
    setTest(" search", part ? (row) => [row.photo.path, caption && caption.value(row), ...(row.photo.reason || [])]
      .some((text) => text && text.toLowerCase().includes(part)) : null);
  };
}

const DECIDE = { k: "keep", d: "drop", f: "forget", u: "" };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("help").open) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Enter" || event.key === "Escape") { event.target.blur(); event.preventDefault(); }
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const act = actionOf(key, event.target);
  if (act) { event.preventDefault(); act(); }
}

function actionOf(key, target) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -card.each, ArrowDown: card.each };
  if (key === "?") return () => document.getElementById("help").showModal();
  if (viewer.open) {
    const act = { m: DO.mask, a: DO.albedo, c: DO.slider, z: DO.zoom, " ": () => slide(look.share < 0.5 ? 1 : 0) }[key];
    if (act && !(key === " " && target.matches("button"))) return act;
    if (key === "ArrowLeft" || key === "ArrowRight") return () => step(steps[key]);
    if (key === "r") return () => document.getElementById("reason").focus();
  } else {
    if (key === "/") return () => document.getElementById("search").focus();
    if (key in steps) return () => select(at < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, at + steps[key])));
    if (key === "Enter" && at >= 0 && !target.matches("button")) return () => openViewer(at);
    if (key === "r" && cards.has(at)) return () => { const why = cards.get(at).querySelector(".why"); if (why) why.focus(); };
  }
  if (key in DECIDE && at >= 0) return () => change(shown[at], DECIDE[key]);
  return null;
}

fillTabs();
fillFilters();
fillSort();
fillSearch();
const notes = document.getElementById("notes");
notes.textContent = data.notes.join(" ");
notes.hidden = !data.notes.length;
document.getElementById("help-review").textContent =
  `Put ${data.review.file} beside the split's CSV: exports leave out what it drops, and relight forget removes what it wants forgotten.`;
document.getElementById("download").onclick = download;
document.getElementById("keys").onclick = () => document.getElementById("help").showModal();
for (const button of viewer.querySelectorAll("[data-do]")) button.onclick = () => DO[button.dataset.do]();
for (const button of viewer.querySelectorAll("[data-decide]")) button.onclick = () => change(shown[at], button.dataset.decide);
document.getElementById("reason").onchange = (event) => change(shown[at], decisionOf(shown[at].photo.path), event.target.value);
document.addEventListener("keydown", onKey);
scroller.addEventListener("scroll", () => requestAnimationFrame(draw));
window.addEventListener("resize", () => { redraw(); if (viewer.open && look.fit) drawViewer(false); });
refresh();
scroller.focus();
