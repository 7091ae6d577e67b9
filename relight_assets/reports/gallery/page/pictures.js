/* Thumbnails: sprites of some photos each, in the page or in files beside it that are loaded when one of them is seen.
   The thumbnail of a photo has its target and its conditions side by side. */
const MOST_SPRITES = 40;
const sprites = new Map();
const waiting = new Map();

function gallerySprite(number, thumbnails) {
  sprites.set(number, thumbnails);
  if (sprites.size > MOST_SPRITES) sprites.delete(sprites.keys().next().value);
  const ready = waiting.get(number) || [];
  waiting.delete(number);
  for (const call of ready) call();
}
window.gallerySprite = gallerySprite;

/* Calls back with the address of a photo's thumbnail, or null: at once where its sprite is there. */
function withThumbnail(photo, call) {
  const number = Math.floor(photo.at / data.photosOfSprite);
  const give = () => {
    const found = sprites.get(number) && sprites.get(number)[photo.at % data.photosOfSprite];
    call(found ? `data:image/jpeg;base64,${found}` : null);
  };
  if (sprites.has(number)) return give();
  if (waiting.has(number)) return void waiting.get(number).push(give);
  waiting.set(number, [give]);
  if (data.sprites === null) {
    const block = document.getElementById(`sprite-${number}`);
    return gallerySprite(number, block ? JSON.parse(block.textContent) : []);
  }
  const script = document.createElement("script");
  script.src = data.sprites[number];
  script.onload = () => script.remove();
  script.onerror = () => { script.remove(); gallerySprite(number, []); };
  document.head.append(script);
}

/* Width and height of a picture within a square. */
function within(size, side) {
  if (!size) return [side, side];
  const scale = side / Math.max(size[0], size[1]);
  return [Math.max(1, Math.round(size[0] * scale)), Math.max(1, Math.round(size[1] * scale))];
}

/* Shows one picture of a thumbnail in an element. */
function showCell(element, address, photo, which, side) {
  const cells = photo.status === "done" ? data.variants + 1 : 1;
  const [width, height] = within(photo.size, side);
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
  element.style.backgroundImage = `url("${address}")`;
  if (photo.status === "done") {
    element.style.backgroundSize = `${cells * width}px ${height}px`;
    element.style.backgroundPosition = `-${which * width}px 0`;
  } else {
    element.style.backgroundSize = "contain";
    element.style.backgroundPosition = "center";
  }
}

function fileOf(photo, name) {
  return `../${String(photo.number).padStart(5, "0")}_${name}.png`;
}
