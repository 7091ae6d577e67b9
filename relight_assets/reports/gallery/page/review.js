/* What a person decides of photos.  It starts from the review that lay beside the CSV, and is kept in the browser until
   it is downloaded. */
const KEPT = `relight-review-${data.id}`;
const first = data.review.rows.map((cells) => Object.fromEntries(data.review.columns.map((name, at) => [name, cells[at]])));
const decisions = new Map();
let isKept = true;

function plainDecision(cells) {
  const said = (cells.decision || "").trim().toLowerCase();
  const forget = ["yes", "forget", "x", "1", "true"].includes((cells.forget || "").trim().toLowerCase());
  return { decision: forget ? "forget" : said, reason: cells.reason || "" };
}

for (const cells of first) {
  const found = plainDecision(cells);
  if (found.decision) decisions.set(keyOf(cells.image_path), found);
}
const before = new Map(decisions);
try {
  const stored = JSON.parse(localStorage.getItem(KEPT) || "null");
  // What was downloaded is in the file that a later page starts from.
  if (stored && (!stored.downloaded || stored.build === data.build)) {
    for (const [path, decision] of stored.changes) set(path, decision);
  }
} catch (error) {
  isKept = false;
}

function set(path, decision) {
  if (decision === null) decisions.delete(path); else decisions.set(path, decision);
}

function keyOf(path) {
  return path.trim();
}

function decisionOf(path) {
  const found = decisions.get(keyOf(path));
  return found ? found.decision : "";
}

function reasonOf(path) {
  const found = decisions.get(keyOf(path));
  return found ? found.reason : "";
}

function decide(path, decision, reason) {
  if (!keyOf(path)) return;
  set(keyOf(path), decision ? { decision, reason: reason === undefined ? reasonOf(path) : reason } : null);
  keep(false);
}

/* Only what differs from the file is kept. */
function keep(downloaded) {
  const changes = [];
  for (const path of new Set([...before.keys(), ...decisions.keys()])) {
    const now = decisions.get(path) || null, then = before.get(path) || null;
    if (JSON.stringify(now) !== JSON.stringify(then)) changes.push([path, now]);
  }
  try {
    localStorage.setItem(KEPT, JSON.stringify({ build: data.build, downloaded, changes }));
    isKept = true;
  } catch (error) {
    isKept = false;
  }
}

function cell(text) {
  return /^\s|\s$|[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/* The review as exports read it: the rows that were there, changed or not, and after them the new ones. */
function reviewCsv() {
  const names = data.review.columns;
  const lines = [names];
  const written = new Set();
  const line = (path, other) => {
    const { decision, reason } = decisions.get(path);
    const cells = { ...other, image_path: path, reason, decision: decision === "forget" ? "drop" : decision,
      forget: decision === "forget" ? "yes" : "" };
    written.add(path);
    lines.push(names.map((name) => cells[name] || ""));
  };
  const add = (path, other) => { if (decisions.has(path) && !written.has(path)) line(path, other); };
  for (const cells of first) add(keyOf(cells.image_path), cells);
  for (const photo of photos) add(keyOf(photo.path), {});
  for (const path of decisions.keys()) add(path, {});
  return lines.map((cells) => cells.map(cell).join(",") + "\n").join("");
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([reviewCsv()], { type: "text/csv" }));
  link.download = data.review.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  keep(true);
}
