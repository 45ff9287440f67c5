// The maps: one, or one an edition side by side, moved and enlarged together.
const LAYER = { lsoa: ".lsoa path", practice: ".practice circle", pcn: ".pcn path", place: ".place path" };
const tip = byId("tip");
let maps = [];
let shapes = [];
let current = -1;
let moved = false;
let now = null;

function startMaps() {
  const first = document.querySelector(".map");
  if (!first) return;
  const holder = byId("maps");
  maps = data.editions.map((_, place) => (place ? holder.appendChild(holder.firstElementChild.cloneNode(true)).querySelector(".map") : first));
  maps.forEach((map, place) => {
    map.id = `map-${place}`;
    listen(map, place);
  });
  const box = first.viewBox.baseVal;
  now = { full: { width: box.width, height: box.height }, x: 0, y: 0, width: box.width, height: box.height };
  all("[data-zoom]").forEach((button) => button.addEventListener("click", () => zoom({ in: 0.5, out: 2, all: 1000 }[button.dataset.zoom])));
  addEventListener("pointerup", () => { drag = null; setTimeout(() => { moved = false; }, 0); });
  addEventListener("pointermove", dragging);
  addEventListener("pointerdown", (event) => { if (!event.target.closest?.("[data-at]")) hot(-1); });
}

const editionOf = (place) => editions()[Math.min(place, editions().length - 1)];

function drawMaps() {
  const known = new Map(level().codes.map((code, at) => [code, at]));
  shapes = maps.map(() => []);
  maps.forEach((map, place) => {
    const frame = map.closest(".map-frame");
    frame.hidden = place >= editions().length;
    if (frame.hidden) return;
    const edition = editionOf(place), s = series(edition);
    map.dataset.level = state.level;
    frame.querySelector(".map-title").textContent = hangsOnEdition() ? `IMD ${edition}` : "";
    map.setAttribute("aria-label", `Map: ${heading()}${hangsOnEdition() ? `, by IMD ${edition}` : ""}. Arrow keys go from one ${LEVELS[state.level].one} to the next, the worst first. The table below has the same figures.`);
    all("[data-at]", map).forEach((shape) => { shape.removeAttribute("data-at"); shape.removeAttribute("fill"); });
    all(LAYER[state.level], map).forEach((shape) => {
      const at = known.get(shape.dataset.c);
      if (at === undefined) return;
      shape.dataset.at = at;
      shape.setAttribute("fill", classAt(s.c[at]).colour);
      shapes[place][at] = shape;
    });
    drawNumbers(map, edition);
  });
  byId("maps").classList.toggle("two", editions().length > 1);
}

function drawNumbers(map, edition) {
  const isShown = state.level === "pcn";
  map.querySelector(".numbers").classList.toggle("off", !isShown);
  if (!isShown) return;
  const place = new Map(order().map((at, number) => [data.levels.pcn.codes[at], [number + 1, at]]));
  all(".numbers g", map).forEach((group) => {
    const [number, at] = place.get(group.dataset.c) ?? ["", -1];
    const text = group.querySelector("text");
    text.textContent = number;
    text.dataset.ink = at < 0 ? "#212b32" : classAt(series(edition).c[at]).ink;
    group.dataset.n = at;
    placeNumber(map, group);
  });
}

// in the middle of its shape, or in a box beside it with a line where there is no room
function placeNumber(map, group) {
  const text = group.querySelector("text"), pin = group.querySelector(".pin"), box = group.querySelector("rect");
  const isBeside = pin && !map.classList.contains("near"), size = 4.3 * (now ? now.width / now.full.width : 1);
  const inside = pin ? { x: Number(pin.getAttribute("cx")), y: Number(pin.getAttribute("cy")) } : { x: Number(text.getAttribute("x")), y: null };
  text.dataset.y ??= text.getAttribute("y");
  text.setAttribute("x", isBeside ? Number(box.getAttribute("x")) + 10 : inside.x);
  text.setAttribute("y", isBeside ? text.dataset.y : (inside.y ?? Number(text.dataset.y) - 4.3) + size);
  text.setAttribute("fill", isBeside ? "#212b32" : text.dataset.ink ?? "#212b32");
}

function filterMaps() {
  maps.forEach((map, place) => {
    shapes[place].forEach((shape, at) => shape.classList.toggle("dim", !wanted(at, editionOf(place))));
    all(".numbers g", map).forEach((group) => group.classList.toggle("off", Number(group.dataset.n) < 0 || !wanted(Number(group.dataset.n), editionOf(place))));
  });
}

function listen(map, place) {
  const at = (event) => { const shape = event.target.closest("[data-at]"); return shape ? Number(shape.dataset.at) : -1; };
  map.addEventListener("pointermove", (event) => { if (!drag?.far) { hot(at(event)); showTip(at(event), editionOf(place), event.clientX, event.clientY); } });
  map.addEventListener("pointerleave", () => hot(-1));
  map.addEventListener("pointerdown", (event) => { moved = false; drag = { x: event.clientX, y: event.clientY, from: { ...now }, map }; });
  map.addEventListener("click", (event) => {
    // a finger has no hover: its first touch shows what a pointer sees on its way
    if (event.pointerType === "touch") { hot(at(event)); showTip(at(event), editionOf(place), event.clientX, event.clientY); } else if (!moved) toRow(at(event));
  });
  map.addEventListener("focus", () => map.matches(":focus-visible") && go(map, place, current < 0 ? order(editionOf(place))[0] : current));
  map.addEventListener("blur", () => hot(-1));
  map.addEventListener("keydown", (event) => {
    const walk = order(editionOf(place)).filter((each) => shapes[place][each] && wanted(each, editionOf(place)));
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const here = walk.indexOf(current);
    if (step) go(map, place, walk[(here + step + walk.length) % walk.length]);
    else if (event.key === "Home") go(map, place, walk[0]);
    else if (event.key === "End") go(map, place, walk[walk.length - 1]);
    else if (event.key === "Enter") toRow(current);
    else if (event.key === "+" || event.key === "=") zoom(0.5, current, place);
    else if (event.key === "-") zoom(2, current, place);
    else if (event.key === "Escape") tip.hidden = true;
    else return;
    event.preventDefault();
  });
}

function go(map, place, at) {
  const shape = at === undefined ? null : shapes[place][at];
  if (!shape) return;
  hot(at);
  const box = shape.getBoundingClientRect();
  showTip(at, editionOf(place), box.left + box.width / 2, box.top + box.height / 2);
  byId("spoken").textContent = `${order(editionOf(place)).indexOf(at) + 1}. ${told(at, editionOf(place)).join(", ")}`;
}

function showTip(at, edition, x, y) {
  tip.hidden = at < 0;
  if (at < 0) return;
  tip.replaceChildren(...told(at, edition).map((line, place) => element(place ? "div" : "b", line)));
  const box = tip.getBoundingClientRect();
  const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - box.width - 4))}px`;
  tip.style.top = `${Math.max(4, Math.min(y + 16, innerHeight - box.height - 4))}px`;
}

function hot(at) {
  if (at === current) { if (at < 0) tip.hidden = true; return; }
  current = at;
  all(".hot").forEach((one) => one.classList.remove("hot"));
  maps.forEach((map, place) => {
    const outline = map.querySelector(".outline"), shape = shapes[place]?.[at];
    outline.replaceChildren();
    if (!shape) return;
    const copy = shape.cloneNode();
    ["data-at", "data-c", "fill", "class"].forEach((name) => copy.removeAttribute(name));
    outline.append(copy);
  });
  if (at < 0) { tip.hidden = true; return; }
  all(`[data-row="${at}"]`).forEach((one) => one.classList.add("hot"));
}

function toRow(at) {
  const row = at >= 0 && document.querySelector(`tr[data-row="${at}"]`);
  if (!row || row.hidden) return;
  row.scrollIntoView({ block: "center" });
  row.focus({ preventScroll: true });
  hot(at);
}

// enlarging and moving by the view box, both maps at once
let drag = null;
function put(x, y, width) {
  const { full } = now, w = Math.min(full.width, Math.max(full.width / 24, width)), h = (w * full.height) / full.width;
  Object.assign(now, { x: Math.min(Math.max(x, 0), full.width - w), y: Math.min(Math.max(y, 0), full.height - h), width: w, height: h });
  const scale = w / full.width;
  maps.forEach((map) => {
    map.setAttribute("viewBox", `${now.x} ${now.y} ${now.width} ${now.height}`);
    map.classList.toggle("zoomed", scale < 1);
    // from near there is room for every number inside its shape
    map.classList.toggle("near", scale < 0.6);
    all(".numbers g", map).forEach((group) => placeNumber(map, group));
    map.style.setProperty("--scale", scale);
    // dots grow less than the map, so that enlarging draws a crowd apart
    all(".practice circle", map).forEach((dot) => { dot.dataset.r ??= dot.getAttribute("r"); dot.setAttribute("r", dot.dataset.r * Math.sqrt(scale)); });
  });
}

function zoom(factor, at = -1, place = 0) {
  const shape = shapes[place]?.[at], box = shape?.getBBox();
  const middle = box ? { x: box.x + box.width / 2, y: box.y + box.height / 2 } : { x: now.x + now.width / 2, y: now.y + now.height / 2 };
  const width = now.width * factor;
  put(middle.x - width / 2, middle.y - (now.height * factor) / 2, width);
  if (shape) go(maps[place], place, at);
}

function dragging(event) {
  if (!drag || now.width >= now.full.width) return;
  const scale = now.width / drag.map.getBoundingClientRect().width, dx = event.clientX - drag.x, dy = event.clientY - drag.y;
  drag.far = drag.far || Math.hypot(dx, dy) > 4;
  moved = moved || drag.far;
  if (drag.far) { hot(-1); put(drag.from.x - dx * scale, drag.from.y - dy * scale, now.width); }
}
