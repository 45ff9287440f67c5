// Controls, legend and table: what is chosen, and everything drawn again when it changes.
const number = (text, raw) => ({ text, raw, isNumber: true });

function columns() {
  const eds = editions(), both = eds.length > 1, one = eds.map((edition) => [edition, both ? ` ${edition}` : "", series(edition)]);
  const made = [{ head: "No.", of: (at, place) => number(String(place + 1), place) }, { head: LEVELS[state.level].head, isName: true, of: (at) => ({ text: level().names[at], code: level().codes[at] }) }];
  if (level().parents) made.push({ head: state.level === "lsoa" ? "Led by PCN" : "PCN", of: (at) => ({ text: level().parents[at] }) });
  const each = (make) => one.forEach(([edition, suffix, s]) => made.push(make(edition, suffix, s)));
  const classOf = (edition, suffix, s) => ({ head: (kind() === "rank" ? "Quintile" : "Band") + suffix, isLeft: true, of: (at) => ({ ...number(classAt(s.c[at]).label, s.c[at] < 0 ? 99 : s.c[at]), swatch: classAt(s.c[at]).colour }) });
  if (kind() === "rank") {
    each(classOf);
    each((edition, suffix, s) => ({ head: `Decile${suffix}`, of: (at) => number(count(s.t[at]), s.t[at]) }));
    each((edition, suffix, s) => ({ head: `Rank${suffix}`, hint: "1 is the most deprived", of: (at) => number(s.r[at] ? count(s.r[at]) : "–", s.r[at]) }));
    made.push({ head: "Registered", of: (at) => number(count(one[0][2].d[at]), one[0][2].d[at]) });
    return made;
  }
  if (kind() === "gap") {
    each((edition, suffix, s) => ({ head: `Gap, points${suffix}`, isStrong: true, of: (at) => number(s.g[at] == null ? "hidden" : signed(s.g[at]), s.g[at]) }));
    each((edition, suffix, s) => ({ head: `95% interval${suffix}`, of: (at) => number(interval(s, at, ""), s.l[at]) }));
    each((edition, suffix, s) => ({ head: `Core20${suffix}`, of: (at) => number(s.a[at] == null ? "–" : `${decimals(s.a[at])}%`, s.a[at]) }));
    each((edition, suffix, s) => ({ head: `Rest${suffix}`, of: (at) => number(s.b[at] == null ? "–" : `${decimals(s.b[at])}%`, s.b[at]) }));
    each((edition, suffix, s) => ({ head: `People to close it${suffix}`, of: (at) => number(count(s.k[at]), s.k[at]) }));
    each(classOf);
    return made;
  }
  each((edition, suffix, s) => ({ head: `Share${suffix}`, isStrong: true, of: (at) => number(words(at, edition), percent(s.n[at], s.d[at])) }));
  if (one[0][2].p) each((edition, suffix, s) => ({ head: `Change since ${measure().since}, points${suffix}`, of: (at) => number(change(s, at) == null ? "–" : signed(change(s, at)), change(s, at)) }));
  if (both) made.push({ head: "Difference, points", of: (at) => { const [a, b] = one.map(([, , s]) => percent(s.n[at], s.d[at])); return a == null || b == null ? number("–", null) : number(signed(a - b), a - b); } });
  each((edition, suffix, s) => ({ head: `95% interval${suffix}`, of: (at) => number(interval(s, at), s.l[at]) }));
  each(classOf);
  each((edition, suffix, s) => ({ head: `${state.measure === "core20" ? "In Core20" : "Numerator"}${suffix}`, of: (at) => number(count(s.n[at]), s.n[at]) }));
  if (state.measure === "core20") made.push({ head: "Registered", of: (at) => number(count(one[0][2].d[at]), one[0][2].d[at]) });
  else each((edition, suffix, s) => ({ head: `Denominator${suffix}`, of: (at) => number(count(s.d[at]), s.d[at]) }));
  return made;
}

function swatch(colour) {
  const made = mark("svg", { class: "swatch", "aria-hidden": "true", focusable: "false" });
  made.append(mark("rect", { width: "100%", height: "100%", fill: colour }));
  return made;
}

let rows = [];
function table() {
  const made = columns(), body = element("tbody");
  const head = element("tr");
  made.forEach((column, place) => {
    const th = element("th", "", { scope: "col", ...(column.hint ? { title: column.hint } : {}) }), button = element("button", column.head, { type: "button" });
    button.append(element("span", "", { class: "arrow", "aria-hidden": "true" }));
    button.addEventListener("click", () => sort(th, place));
    th.append(button);
    head.append(th);
  });
  rows = order().map((at, place) => {
    const row = element("tr", "", { "data-row": at, tabindex: "-1" });
    row.cellsOf = made.map((column) => {
      const cell = column.of(at, place), td = element(column.isName ? "th" : "td", "", column.isName ? { scope: "row" } : {});
      if (cell.isNumber && !column.isLeft) td.className = column.isStrong ? "n strong" : "n";
      if (cell.swatch) td.append(swatch(cell.swatch));
      td.append(cell.text);
      if (cell.code) td.append(" ", element("span", cell.code, { class: "code" }));
      row.append(td);
      return cell;
    });
    body.append(row);
    return row;
  });
  made.forEach((column, place) => { if (rows[0]?.cellsOf[place].isNumber && !column.isLeft) head.cells[place].classList.add("n"); });
  const thead = element("thead");
  thead.append(head);
  byId("figures").replaceChildren(element("caption", `${heading()}. Press a column heading to sort.`, { class: "sr" }), thead, body);
}

function sort(th, place) {
  const before = th.getAttribute("aria-sort"), isNumber = rows[0]?.cellsOf[place].isNumber;
  const direction = before ? (before === "ascending" ? "descending" : "ascending") : isNumber && place ? "descending" : "ascending";
  const sign = direction === "ascending" ? 1 : -1, raw = (row) => row.cellsOf[place].raw ?? -Infinity;
  rows.sort((a, b) => sign * (isNumber ? (raw(a) === raw(b) ? 0 : raw(a) - raw(b)) : a.cellsOf[place].text.localeCompare(b.cellsOf[place].text, EN, { numeric: true })));
  byId("figures").tBodies[0].append(...rows);
  all("#figures th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
  th.setAttribute("aria-sort", direction);
}

function legend() {
  const eds = editions(), found = classes().map((one, at) => [at, one]);
  if (eds.some((edition) => series(edition).c.includes(-1))) found.push([-1, HIDDEN]);
  const list = byId("legend");
  byId("h-legend").textContent = kind() === "rank" ? "National quintile of the area" : state.view === "gap" ? "Core20 against the rest" : measure().legend;
  byId("legend-hint").textContent = `Choose one or more to filter map, ranking and table. On the right: ${LEVELS[state.level].many}${eds.length > 1 ? `, IMD ${eds.join(" and ")}` : ""}.${state.view === "gap" ? "" : " Darker is worse."}`;
  byId("legend-head").replaceChildren(...(eds.length > 1 ? eds.map((edition) => element("span", edition)) : []));
  list.replaceChildren(...found.map(([at, one]) => {
    const item = element("li"), button = element("button", "", { type: "button", "data-class": at, "aria-pressed": String(state.classes.has(at)) });
    button.append(swatch(one.colour), element("span", one.label, { class: "label" }));
    eds.forEach((edition) => button.append(element("span", `${count(series(edition).c.filter((c) => c === at).length)}`, { class: "n" })));
    button.addEventListener("click", () => { if (!state.classes.delete(at)) state.classes.add(at); filter(); });
    item.append(button);
    return item;
  }));
}

function filter() {
  rows.forEach((row) => { row.hidden = !wanted(Number(row.dataset.row)); });
  all("#ranking li[data-row]").forEach((item) => { item.hidden = !wanted(Number(item.dataset.row)); });
  all("#legend button").forEach((button) => button.setAttribute("aria-pressed", String(state.classes.has(Number(button.dataset.class)))));
  byId("clear").disabled = state.classes.size === 0;
  filterMaps();
  const shown = rows.filter((row) => !row.hidden).length, many = LEVELS[state.level].many;
  byId("status").textContent = shown === rows.length ? `${count(shown)} ${shown === 1 ? LEVELS[state.level].one : many}${editionWords()}.` : `${count(shown)} of ${count(rows.length)} ${many} shown${editionWords()}.`;
}

function controls() {
  const one = measure();
  if (!one.views.some((view) => view.id === state.view)) state.view = one.views[0].id;
  if (!has(state.view, state.level)) state.level = has(state.view, "pcn") ? "pcn" : Object.keys(data.levels).find((level) => has(state.view, level));
  all('input[name="level"]').forEach((input) => { input.disabled = !has(state.view, input.value); input.checked = input.value === state.level; });
  byId("level-hint").hidden = all('input[name="level"]').every((input) => !input.disabled);
  byId("views").hidden = one.views.length < 2;
  all('input[name="view"]').forEach((input) => { input.checked = input.value === state.view; });
  all('input[name="edition"]').forEach((input) => { input.checked = input.value === state.edition; });
  if (byId("edition-hint")) byId("edition-hint").hidden = hangsOnEdition();
  byId("measure").value = state.measure;
}

function draw() {
  controls();
  hot(-1);
  byId("h-shown").textContent = heading();
  about();
  byId("h-ranking").textContent = kind() === "rank" ? "Registered people by national decile" : `${LEVELS[state.level].many.replace(/^./, (c) => c.toUpperCase())} in order, ${state.measure === "core20" ? "highest share" : "the worst"} first`;
  byId("ranking-hint").textContent = kind() === "rank" ? "Decile 1 is the most deprived tenth of England’s small areas. Wherever people live, also beyond the map."
    : `With 95% intervals.${editions().length > 1 ? ` Above IMD ${editions()[0]}, below IMD ${editions()[1]}.` : ""}${reference() == null ? "" : " The dashed line is the whole area."}`;
  drawMaps();
  legend();
  ranking();
  table();
  drawSlope();
  filter();
}

function about() {
  const one = measure(), notes = [one.note];
  const lost = series(editions()[0]).c.filter((c) => c < 0).length;
  if (state.measure !== "core20" && level().parents && lost) notes.push(`Small numbers are hidden: nothing is shown of ${count(lost)} of ${count(level().codes.length)} ${LEVELS[state.level].many}.`);
  if (one.target != null) notes.push(`Target: ${decimals(one.target, 0)}%.`);
  byId("note").textContent = notes.join(" ");
  byId("about").hidden = !one.about.length;
  byId("about-list").replaceChildren(...one.about.filter(([, text]) => text).flatMap(([name, text]) => [element("dt", name), element("dd", text)]));
}

function start() {
  all(".live").forEach((each) => { each.hidden = false; });
  startMaps();
  const choose = (name, set) => all(`input[name="${name}"]`).forEach((input) => input.addEventListener("change", () => { set(input.value); state.classes.clear(); draw(); }));
  choose("level", (given) => { state.level = given; });
  choose("view", (given) => { state.view = given; });
  choose("edition", (given) => { state.edition = given; });
  byId("measure").addEventListener("change", (event) => { state.measure = event.target.value; state.classes.clear(); draw(); });
  byId("slope-area").addEventListener("change", (event) => { state.area = Number(event.target.value); drawSlope(); });
  byId("search").addEventListener("input", (event) => { state.words = event.target.value.trim().toLowerCase().split(/\s+/).filter(Boolean); filter(); });
  byId("clear").addEventListener("click", () => { state.classes.clear(); filter(); });
  const saves = { map: figures, table: figures, slope: slopeFigures, ranking: () => (kind() === "rank" ? decileFigures() : figures()) };
  all("[data-download]").forEach((button) => button.addEventListener("click", () => {
    const isDeciles = button.dataset.download === "ranking" && kind() === "rank";
    const name = button.dataset.download === "slope" ? `slope_${state.measure}` : isDeciles ? "deciles" : `${state.measure}_${state.level}`;
    save(name, saves[button.dataset.download]());
  }));
  for (const holder of [byId("ranking"), byId("figures")]) {
    holder.addEventListener("pointermove", (event) => hot(Number(event.target.closest("[data-row]")?.dataset.row ?? -1)));
    holder.addEventListener("pointerleave", () => hot(-1));
  }
  draw();
}

start();
