"use strict";
(() => {
  const main = document.querySelector("main");
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const tip = document.getElementById("tip");
  const map = document.getElementById("map");
  const search = document.getElementById("search");
  const editions = main.dataset.editions.split(" ");
  const paths = map ? all(".pcn", map) : [];
  const numbers = all("[data-n]");
  const outline = document.getElementById("outline");
  const pathOf = new Map(paths.map((path) => [path.dataset.c, path]));
  const bands = new Set();

  // one entry an edition: its table, its rows by PCN in the order of shares, its ranking
  const views = new Map(editions.map((edition) => {
    const rows = all(`table.pcns[data-edition="${edition}"] tbody tr`);
    rows.forEach((row) => { row.words = row.textContent.toLowerCase(); });
    return [edition, {
      rows,
      columns: all(`table.pcns[data-edition="${edition}"] thead th`).map((th) => th.textContent.trim()),
      rowOf: new Map(rows.map((row) => [row.dataset.c, row])),
      ranked: new Map(all(`.ed-${edition} .ranked li[data-c]`).map((item) => [item.dataset.c, item])),
    }];
  }));
  const view = () => views.get(main.dataset.edition);

  all(".controls").forEach((element) => { element.hidden = false; });

  function wanted(row) {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const inBand = bands.size === 0 || bands.has(row.dataset.b);
    return inBand && words.every((word) => row.words.includes(word));
  }

  function filter() {
    const shown = new Set();
    for (const row of view().rows) {
      row.hidden = !wanted(row);
      if (!row.hidden) shown.add(row.dataset.c);
    }
    for (const [code, path] of pathOf) path.classList.toggle("dim", !shown.has(code));
    for (const number of numbers) number.classList.toggle("dim", !shown.has(number.dataset.n));
    for (const [code, item] of view().ranked) item.classList.toggle("dim", !shown.has(code));
    all(".legend button").forEach((button) => button.setAttribute("aria-pressed", String(bands.has(button.dataset.band))));
    document.getElementById("clear").disabled = bands.size === 0;
    const total = view().rows.length;
    document.getElementById("status").textContent = shown.size === total
      ? `${total.toLocaleString("en-GB")} PCNs by IMD ${main.dataset.edition}.`
      : `${shown.size.toLocaleString("en-GB")} of ${total.toLocaleString("en-GB")} PCNs by IMD ${main.dataset.edition} shown.`;
  }

  // what is said of a PCN is read from its table row, so that there is one place where each figure stands
  function facts(code) {
    const row = view().rowOf.get(code);
    if (!row) return null;
    const cell = (heading) => row.cells[view().columns.indexOf(heading)].textContent.trim();
    return {
      name: row.querySelector("th").firstChild.textContent.trim(), code,
      number: cell("No."), share: cell("Core20 share"), interval: cell("95% interval"), band: cell("Band"),
      core20: cell("In Core20"), registered: cell("Registered"), practices: cell("Practices"),
    };
  }

  function line(text, tag = "div") {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  }

  function showTip(code, x, y) {
    const f = facts(code);
    if (!f) return;
    tip.replaceChildren(
      line(`${f.number}. ${f.name}`, "b"),
      line(`${f.share} in Core20 (${f.interval})`),
      line(`Band: ${f.band}`),
      line(`${f.core20} of ${f.registered} people; ${f.practices} ${f.practices === "1" ? "practice" : "practices"}`),
    );
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16;
    tip.style.left = `${Math.max(4, Math.min(left, innerWidth - box.width - 4))}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 16, innerHeight - box.height - 4))}px`;
  }

  function hot(code) {
    all(".hot").forEach((element) => element.classList.remove("hot"));
    if (!code) {
      tip.hidden = true;
      outline?.setAttribute("d", "");
      return;
    }
    const path = pathOf.get(code);
    outline?.setAttribute("d", path ? path.getAttribute("d") : "");
    view().rowOf.get(code)?.classList.add("hot");
    view().ranked.get(code)?.classList.add("hot");
  }

  function besides(element, code) {
    const box = element.getBoundingClientRect();
    hot(code);
    showTip(code, box.left + box.width / 2, box.top + box.height / 2);
  }

  for (const holder of [map, ...all(".ranked"), ...all("table.pcns tbody")]) {
    if (!holder) continue;
    const codeAt = (event) => event.target.closest("[data-c]")?.dataset.c;
    holder.addEventListener("pointermove", (event) => {
      const code = codeAt(event);
      hot(code);
      if (code && holder.tagName !== "TBODY") showTip(code, event.clientX, event.clientY);
      else tip.hidden = true;
    });
    holder.addEventListener("pointerleave", () => hot(null));
    if (holder.tagName !== "TBODY") {
      holder.addEventListener("click", (event) => {
        const code = codeAt(event);
        // a finger has no hover: its first touch shows what a pointer sees on its way
        if (event.pointerType !== "touch") toRow(code);
        else if (code) { hot(code); showTip(code, event.clientX, event.clientY); }
      });
    }
  }
  addEventListener("pointerdown", () => hot(null));

  function toRow(code) {
    const row = code && view().rowOf.get(code);
    if (!row || row.hidden || moved) return;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
    hot(code);
  }

  // keyboard on the map: one stop, arrows walk in the order of shares, Enter goes to the row
  const order = paths.slice();
  if (order.length) order[0].tabIndex = 0;
  map?.addEventListener("focusin", (event) => event.target.dataset.c && besides(event.target, event.target.dataset.c));
  map?.addEventListener("focusout", () => hot(null));
  map?.addEventListener("keydown", (event) => {
    const at = order.indexOf(event.target);
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const next = step ? order[(at + step + order.length) % order.length] : { Home: order[0], End: order[order.length - 1] }[event.key];
    if (next) {
      order[at].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    } else if (event.key === "Enter") toRow(event.target.dataset.c);
    else if (event.key === "Escape") tip.hidden = true;
    else return;
    event.preventDefault();
  });

  // the plot of many PCNs: which column is under the pointer
  all(".curve").forEach((curve) => {
    const first = 64, last = curve.viewBox.baseVal.width - 24;
    curve.addEventListener("pointermove", (event) => {
      const box = curve.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * curve.viewBox.baseVal.width;
      const ranked = Array.from(view().rowOf.keys());
      const code = ranked[Math.floor(((x - first) / (last - first)) * ranked.length)];
      hot(code);
      if (code) showTip(code, event.clientX, event.clientY);
    });
    curve.addEventListener("pointerleave", () => hot(null));
  });

  // zoom and pan by the view box
  let moved = false;
  if (map) {
    const whole = map.viewBox.baseVal;
    const full = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
    let now = { ...full };
    const put = (x, y, width) => {
      const w = Math.min(full.width, Math.max(full.width / 16, width)), h = (w * full.height) / full.width;
      now = { x: Math.min(Math.max(x, 0), full.width - w), y: Math.min(Math.max(y, 0), full.height - h), width: w, height: h };
      map.setAttribute("viewBox", `${now.x} ${now.y} ${now.width} ${now.height}`);
      map.classList.toggle("zoomed", w < full.width);
    };
    all("[data-zoom]").forEach((button) => button.addEventListener("click", () => {
      const factor = { in: 0.5, out: 2, all: 1000 }[button.dataset.zoom];
      const width = now.width * factor;
      put(now.x + (now.width - width) / 2, now.y + (now.height - (now.height * factor)) / 2, width);
    }));
    let start = null;
    map.addEventListener("pointerdown", (event) => { moved = false; start = { x: event.clientX, y: event.clientY, from: { ...now } }; });
    addEventListener("pointermove", (event) => {
      if (!start || now.width >= full.width) return;
      const scale = now.width / map.getBoundingClientRect().width;
      const dx = event.clientX - start.x, dy = event.clientY - start.y;
      moved = moved || Math.hypot(dx, dy) > 4;
      if (moved) put(start.from.x - dx * scale, start.from.y - dy * scale, now.width);
    });
    addEventListener("pointerup", () => { start = null; setTimeout(() => { moved = false; }, 0); });
  }

  // sorting: numbers from high to low first, texts from A to Z first
  const valueOf = (row, at, numeric) => {
    const cell = row.cells[at];
    if (!numeric) return cell.textContent.trim();
    const value = parseFloat((cell.dataset.v ?? cell.textContent).replace(/,/g, "").replace("−", "-"));
    return Number.isNaN(value) ? -Infinity : value;
  };
  all("table.sortable thead button").forEach((button) => button.addEventListener("click", () => {
    const th = button.closest("th"), table = th.closest("table"), body = table.tBodies[0];
    const numeric = th.dataset.sort === "number";
    const before = th.getAttribute("aria-sort");
    const direction = before ? (before === "ascending" ? "descending" : "ascending") : (numeric && th.cellIndex > 0 ? "descending" : "ascending");
    const sign = direction === "ascending" ? 1 : -1;
    const rows = Array.from(body.rows, (row) => ({ row, value: valueOf(row, th.cellIndex, numeric) }));
    rows.sort((a, b) => sign * (numeric ? a.value - b.value || 0 : a.value.localeCompare(b.value, "en-GB", { numeric: true })));
    body.append(...rows.map((entry) => entry.row));
    all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    th.setAttribute("aria-sort", direction);
  }));

  all("[data-band]").forEach((button) => button.addEventListener("click", () => {
    if (!bands.delete(button.dataset.band)) bands.add(button.dataset.band);
    filter();
  }));
  document.getElementById("clear").addEventListener("click", () => { bands.clear(); filter(); });
  search.addEventListener("input", filter);

  all('input[name="edition"]').forEach((input) => input.addEventListener("change", () => {
    main.dataset.edition = input.value;
    hot(null);
    for (const [code, path] of pathOf) {
      const f = facts(code);
      if (f) path.setAttribute("aria-label", `${f.number}. ${f.name}: ${f.share}, ${f.band}`);
    }
    const place = new Map(view().rows.map((row) => [row.dataset.c, parseInt(row.cells[0].textContent, 10)]));
    order.sort((a, b) => (place.get(a.dataset.c) ?? 0) - (place.get(b.dataset.c) ?? 0));
    filter();
  }));

  all("[data-download]").forEach((button) => button.addEventListener("click", () => {
    const text = JSON.parse(document.getElementById(`csv-${button.dataset.download}`).textContent);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
    link.download = button.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }));

  filter();
})();
