"use strict";
// What is shown, and every figure of it in numbers and in words: the one place that maps, plots, table and downloads read from.
const data = JSON.parse(document.getElementById("data").textContent);
const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
const byId = (id) => document.getElementById(id);
const EN = "en-GB";
const SVG = "http://www.w3.org/2000/svg";
const HIDDEN = { label: "Hidden or not known", colour: "url(#hatch)", ink: "#212b32" };
const LEVELS = {
  lsoa: { one: "small area", many: "small areas", head: "Small area (LSOA)", by: "small area" },
  practice: { one: "practice", many: "practices", head: "Practice", by: "practice" },
  pcn: { one: "PCN", many: "PCNs", head: "PCN", by: "PCN" },
  place: { one: "place", many: "places", head: "Place", by: "place" },
};

const state = { measure: data.measures[0].id, view: "all", level: data.first_level, edition: data.editions[0], classes: new Set(), words: [], area: 0 };
const measure = () => data.measures.find((one) => one.id === state.measure);
const level = () => data.levels[state.level];
const hangsOnEdition = () => measure().by_edition.includes(state.view);
const editions = () => (state.edition === "both" && hangsOnEdition() ? data.editions : [state.edition === "both" ? data.editions[0] : state.edition]);
// what is the same in either edition stands once
const series = (edition, view = state.view) => measure().series[`${view}|${state.level}|${edition}`] ?? measure().series[`${view}|${state.level}|either`];
const has = (view, of, one = measure()) => [...data.editions, "either"].some((edition) => `${view}|${of}|${edition}` in one.series);
const kind = () => (state.level === "lsoa" && state.measure === "core20" ? "rank" : state.view === "gap" ? "gap" : "share");
const classes = () => (state.view === "gap" ? measure().classes.gap : measure().classes[state.level] ?? measure().classes.all);
const classAt = (at) => classes()[at] ?? HIDDEN;
const isWorstHigh = () => measure().higher !== true;

const count = (value) => (value == null ? "–" : value.toLocaleString(EN));
// half up, away from 0, as everywhere else
const rounded = (value, places) => Math.sign(value) * Number(`${Math.round(Number(`${Math.abs(value).toFixed(9)}e${places}`))}e-${places}`);
const decimals = (value, places = 1) => (value == null || Number.isNaN(value) ? "–"
  : (rounded(value, places) || 0).toLocaleString(EN, { minimumFractionDigits: places, maximumFractionDigits: places }).replace("-", "−"));
const signed = (value) => (rounded(value, 1) > 0 ? "+" : "") + decimals(value);
// half up to one decimal in whole numbers, as the bands are decided
const tenths = (n, d) => Math.floor((2000 * n + d) / (2 * d));
const share = (n, d) => (n == null || !d ? "–" : `${Math.floor(tenths(n, d) / 10)}.${tenths(n, d) % 10}%`);
const percent = (n, d) => (n == null || !d ? null : (100 * n) / d);

// the number by which areas stand in order, the worst (or most deprived) highest
function value(at, edition = editions()[0]) {
  const s = series(edition);
  if (!s) return null;
  if (kind() === "rank") return s.r[at] ?? (s.t[at] == null ? null : ((s.t[at] - 0.5) * measure().of[edition]) / 10);
  return kind() === "gap" ? s.g[at] : percent(s.n[at], s.d[at]);
}

function words(at, edition) {
  const s = series(edition);
  if (kind() === "rank") return s.t[at] == null ? "no deprivation known" : `quintile ${s.c[at] + 1}, decile ${s.t[at]}`;
  if (kind() === "gap") return s.g[at] == null ? "hidden" : `${signed(s.g[at])} points`;
  return s.n[at] == null ? "hidden" : share(s.n[at], s.d[at]);
}

const change = (s, at) => (s.p?.[at] == null || s.n[at] == null ? null : percent(s.n[at], s.d[at]) - s.p[at]);
const interval = (s, at, unit = "%") => (s.l[at] == null ? "–" : `${decimals(s.l[at])} to ${decimals(s.u[at])}${unit}`);

// every position in order, the worst first, unknown last
function order(edition = editions()[0]) {
  const sign = kind() === "rank" || !isWorstHigh() ? 1 : -1;
  const values = level().codes.map((_, at) => value(at, edition));
  return values.map((_, at) => at).sort((a, b) => {
    if (values[a] == null || values[b] == null) return (values[a] == null) - (values[b] == null) || a - b;
    return sign * (values[a] - values[b]) || a - b;
  });
}

function wanted(at, edition) {
  if (state.words.length) {
    const text = `${level().names[at]} ${level().codes[at]} ${level().parents?.[at] ?? ""}`.toLowerCase();
    if (!state.words.every((word) => text.includes(word))) return false;
  }
  return state.classes.size === 0 || (edition ? [edition] : editions()).some((each) => state.classes.has(series(each).c[at]));
}

// the lines of what is said of an area where a pointer or the keyboard is
function told(at, edition) {
  const s = series(edition), lines = [level().names[at]];
  if (level().parents) lines.push(level().parents[at]);
  const prefix = hangsOnEdition() && editions().length > 1 ? `IMD ${edition}: ` : "";
  if (kind() === "rank") {
    lines.push(prefix + (s.t[at] == null ? "no deprivation known" : `national quintile ${s.c[at] + 1}, decile ${s.t[at]}`));
    if (s.r[at]) lines.push(`rank ${count(s.r[at])} of ${count(measure().of[edition])}`);
    if (s.m[at] !== false && s.m[at] != null) lines.push(`rests on several areas of this edition; ${decimals(s.m[at])}% of its people in Core20`);
    lines.push(`${count(s.d[at])} registered people`);
  } else if (kind() === "gap") {
    lines.push(prefix + (s.g[at] == null ? "hidden: small numbers" : `gap ${signed(s.g[at])} points (${interval(s, at, "")})`));
    if (s.g[at] != null) lines.push(`Core20 ${decimals(s.a[at])}%, rest ${decimals(s.b[at])}%`);
    if (s.k[at] != null) lines.push(`${count(s.k[at])} people would close it`);
  } else {
    lines.push(prefix + (s.n[at] == null ? "hidden: small numbers, or nobody" : `${share(s.n[at], s.d[at])} (${interval(s, at)})`));
    if (s.n[at] != null) lines.push(`${count(s.n[at])} of ${count(s.d[at])} people`);
    if (change(s, at) != null) lines.push(`${signed(change(s, at))} points since ${measure().since}`);
  }
  return lines;
}

const editionWords = () => (hangsOnEdition() ? `, IMD ${editions().join(" and ")}` : "");
const heading = () => {
  const title = measure().id !== "core20" ? measure().title : state.level === "lsoa" ? "Deprivation" : "Core20";
  const view = { all: "", core20: ", people in Core20", gap: ", Core20 against the rest" }[state.view];
  return `${title}${view}, by ${LEVELS[state.level].by}${editionWords()}`;
};

function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  if (text !== "") made.textContent = text;
  for (const [name, given] of Object.entries(attributes)) made.setAttribute(name, given);
  return made;
}

function mark(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, given] of Object.entries(attributes)) made.setAttribute(name, given);
  if (text !== undefined) made.textContent = text;
  return made;
}

// a text that a spreadsheet would run as a formula gets an apostrophe before it; numbers are never touched
function csv(rows) {
  const cell = (given) => {
    if (given == null || Number.isNaN(given)) return "";
    if (typeof given !== "string") return String(given);
    const safe = /^[=+\-@\t\r]/.test(given) ? `'${given}` : given;
    return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  return rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

function save(name, rows) {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", csv(rows)], { type: "text/csv;charset=utf-8" }));
  link.download = `atlas_${name}_${data.as_of}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// indicators leave once a month, Core20 every night
const dayOf = () => (state.measure === "core20" ? data.as_of : data.counts_as_of);

// the figures behind map, ranking and table: a row an area and edition
function figures() {
  const head = ["as_of", "measure", "view", "level", "code", "name", ...(level().parents ? ["pcn"] : []), "imd_edition"];
  const columns = { rank: ["imd_quintile", "imd_decile", "imd_rank", "registered_count"], share: ["numerator", "denominator", "percent", "lower", "upper", "class", ...(series(editions()[0]).p ? [`percent on ${measure().since}`] : [])],
    gap: ["core20_percent", "rest_percent", "gap", "lower", "upper", "people_to_close_gap", "class"] }[kind()];
  const rows = [[...head, ...columns]];
  for (const edition of editions()) {
    const s = series(edition);
    for (const at of order(edition)) {
      const first = [dayOf(), state.measure, state.view, state.level, level().codes[at], level().names[at], ...(level().parents ? [level().parents[at]] : []), hangsOnEdition() ? edition : ""];
      const label = classAt(s.c[at]).label;
      rows.push([...first, ...{
        rank: () => [s.c[at] < 0 ? null : s.c[at] + 1, s.t[at], s.r[at], s.d[at]],
        share: () => [s.n[at], s.d[at], percent(s.n[at], s.d[at]), s.l[at], s.u[at], label, ...(s.p ? [s.p[at]] : [])],
        gap: () => [s.a[at], s.b[at], s.g[at], s.l[at], s.u[at], s.k[at], label],
      }[kind()]()]);
    }
  }
  return rows;
}
