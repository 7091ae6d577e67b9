"use strict";

/* The rows of the page, from its data.  Each is a pair (a photo and one of its lights), or a photo without one. */
const data = JSON.parse(document.getElementById("data").textContent);
const pairs = data.rows.photo.length;
const photos = data.photos.path.map((path, at) => ({
  at, path, number: data.photos.number[at], size: data.photos.size[at], status: data.photos.status[at],
  line: data.photos.line[at], reason: data.photos.reasons[at],
}));
const rows = [];
for (let at = 0; at < pairs; at++) {
  rows.push({ at, photo: photos[data.rows.photo[at]], variant: data.rows.variant[at], failed: data.verdicts.failed[at] });
}
for (const photo of photos) {
  if (photo.status !== "done") rows.push({ at: -1, photo, variant: 0, failed: [] });
}

/* Columns give the value of a row: a number, a text, true or false, or null where it is not known. */
function columnOf(plain) {
  const { kind, words, values } = plain;
  const value = kind === "flag" ? (row) => (row.at < 0 || values[row.at] === "-" ? null : values[row.at] === "1")
    : kind === "text" ? (row) => (row.at < 0 || values[row.at] < 0 ? null : words[values[row.at]])
    : (row) => (row.at < 0 ? null : values[row.at]);
  return { name: plain.name, kind, words, tag: plain.tag === true, unit: plain.unit || "", meaning: plain.meaning || "", value };
}
const columns = new Map(data.labels.map((plain) => [plain.name, columnOf(plain)]));

function shownName(name) {
  return name.replace(/_/g, " ");
}

function shownValue(value) {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? String(+value.toPrecision(4)) : value;
}

function numberOf(row) {
  const number = row.photo.number;
  const light = data.variants > 1 && row.at >= 0 ? ` light ${row.variant + 1}` : "";
  return number === null ? `line ${row.photo.line}` : String(number).padStart(5, "0") + light;
}

/* Rows that are known come first, in either direction. */
function sorted(found, key, descending) {
  if (key === "") return descending ? found.slice().reverse() : found;
  const value = key === " failed" ? (row) => row.failed.length : key === " decision" ? (row) => decisionOf(row.photo.path)
    : key === " path" ? (row) => row.photo.path : columns.get(key).value;
  const keyed = found.map((row, at) => ({ row, at, value: value(row) }));
  const sign = descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.at - b.at;
    return (a.value < b.value ? -sign : a.value > b.value ? sign : a.at - b.at);
  });
  return keyed.map((each) => each.row);
}
