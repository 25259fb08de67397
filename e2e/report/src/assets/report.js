"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const run = read("run");
  const tests = read("tests").map((test, index) => ({ ...test, index }));
  const record = run.record;

  // Everything shown is set as text, never as markup: what a test printed must not become a page.
  const make = (tag, options = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
      if (name === "class") node.className = value;
      else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };
  const seconds = (ms) => (ms === null || ms === undefined ? "–" : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
  const table = (heads, rows) =>
    make("div", { class: "table" }, make("table", {},
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) =>
        cell instanceof Node ? make("td", {}, cell) : make("td", typeof cell === "number" ? { class: "number" } : {}, String(cell ?? "–"))))))));
  const copyable = (text) => make("span", { class: "command" }, make("code", {}, text),
    make("button", { type: "button", onclick: (event) => { navigator.clipboard?.writeText(text); event.target.textContent = "copied"; } }, "copy"));
  const kind = (verdict) => (["passed", "failed", "skipped", "running"].includes(verdict) ? verdict : "open");

  const head = () => {
    const passed = record.verdict === "passed";
    const counts = Object.entries(record.counts ?? {}).filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name.replace("_", " ")}`);
    const zero = [`leftovers ${record.leftovers ?? "unknown"}`, `forced kills ${record.forced_kills ?? "unknown"}`];
    const place = document.getElementById("verdict");
    place.append(
      make("h1", { class: passed ? "passed" : record.verdict === "running" ? "running" : "failed" }, record.verdict === "running" ? "cut off" : record.verdict),
      make("p", { class: "counts" }, ...[...counts, ...zero].map((text) => make("span", {}, text))),
      make("p", { class: "soft" }, `${record.run_id} · ${record.started_at} · seed ${record.seed} · ${record.jobs} at once · exit code ${record.exit_code ?? "–"}`));
    if (record.cause) place.append(make("pre", { class: "bad" }, record.cause));
    const rerun = run.summary?.rerun;
    if (rerun) place.append(make("p", {}, "Again: ", copyable(rerun)));
  };

  const list = document.getElementById("list");
  const search = document.getElementById("search");
  const order = document.getElementById("order");
  const wanted = new Set();

  const bodies = new Map();
  const bodyOf = (index) => {
    if (!bodies.has(index)) bodies.set(index, read(`test-${index}`));
    return bodies.get(index);
  };

  const entryRow = (entry) => {
    const row = make("div", { class: `entry mono${entry.lane === "step" ? " step" : ""}` },
      make("span", { class: "at" }, (entry.at / 1000).toFixed(3)), make("span", { class: "lane" }, entry.lane));
    const text = make("span", entry.bad ? { class: "bad" } : {}, entry.text);
    if (!entry.detail) { row.append(text); return row; }
    const opened = make("details", {}, make("summary", {}, text));
    opened.addEventListener("toggle", () => { if (opened.open && opened.childElementCount === 1) opened.append(make("pre", {}, entry.detail)); });
    row.append(opened);
    return row;
  };

  const entriesOf = (entries) => {
    const lanes = [...new Set(["step", "cli", ...entries.map((entry) => entry.lane)])].filter((lane) => entries.some((entry) => entry.lane === lane));
    const off = new Set();
    const place = make("div", { class: "entries" });
    const words = make("input", { type: "search", placeholder: "Search this story", "aria-label": "Search this story", oninput: () => show() });
    const show = () => {
      const needle = words.value.toLowerCase();
      const rows = entries.filter((entry) => !off.has(entry.lane) && (!needle || `${entry.text}\n${entry.detail ?? ""}`.toLowerCase().includes(needle)));
      place.replaceChildren(...rows.map(entryRow));
    };
    const chips = lanes.map((lane) => make("button", { type: "button", "aria-pressed": "true", onclick: (event) => {
      const on = off.delete(lane) || (off.add(lane), false);
      event.target.setAttribute("aria-pressed", String(on));
      show();
    } }, lane));
    show();
    return make("div", {}, make("div", { class: "counts" }, words, ...chips), place);
  };

  const inside = (test) => {
    const { record: more, entries } = bodyOf(test.index);
    const place = make("div", { class: "inside" });
    if (more.failure) place.append(make("p", { class: "bad" }, more.failure.location), make("pre", { class: "bad" }, more.failure.message));
    for (const finding of more.teardown_findings ?? []) place.append(make("pre", { class: "bad" }, finding));
    if (more.skipped_because) place.append(make("p", { class: "skipped" }, more.skipped_because));
    place.append(make("p", {}, "Again: ", copyable(more.rerun ?? "")));
    const phases = (more.phases ?? []).map((phase) => `${phase.name} ${seconds(phase.ms)}`).join(" · ");
    place.append(make("p", { class: "soft" }, phases));
    if (more.budgets?.length) place.append(make("details", {}, make("summary", {}, "Budgets"),
      table(["Budget", "What", "Used", "Limit", "%"], more.budgets.map((b) => [b.name, b.what, seconds(b.used_ms), seconds(b.limit_ms), b.percent]))));
    if (more.environments?.length) place.append(make("details", {}, make("summary", {}, "Environments"),
      table(["Part", "Pid", "Address", "Build", "Namespace"], more.environments.flatMap((e) => e.parts.map((p) => [p.component, p.pid, p.address, p.build.slice(0, 12), e.namespace])))));
    if (Object.keys(more.facts ?? {}).length) place.append(make("details", {}, make("summary", {}, "Facts"), make("pre", {}, JSON.stringify(more.facts, null, 2))));
    place.append(entriesOf(entries));
    return place;
  };

  const nameOf = (test) => {
    const path = (test.name ?? "unnamed").split("::");
    return make("span", { class: "name" }, path.pop().replaceAll("_", " "), make("span", { class: "soft module" }, path.join(" › ")));
  };

  const rows = new Map(tests.map((test) => {
    const row = make("details", { class: "test", id: `t-${test.index}` }, make("summary", {},
      make("span", { class: kind(test.verdict) }, test.verdict), nameOf(test), make("span", { class: "soft" }, seconds(test.ms))));
    row.addEventListener("toggle", () => { if (row.open && row.childElementCount === 1) row.append(inside(test)); });
    return [test.index, row];
  }));

  const rank = { failed: 0, running: 1, skipped: 2, passed: 3 };
  const orders = {
    verdict: (a, b) => (rank[a.verdict] ?? 1) - (rank[b.verdict] ?? 1) || a.index - b.index,
    time: (a, b) => a.index - b.index,
    ms: (a, b) => (b.ms ?? 0) - (a.ms ?? 0),
  };
  const textOf = (test) => `${test.name} ${(test.name ?? "").replaceAll("_", " ")} ${(test.ids ?? []).join(" ")}`.toLowerCase();
  const failureOf = (test) => (test.verdict === "passed" ? "" : (bodyOf(test.index).record.failure?.message ?? "").toLowerCase());
  const showList = () => {
    const needle = search.value.trim().toLowerCase();
    const shown = tests.filter((test) => (!wanted.size || wanted.has(test.verdict)) && (!needle || textOf(test).includes(needle) || failureOf(test).includes(needle)));
    list.replaceChildren(...shown.sort(orders[order.value]).map((test) => rows.get(test.index)));
    document.getElementById("shown").textContent = shown.length === tests.length ? `${tests.length} tests` : `${shown.length} of ${tests.length} tests`;
  };

  const filters = () => {
    for (const verdict of [...new Set(tests.map((test) => test.verdict))].sort((a, b) => (rank[a] ?? 1) - (rank[b] ?? 1))) {
      const count = tests.filter((test) => test.verdict === verdict).length;
      document.getElementById("filters").append(make("button", { type: "button", "aria-pressed": "false", class: kind(verdict), onclick: (event) => {
        const on = !wanted.delete(verdict);
        if (on) wanted.add(verdict);
        event.currentTarget.setAttribute("aria-pressed", String(on));
        showList();
      } }, `${verdict} ${count}`));
    }
  };

  const timeline = () => {
    const { total, phases, services, lanes } = run.timeline;
    if (!total) return;
    const svg = (tag, attributes) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
      return node;
    };
    const width = 1000, height = 16, bars = [["phase", phases], ["service", services], ...lanes.map((lane) => ["test", lane])];
    const drawing = svg("svg", { viewBox: `0 0 ${width} ${bars.length * height + 20}`, role: "img", "aria-label": "Phases, services, and tests over time" });
    const x = (ms) => (ms / total) * width;
    const byName = new Map(tests.map((test) => [test.name, test]));
    bars.forEach(([what, row], line) => row.forEach((bar) => {
      const style = what !== "test" ? what : ["passed", "failed"].includes(bar.verdict) ? `t-${bar.verdict}` : "t-other";
      const box = svg("rect", { x: x(bar.from), y: line * height + 2, width: Math.max(1, x(bar.to) - x(bar.from) - 0.5), height: height - 4, class: style });
      const title = svg("title", {});
      title.textContent = `${bar.name} · ${seconds(bar.to - bar.from)}${bar.text ? ` · ${bar.text}` : ""}`;
      box.append(title);
      const test = byName.get(bar.name);
      if (!test) { drawing.append(box); return; }
      const link = svg("a", { href: `#t-${test.index}`, "aria-label": title.textContent });
      link.append(box);
      drawing.append(link);
    }));
    const ticks = 5;
    for (let tick = 0; tick <= ticks; tick += 1) {
      const label = svg("text", { x: Math.min(x((total / ticks) * tick), width - 34), y: bars.length * height + 14 });
      label.textContent = seconds((total / ticks) * tick);
      drawing.append(label);
    }
    document.getElementById("timeline").append(drawing,
      table(["Phase", "Time", ""], phases.map((phase) => [phase.name, seconds(phase.to - phase.from), phase.text])));
  };

  const coverage = () => {
    const place = document.getElementById("tables");
    const section = (title, count, content) => place.append(make("details", {}, make("summary", {}, `${title} (${count})`), content));
    const scenarios = run.scenarios?.scenarios ?? [];
    if (scenarios.length) section("Scenarios and their tests", `${scenarios.filter((s) => s.proof === "passed").length} of ${scenarios.length} proven`,
      table(["Scenario", "Tier", "Proof", "Tests"], scenarios.map((s) => [s.id, s.tier, make("span", { class: s.proof === "passed" ? "passed" : s.proof === "failed" ? "failed" : "open" }, s.proof), s.tests.length])));
    for (const [title, rows] of Object.entries(run.scenarios ?? {})) {
      if (title === "scenarios" || title === "unknown" || !Array.isArray(rows) || !rows.length) continue;
      const heads = Object.keys(rows[0]);
      section(title, rows.length, table(heads, rows.map((row) => heads.map((key) => (typeof row[key] === "object" ? JSON.stringify(row[key]) : row[key])))));
    }
    const counted = (title, head, uses) => {
      const names = Object.keys(uses ?? {});
      if (names.length) section(title, names.length, table([head, "Ended", "Times"], names.flatMap((name) => Object.entries(uses[name]).map(([ending, n]) => [name, ending, n]))));
    };
    counted("Methods called by tests", "Method", run.used?.methods);
    counted("Commands", "Command", run.used?.commands);
    counted("Kinds of tasks", "Kind", run.used?.tasks);
  };

  const inputs = () => {
    const place = document.getElementById("provenance");
    const rest = Object.fromEntries(Object.entries(record).filter(([name]) => !["phases", "order", "counts", "services", "pins", "binaries"].includes(name)));
    if (record.pins?.length) place.append(table(["Pin", "Version", "SHA-256"], record.pins.map((pin) => [pin.name, pin.version, make("code", {}, pin.sha256 ?? "–")])));
    place.append(make("details", {}, make("summary", {}, "run.json"), make("pre", {}, JSON.stringify(rest, null, 2))));
    if (record.binaries) place.append(make("details", {}, make("summary", {}, "Binaries"), make("pre", {}, JSON.stringify(record.binaries, null, 2))));
  };

  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.classList.contains("test")) { target.open = true; target.scrollIntoView(); target.querySelector("summary").focus(); }
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT"].includes(event.target.tagName)) return;
    const step = { j: 1, k: -1 }[event.key];
    if (event.key === "/") { event.preventDefault(); search.focus(); }
    if (!step) return;
    const all = [...list.querySelectorAll("details.test > summary")];
    const next = all[Math.min(Math.max(all.indexOf(document.activeElement) + step, 0), all.length - 1)];
    next?.focus();
  });
  search.addEventListener("input", showList);
  order.addEventListener("change", showList);
  window.addEventListener("hashchange", openTarget);

  head();
  filters();
  showList();
  timeline();
  coverage();
  inputs();
  openTarget();
  const red = tests.filter((test) => test.verdict === "failed");
  if (!location.hash && red.length === 1) rows.get(red[0].index).open = true;
})();
