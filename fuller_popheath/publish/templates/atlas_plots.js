// The ranked dots with their intervals, people by decile, and the slope over the five quintiles.
const MOST_RANKED = 1500;

function niceStep(range, about) {
  const rough = range / about, power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 2.5, 5, 10].find((times) => power * times >= rough * 0.999999);
}

// from, to and step of an axis that holds every value; from 0 unless that would waste more than half
function axis(low, high, about, isWhole) {
  const from = isWhole && low > 0 && low < high * 0.5 ? 0 : low;
  const step = niceStep(Math.max(high - from, 0.5), about);
  return { from: Math.floor(from / step + 1e-9) * step, to: Math.ceil(high / step - 1e-9) * step, step };
}

function ranking() {
  const holder = byId("ranking");
  if (kind() === "rank") { holder.replaceChildren(people()); return; }
  const eds = editions(), at = order().filter((each) => value(each) != null).slice(0, MOST_RANKED);
  const ends = at.flatMap((each) => eds.flatMap((edition) => { const s = series(edition); return s.l[each] == null ? [] : [s.l[each], s.u[each]]; }));
  if (!ends.length) { holder.replaceChildren(element("p", "Nothing can be shown here: all counts are hidden.", { class: "note" })); return; }
  const scale = axis(Math.min(...ends), Math.max(...ends), 4, kind() === "share");
  const x = (percentage) => `${((100 * (percentage - scale.from)) / (scale.to - scale.from)).toFixed(3)}%`;
  const ticks = [];
  for (let tick = scale.from; tick <= scale.to + 1e-9; tick += scale.step) ticks.push(tick);
  const list = element("ol", "", { class: "ranked" });
  const head = element("li", "", { class: "axis", "aria-hidden": "true" });
  const marks = element("span", "", { class: "ticks" });
  ticks.forEach((tick) => { const text = element("span", kind() === "gap" ? signed(tick).replace(".0", "") : `${decimals(tick, scale.step < 1 ? 1 : 0)}%`); text.style.left = x(tick); marks.append(text); });
  head.append(element("span"), element("span"), marks, element("span"));
  list.append(head);
  const total = reference();
  at.forEach((each, number) => list.append(rankedRow(each, number + 1, eds, x, ticks, total)));
  holder.replaceChildren(list);
  const lost = level().codes.length - order().filter((each) => value(each) != null).length;
  if (lost) holder.append(element("p", `${count(lost)} hidden or not known.`, { class: "hint" }));
}

function rankedRow(at, number, eds, x, ticks, total) {
  const row = element("li", "", { "data-row": at });
  const plot = mark("svg", { class: "plot", "aria-hidden": "true", focusable: "false" });
  ticks.forEach((tick) => plot.append(mark("line", { class: tick === 0 && kind() === "gap" ? "zero" : "grid", x1: x(tick), x2: x(tick), y1: 0, y2: "100%" })));
  if (total != null) plot.append(mark("line", { class: "total", x1: x(total), x2: x(total), y1: 0, y2: "100%" }));
  [...eds].reverse().forEach((edition) => {
    const s = series(edition), isSecond = edition !== eds[0], y = eds.length > 1 ? (isSecond ? "74%" : "30%") : "50%";
    if (s.l[at] == null) return;
    plot.append(mark("line", { class: isSecond ? "whisker second" : "whisker", x1: x(s.l[at]), x2: x(s.u[at]), y1: y, y2: y }));
    plot.append(mark("circle", { class: isSecond ? "dot second" : "dot", cx: x(value(at, edition)), cy: y, r: eds.length > 1 ? 3.6 : 4.5, fill: classAt(s.c[at]).colour }));
  });
  const said = words(at, eds[0]).replace(" points", "");
  // the end tells small areas of one district apart, so it stands where there is always room
  const name = element("span", level().names[at].replace(/\s+(PCN|primary care network)\.?$/i, "").replace(/^(.*) (\d{3}[A-Z])$/, "$2 $1"), { class: "who" });
  row.append(element("span", String(number), { class: "n" }), name, plot, element("span", said, { class: "n" }));
  if (eds.length > 1) row.append(element("span", ` (IMD ${eds[0]}); ${words(at, eds[1])} (IMD ${eds[1]})`, { class: "sr" }));
  return row;
}

// the whole area's value, as a line through the ranking
function reference() {
  if (kind() !== "share") return null;
  if (state.measure === "core20") return percent(...data.totals[editions()[0]]);
  const total = measure().totals?.[`${state.view}|${editions()[0]}`];
  return total ? percent(...total) : null;
}

function people() {
  const eds = editions(), most = Math.max(...eds.flatMap((edition) => data.deciles[edition].people));
  const list = element("ol", "", { class: "deciles" });
  for (let decile = 0; decile < 10; decile += 1) {
    const row = element("li");
    row.append(element("span", `Decile ${decile + 1}`, { class: "who" }));
    const bars = element("span", "", { class: "bars" });
    eds.forEach((edition, place) => {
      const number = data.deciles[edition].people[decile], bar = mark("svg", { class: "bar", "aria-hidden": "true", focusable: "false" });
      bar.append(mark("rect", { width: `${(100 * number) / most}%`, height: "100%", fill: classes()[Math.floor(decile / 2)].colour, class: place ? "second" : "" }));
      const line = element("span", "", { class: "barline" });
      line.append(bar, element("span", `${eds.length > 1 ? `IMD ${edition}: ` : ""}${count(number)}`, { class: "n" }));
      bars.append(line);
    });
    row.append(bars);
    list.append(row);
  }
  return list;
}

const logit = (p) => Math.log(p / (1 - p));
const back = (z) => 1 / (1 + Math.exp(-z));

// both ends of the line, from its two indices: RII = p(1) / p(0), SII = p(1) - p(0); a line that is nearly flat goes through the share of all
function ends(entry) {
  if (!entry.sii || !entry.rii) return null;
  const difference = entry.sii[0] / 100, ratio = entry.rii[0], all = entry.q.reduce((sum, q) => [sum[0] + q[0], sum[1] + q[1]], [0, 0]);
  const first = Math.abs(ratio - 1) > 0.01 ? difference / (ratio - 1) : all[0] / all[1] - difference / 2, last = first + difference;
  return first > 0 && first < 1 && last > 0 && last < 1 ? [first, last] : null;
}

function slopeRange(entries) {
  const values = entries.flatMap((entry) => [...entry.q.filter(Boolean).flatMap((q) => [q[2], q[3]]), ...(ends(entry) ?? []).map((p) => 100 * p)]);
  if (measure().target != null && values.length) values.push(measure().target);
  return axis(Math.min(...values), Math.max(...values), 5, true);
}

function slopePicture(entry, edition, scale, area) {
  const width = 560, height = 360, left = 50, right = 14, top = 16, bottom = 52;
  const x = (place) => left + (width - left - right) * place, y = (p) => height - bottom - ((height - top - bottom) * (p - scale.from)) / (scale.to - scale.from);
  const svg = mark("svg", { viewBox: `0 0 ${width} ${height}`, class: "slope", role: "img", "aria-label": `${measure().title}, ${area.name}, by quintile of IMD ${edition}. ${slopeWords(entry)}` });
  const whole = entry.q.reduce((sum, q) => sum + (q ? q[1] : 0), 0);
  for (let tick = scale.from; tick <= scale.to + 1e-9; tick += scale.step) {
    svg.append(mark("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }));
    svg.append(mark("text", { x: left - 7, y: y(tick) + 4, class: "tick end" }, `${decimals(tick, scale.step < 1 ? 1 : 0)}%`));
  }
  let begun = 0;
  const colours = data.measures[0].classes.lsoa ?? data.measures[0].classes.all;
  entry.q.forEach((q, at) => {
    const part = entry.q.every(Boolean) ? q[1] / whole : 0.2, middle = begun + part / 2;
    if (at) svg.append(mark("line", { class: "part", x1: x(begun), x2: x(begun), y1: top, y2: height - bottom }));
    svg.append(mark("text", { x: x(middle), y: height - bottom + 17, class: "tick" }, at === 0 ? "Q1" : `Q${at + 1}`));
    if (q) {
      svg.append(mark("line", { class: "whisker", x1: x(middle), x2: x(middle), y1: y(q[2]), y2: y(q[3]) }));
      svg.append(mark("circle", { class: "dot", cx: x(middle), cy: y(percent(q[0], q[1])), r: 6, fill: colours[at].colour }));
    } else svg.append(mark("text", { x: x(middle), y: height - bottom - 8, class: "tick" }, "hidden"));
    begun += part;
  });
  const line = ends(entry);
  if (line) {
    const points = Array.from({ length: 41 }, (_, at) => `${x(at / 40).toFixed(1)} ${y(100 * back(logit(line[0]) + ((logit(line[1]) - logit(line[0])) * at) / 40)).toFixed(1)}`);
    svg.append(mark("path", { class: "line", d: `M${points.join("L")}` }));
  }
  if (measure().target != null) {
    svg.append(mark("line", { class: "target", x1: left, x2: width - right, y1: y(measure().target), y2: y(measure().target) }));
    svg.append(mark("text", { x: left + 4, y: y(measure().target) - 5, class: "tick start" }, `target ${decimals(measure().target, 0)}%`));
  }
  svg.append(mark("text", { x: left, y: height - 12, class: "tick start" }, "← most deprived"), mark("text", { x: width - right, y: height - 12, class: "tick end" }, "least deprived →"));
  return svg;
}

function slopeWords(entry) {
  const told = [];
  if (entry.sii) {
    const [sii, lower, upper] = entry.sii;
    told.push(`From the most to the least deprived end the share changes by ${signed(sii)} percentage points (slope index, ${signed(lower)} to ${signed(upper)})`
      + (entry.rii ? `; ratio of the two ends ${decimals(entry.rii[0], 2)} (${decimals(entry.rii[1], 2)} to ${decimals(entry.rii[2], 2)}).` : "."));
  } else told.push("There is no slope: it needs all five quintiles to be shown.");
  if (entry.gap) told.push(`Core20 less the rest: ${signed(entry.gap[0])} points (${signed(entry.gap[1])} to ${signed(entry.gap[2])}).`);
  if (entry.close) told.push(entry.close[0] ? `It would be closed if this were so of ${count(entry.close[0])} ${measure().higher ? "more" : "fewer"} people of Core20.` : "Core20 is no worse than the rest.");
  return told.join(" ");
}

function slopeTable(entry, edition) {
  const made = element("table", "", { class: "small-table" }), head = element("tr"), body = element("tbody");
  ["Quintile", "Share", "95% interval", "Counted", "Out of"].forEach((text, at) => head.append(element("th", text, { scope: "col", ...(at ? { class: "n" } : {}) })));
  entry.q.forEach((q, at) => {
    const row = element("tr");
    row.append(element("th", `Q${at + 1}${at ? "" : " (Core20)"}`, { scope: "row" }));
    const cells = q ? [share(q[0], q[1]), `${decimals(q[2])} to ${decimals(q[3])}%`, count(q[0]), count(q[1])] : ["hidden", "–", "–", "–"];
    cells.forEach((text) => row.append(element("td", text, { class: "n nowrap" })));
    body.append(row);
  });
  const thead = element("thead");
  thead.append(head);
  made.append(element("caption", `By quintile of IMD ${edition}`, { class: "sr" }), thead, body);
  const box = element("div", "", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Quintiles of IMD ${edition}` });
  box.append(made);
  return box;
}

const slopeEditions = () => (state.edition === "both" ? data.editions : [state.edition]);

function drawSlope() {
  const holder = byId("slope"), picker = byId("slope-area"), of = data.slopes.of[state.measure];
  byId("slope-tools").hidden = !of;
  if (!of) {
    const why = state.measure !== "core20" ? "Nothing can be shown of this indicator: too few people are in each quintile."
      : data.measures.length > 1 ? "Choose an indicator above: a slope is drawn of care and outcomes, not of where people live."
      : "There are no indicators in this atlas: it was made from published files alone. With the records of practices it shows how each indicator changes from the most to the least deprived fifth.";
    holder.replaceChildren(element("p", why, { class: "note" }));
    return;
  }
  const area = data.slopes.areas[state.area], shown = slopeEditions();
  picker.value = String(state.area);
  const entries = shown.map((edition) => [edition, of[edition]?.[state.area]]).filter(([, entry]) => entry);
  if (!entries.length) { holder.replaceChildren(element("p", "Nothing can be shown of this area: its numbers are small.", { class: "note" })); return; }
  const scale = slopeRange(entries.map(([, entry]) => entry));
  holder.replaceChildren(...entries.map(([edition, entry]) => {
    const box = element("div", "", { class: "slope-box" });
    const beside = element("div", "", { class: "beside" });
    beside.append(element("p", slopeWords(entry)), slopeTable(entry, edition));
    box.append(element("h3", `${area.name}, IMD ${edition}`), slopePicture(entry, edition, scale, area), beside);
    return box;
  }));
  holder.classList.toggle("one", entries.length === 1);
}

function slopeFigures() {
  const rows = [["as_of", "indicator", "area_type", "area_code", "area_name", "imd_edition", "quintile", "numerator", "denominator", "percent", "lower", "upper", "sii", "sii_lower", "sii_upper", "rii", "rii_lower", "rii_upper"]];
  const area = data.slopes.areas[state.area];
  for (const edition of slopeEditions()) {
    const entry = data.slopes.of[state.measure]?.[edition]?.[state.area];
    entry?.q.forEach((q, at) => rows.push([dayOf(), state.measure, area.type, area.code, area.name, edition, at + 1,
      ...(q ? [q[0], q[1], percent(q[0], q[1]), q[2], q[3]] : [null, null, null, null, null]), ...(entry.sii ?? [null, null, null]), ...(entry.rii ?? [null, null, null])]));
  }
  return rows;
}

function decileFigures() {
  return [["as_of", "imd_edition", "imd_decile", "registered_count"],
    ...editions().flatMap((edition) => data.deciles[edition].people.map((number, at) => [data.as_of, edition, at + 1, number]))];
}
