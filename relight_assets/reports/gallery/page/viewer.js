/* One pair at 1:1: the target beside the condition under a slider, its mask, its albedo, and all its labels. */
const viewer = document.getElementById("viewer");
const stage = document.getElementById("stage");
const pictures = document.getElementById("pictures");
const look = { mode: "slider", fit: false, share: 0.5 };

function openViewer(place) {
  select(place);
  if (!viewer.open) viewer.showModal();
  look.mode = "slider";
  look.share = 0.5;
  drawViewer(true);
}

function drawViewer(isNew) {
  const row = shown[at];
  document.getElementById("viewer-title").textContent = `${numberOf(row)} \u00b7 ${row.at < 0 ? row.photo.reason[0] : said(row)}`;
  for (const button of viewer.querySelectorAll("[data-do]")) {
    const mode = button.dataset.do;
    if (["slider", "mask", "albedo"].includes(mode)) {
      button.setAttribute("aria-pressed", String(look.mode === mode));
      button.disabled = row.at < 0;
    }
    if (mode === "zoom") button.textContent = look.fit ? "1:1" : "fit";
  }
  drawPictures(row, isNew);
  drawLabels(row);
  drawDecision();
}

function drawPictures(row, isNew) {
  pictures.replaceChildren();
  pictures.className = look.mode;
  stage.classList.toggle("fit", look.fit);
  document.getElementById("stage-note").hidden = true;
  if (row.at < 0) return void pictures.append(fullPicture(row, null, 0));
  const condition = data.conditions[row.variant];
  if (look.mode === "slider") {
    const over = fullPicture(row, "input", 0);
    over.classList.add("over");
    pictures.append(fullPicture(row, condition, row.variant + 1, isNew), over,
      element("div", { className: "handle" }), element("span", { className: "name left", textContent: "target" }),
      element("span", { className: "name right", textContent: "condition" }));
    slide(look.share);
  } else {
    pictures.append(fullPicture(row, look.mode === "mask" ? "foreground" : "albedo", null, isNew));
  }
}

/* A picture in full; where it is not there, the one of the thumbnail, or a sentence. */
function fullPicture(row, name, which, isNew) {
  const image = element("img", { draggable: false, alt: name || "photo" });
  image.onload = () => {
    const ratio = window.devicePixelRatio || 1;
    if (look.fit) {
      const scale = Math.min(stage.clientWidth / image.naturalWidth, stage.clientHeight / image.naturalHeight);
      image.width = Math.floor(image.naturalWidth * scale);
      image.height = Math.floor(image.naturalHeight * scale);
    } else if (image.dataset.small) {
      [image.width, image.height] = row.photo.size || [image.naturalWidth * 3, image.naturalHeight * 3];
    } else {
      image.width = image.naturalWidth / ratio;
      image.height = image.naturalHeight / ratio;
    }
    const box = stage.getBoundingClientRect();
    pictures.style.marginLeft = `${margin(box.left, stage.clientWidth - image.width)}px`;
    pictures.style.marginTop = `${margin(box.top, stage.clientHeight - image.height)}px`;
    if (isNew) {
      stage.scrollLeft = (stage.scrollWidth - stage.clientWidth) / 2;
      stage.scrollTop = 0;
    }
    slide(look.share);
  };
  image.onerror = () => {
    image.onerror = null;
    note(which === null ? "This picture is not beside the gallery." : "The full picture is not beside the gallery; this is its thumbnail.");
    if (which !== null) fromThumbnail(image, row, which);
  };
  if (name === null) {
    note("Nothing was made of this photo; this is its thumbnail.");
    fromThumbnail(image, row, 0);
  } else {
    image.src = fileOf(row.photo, name);
  }
  return image;
}

/* Half of the room that is free, so that the picture begins at a whole pixel: half of one would blur it. */
function margin(edge, free) {
  return Math.ceil(edge + Math.max(0, free / 2)) - edge;
}

function fromThumbnail(image, row, which) {
  withThumbnail(row.photo, (address) => {
    if (address === null) return note("There is no picture of this photo.");
    const strip = new Image();
    strip.onload = () => {
      const cells = row.photo.status === "done" ? data.variants + 1 : 1;
      const width = strip.naturalWidth / cells;
      const canvas = element("canvas", { width, height: strip.naturalHeight });
      canvas.getContext("2d").drawImage(strip, -which * width, 0);
      image.dataset.small = "yes";
      image.src = canvas.toDataURL();
    };
    strip.src = address;
  });
}

function note(text) {
  const made = document.getElementById("stage-note");
  made.textContent = text;
  made.hidden = false;
}

/* Puts the slider at a share of the width: left of it is the target. */
function slide(share) {
  look.share = Math.min(1, Math.max(0, share));
  const over = pictures.querySelector(".over"), handle = pictures.querySelector(".handle");
  if (!over) return;
  over.style.clipPath = `inset(0 ${100 - look.share * 100}% 0 0)`;
  handle.style.left = `${look.share * 100}%`;
}

function slideTo(event) {
  if (look.mode !== "slider" || !pictures.querySelector(".over")) return;
  const box = pictures.getBoundingClientRect();
  slide((event.clientX - box.left) / box.width);
}
pictures.onpointerdown = (event) => { pictures.setPointerCapture(event.pointerId); slideTo(event); };
pictures.onpointermove = (event) => { if (event.buttons) slideTo(event); };

function drawLabels(row) {
  const list = document.getElementById("labels");
  list.replaceChildren();
  const add = (name, text, title, className) => list.append(
    element("dt", { textContent: name, title: title || "", className: (className || "").startsWith("text") ? "wide" : "" }), element("dd", { textContent: text, className: className || "" }));
  add("path", row.photo.path, "", "text");
  add("line", String(row.photo.line));
  if (row.at < 0) {
    const [code, atStage, message] = row.photo.reason;
    add("code", code, "", "text bad");
    add("stage", atStage, "", "text");
    add("message", message, "", "text");
    return;
  }
  add("beyond", row.failed.length ? row.failed.map((one) => data.verdicts.metrics[one]).join(", ") : "no threshold", "", row.failed.length ? "bad" : "");
  let group = "";
  for (const column of columns.values()) {
    const value = column.value(row);
    if (value === null) continue;
    const found = /^(masks|albedo|degraded|composites)_/.exec(column.name);
    if (found && found[1] !== group) {
      group = found[1];
      list.append(element("div", { className: "group", textContent: group }));
    }
    const name = shownName(found ? column.name.slice(group.length + 1) : column.name);
    const unit = column.unit && typeof value === "number" ? ` ${column.unit}` : "";
    add(name, shownValue(value) + unit, column.meaning, typeof value === "string" && value.length > 24 ? "text" : "");
  }
}

function drawDecision() {
  if (!viewer.open) return;
  const row = shown[at], now = decisionOf(row.photo.path);
  const shownDecision = document.getElementById("viewer-decision");
  shownDecision.textContent = now;
  shownDecision.className = now;
  for (const button of viewer.querySelectorAll("[data-decide]")) {
    button.className = now === button.dataset.decide && now ? `on-${now}` : "";
    button.disabled = !keyOf(row.photo.path);
  }
  const reason = document.getElementById("reason");
  reason.value = reasonOf(row.photo.path);
  reason.disabled = !now;
  document.getElementById("decide-hint").textContent = now === "forget"
    ? "relight forget removes all that is there of the photo, once the review lies beside the CSV."
    : data.variants > 1 ? `A decision is of the photo, with all its ${data.variants} lights.` : "";
}

const DO = {
  slider: () => setMode("slider"), mask: () => setMode("mask"), albedo: () => setMode("albedo"),
  zoom: () => { look.fit = !look.fit; drawViewer(true); },
  previous: () => step(-1), next: () => step(1), close: () => viewer.close(),
};

function setMode(mode) {
  if (shown[at].at < 0) return;
  look.mode = look.mode === mode ? "slider" : mode;
  drawViewer(false);
}

function step(by) {
  if (at + by < 0 || at + by >= shown.length) return;
  select(at + by);
  drawViewer(false);
}
