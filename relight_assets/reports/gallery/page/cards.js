/* The grid of cards.  Only those near the part that is seen are in the page. */
const LEAST_WIDTH = 286, TEXT_HEIGHT = 82, EDGE = 14, GAP = 10, BEYOND = 2;
const scroller = document.getElementById("scroller");
const grid = document.getElementById("grid");
let shown = [];
let at = -1;
const cards = new Map();

const card = { each: 1, width: LEAST_WIDTH, cell: 0, line: 0 };

/* Cards fill the width; their two pictures are squares. */
function measure() {
  const room = scroller.clientWidth - 24 + GAP;
  card.each = Math.max(1, Math.floor(room / (LEAST_WIDTH + GAP)));
  card.width = Math.max(LEAST_WIDTH, Math.floor(room / card.each) - GAP);
  card.cell = Math.floor((card.width - EDGE - 2) / 2);
  card.line = card.cell + TEXT_HEIGHT + GAP;
}

function draw() {
  const { each, line } = card;
  grid.style.height = `${Math.ceil(shown.length / each) * line}px`;
  const from = Math.max(0, Math.floor(scroller.scrollTop / line) - BEYOND) * each;
  const to = Math.min(shown.length, (Math.ceil((scroller.scrollTop + scroller.clientHeight) / line) + BEYOND) * each);
  for (const [place, made] of cards) {
    if (place < from || place >= to) { made.remove(); cards.delete(place); }
  }
  for (let place = from; place < to; place++) {
    if (!cards.has(place)) {
      const made = cardOf(shown[place], place);
      // In the order of the rows, also for who goes from button to button.
      if (cards.has(place - 1)) cards.get(place - 1).after(made); else grid.prepend(made);
      cards.set(place, made);
    }
    const found = cards.get(place);
    found.style.left = `${(place % each) * (card.width + GAP)}px`;
    found.style.top = `${Math.floor(place / each) * line}px`;
    found.classList.toggle("at", place === at);
  }
}

function redraw() {
  for (const each of cards.values()) each.remove();
  cards.clear();
  measure();
  draw();
}

function cellOf(row, which) {
  const cell = element("div", { className: "cell" });
  cell.style.width = cell.style.height = `${card.cell}px`;
  withThumbnail(row.photo, (address) => {
    if (address === null) return void (cell.textContent = "no picture");
    const picture = element("div", {});
    showCell(picture, address, row.photo, which, card.cell);
    cell.replaceChildren(picture);
  });
  return cell;
}

function cardOf(row, place) {
  const made = element("div", { className: `card ${decisionOf(row.photo.path)}`, title: row.photo.path });
  made.style.width = `${card.width}px`;
  made.style.height = `${card.line - GAP}px`;
  made.onclick = (event) => {
    select(place);
    if (!event.target.closest("button, input")) openViewer(place);
  };
  const cells = element("div", { className: "cells" }, cellOf(row, 0));
  cells.style.height = `${card.cell}px`;
  made.append(cells);
  if (row.at < 0) {
    const [code, stage, message] = row.photo.reason;
    cells.append(element("div", { className: "message" }, element("b", { textContent: code }),
      element("div", { textContent: `${stage}: ${message}` })));
  } else {
    cells.append(cellOf(row, row.variant + 1));
  }
  made.append(element("div", { className: "first" }, element("b", { textContent: numberOf(row) }),
    element("span", { textContent: sortedValue(row) })));
  made.append(element("div", { className: "second", textContent: said(row) }), buttonsOf(row));
  return made;
}

function said(row) {
  if (row.at < 0) return row.photo.path;
  const words = ["family", "light_direction_word"].map((name) => columns.get(name) && columns.get(name).value(row));
  return words.filter(Boolean).map(shownName).join(", from ");
}

/* The value that the rows are sorted by. */
function sortedValue(row) {
  const column = columns.get(sorting.key) || columns.get("quality");
  if (!column || row.at < 0) return "";
  const value = column.value(row);
  return value === null ? "" : `${shownName(column.name).replace(/^(masks|albedo|degraded|composites) /, "")} ${shownValue(value)}`;
}

function buttonsOf(row) {
  const made = element("div", { className: "third" });
  const now = decisionOf(row.photo.path);
  if (!keyOf(row.photo.path)) return made;
  for (const decision of now === "forget" ? ["forget"] : ["keep", "drop"]) {
    const button = element("button", { type: "button", textContent: decision, className: now === decision ? `on-${decision}` : "" });
    button.onclick = () => change(row, now === decision ? "" : decision);
    made.append(button);
  }
  if (now) {
    const input = element("input", { className: "why", placeholder: "reason", value: reasonOf(row.photo.path), ariaLabel: "Reason" });
    input.setAttribute("list", "reasons");
    input.onchange = () => change(row, decisionOf(row.photo.path), input.value);
    made.append(input);
  } else if (row.failed.length) {
    const names = row.failed.map((one) => data.verdicts.metrics[one]).join(", ");
    made.append(element("span", { className: "fails", textContent: `beyond ${names}`, title: `beyond ${names}` }));
  }
  return made;
}

/* Puts a decision on a photo, and draws all its cards anew. */
function change(row, decision, reason) {
  decide(row.photo.path, decision, reason);
  for (const [place, made] of cards) {
    if (shown[place].photo !== row.photo) continue;
    cards.set(place, cardOf(shown[place], place));
    made.replaceWith(cards.get(place));
  }
  draw();
  drawHeader();
  drawDecision();
}

function select(place) {
  if (place < 0 || place >= shown.length) return;
  at = place;
  const { line } = card, top = Math.floor(place / card.each) * line;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  if (top + line + 24 > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + line + 24 - scroller.clientHeight;
  draw();
}
