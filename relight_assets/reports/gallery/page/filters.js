/* Filters.  Each is a function that says whether a row passes; a row is shown that passes all. */
const tests = new Map();
const panel = document.getElementById("filters");
const MANY_WORDS = 24;

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function setTest(name, test) {
  if (test) tests.set(name, test); else tests.delete(name);
  refresh();
}

function passes(row) {
  for (const test of tests.values()) if (!test(row)) return false;
  return true;
}

function counts(value) {
  const found = new Map();
  for (const row of rows) {
    if (row.at < 0) continue;
    for (const each of [value(row)].flat()) found.set(each, (found.get(each) || 0) + 1);
  }
  return found;
}

function section(title, onRemove) {
  const heading = element("h2", {}, title);
  const made = element("section", {}, heading);
  if (onRemove) {
    const button = element("button", { type: "button", textContent: "remove" });
    button.onclick = () => { made.remove(); onRemove(); };
    heading.append(button);
  }
  return made;
}

/* Checkboxes; a row passes that has one of those that are checked, or any where none is.  ``value`` may give several. */
function choices(title, name, options, value, onRemove) {
  const made = section(title, onRemove);
  const box = element("div", { className: "choices" });
  const wanted = new Set();
  for (const [key, label, count] of options) {
    const input = element("input", { type: "checkbox" });
    input.onchange = () => {
      if (input.checked) wanted.add(key); else wanted.delete(key);
      setTest(name, wanted.size ? (row) => [value(row)].flat().some((each) => wanted.has(each)) : null);
    };
    box.append(element("label", {}, input, element("span", { textContent: label }),
      element("span", { textContent: count === null ? "" : count.toLocaleString("en") })));
  }
  made.append(box);
  return made;
}

function wordOptions(column) {
  const found = counts(column.value);
  const words = [...found.keys()].filter((word) => word !== null).sort();
  const options = words.map((word) => [word, shownName(word), found.get(word)]);
  return found.has(null) ? [...options, [null, "not known", found.get(null)]] : options;
}

function tagButtons(list) {
  const made = section("Tags");
  for (const column of list) {
    const count = counts(column.value).get(true) || 0;
    if (!count) continue;
    const name = shownName(column.name.replace(/^(masks|albedo)_/, ""));
    const button = element("button", { type: "button", className: "tag", title: `${column.meaning}\nclick: with, without, either` },
      name, element("span", { textContent: count.toLocaleString("en") }));
    button.onclick = () => {
      const want = { "": "1", 1: "0", 0: "" }[button.dataset.want || ""];
      button.dataset.want = want;
      setTest(column.name, want ? (row) => row.at >= 0 && (column.value(row) === true) === (want === "1") : null);
    };
    made.append(button);
  }
  return made.children.length > 1 ? made : null;
}

function range(column, onRemove) {
  const made = section(shownName(column.name), onRemove);
  let low = Infinity, high = -Infinity;
  for (const row of rows) {
    const value = column.value(row);
    if (value !== null) { low = Math.min(low, value); high = Math.max(high, value); }
  }
  made.title = [column.meaning, column.unit].filter(Boolean).join(", ");
  const inputs = [["min", low], ["max", high]].map(([label, bound]) =>
    element("input", { type: "number", step: "any", placeholder: `${label} ${shownValue(bound)}`, ariaLabel: `${label} ${shownName(column.name)}` }));
  const change = () => {
    const [least, most] = inputs.map((input) => (input.value === "" ? null : Number(input.value)));
    setTest(column.name, least === null && most === null ? null : (row) => {
      const value = column.value(row);
      return value !== null && (least === null || value >= least) && (most === null || value <= most);
    });
  };
  for (const input of inputs) input.oninput = change;
  made.append(element("div", { className: "range" }, ...inputs));
  return made;
}

function contains(column, onRemove) {
  const made = section(shownName(column.name), onRemove);
  const input = element("input", { type: "search", placeholder: "contains", ariaLabel: shownName(column.name) });
  input.oninput = () => {
    const part = input.value.toLowerCase();
    setTest(column.name, part ? (row) => (column.value(row) || "").toLowerCase().includes(part) : null);
  };
  made.append(input);
  return made;
}

function filterOf(column) {
  const remove = () => setTest(column.name, null);
  if (column.kind === "number") return range(column, remove);
  if (column.kind === "text" && column.words.length > MANY_WORDS) return contains(column, remove);
  const options = column.kind === "flag"
    ? [[true, "yes"], [false, "no"], [null, "not known"]].map(([key, label]) => [key, label, counts(column.value).get(key) || 0])
    : wordOptions(column);
  return choices(shownName(column.name), column.name, options, column.value, remove);
}

function verdictChoices() {
  const names = data.verdicts.metrics;
  const value = (row) => (row.failed.length ? row.failed : [-1]);
  const found = counts(value);
  const options = [[-1, "within all thresholds", found.get(-1) || 0], ...names.map((name, at) => [at, `beyond ${name}`, found.get(at) || 0])];
  return choices("Verdicts", " verdicts", options, value);
}

function fillFilters() {
  const decision = (row) => decisionOf(row.photo.path);
  panel.append(choices("Decision", " decision",
    [["", "undecided", null], ["keep", "keep", null], ["drop", "drop", null], ["forget", "forget", null]], decision));
  if (!pairs) return;
  for (const [name, title] of [["family", "Light family"], ["light_direction_word", "Light from"]]) {
    const column = columns.get(name);
    if (column) panel.append(choices(title, name, wordOptions(column), column.value));
  }
  panel.append(verdictChoices());
  const tags = tagButtons([...columns.values()].filter((column) => column.tag));
  if (tags) panel.append(tags);
  const more = element("select", { className: "add", ariaLabel: "Add a filter" }, element("option", { value: "", textContent: "filter by another label ..." }));
  addColumnOptions(more);
  more.onchange = () => {
    const column = columns.get(more.value);
    more.value = "";
    if (column) more.before(filterOf(column));
  };
  panel.append(more);
}

/* The columns as options, by the stage that they are of. */
function addColumnOptions(select) {
  const groups = new Map([["pair", []]]);
  for (const column of columns.values()) {
    const stage = ["masks", "albedo", "degraded", "composites"].find((name) => column.name.startsWith(`${name}_`)) || "pair";
    if (!groups.has(stage)) groups.set(stage, []);
    groups.get(stage).push(column);
  }
  for (const [stage, list] of groups) {
    select.append(element("optgroup", { label: stage }, ...list.map((column) =>
      element("option", { value: column.name, textContent: shownName(column.name), title: column.meaning }))));
  }
}
