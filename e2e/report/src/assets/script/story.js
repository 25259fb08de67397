// One test: what it did, and everything that was recorded meanwhile, by time.
const PAGE = 1500;
const ORDER = ["step", "wait", "fault", "cli", "grpc", "llm", "hub", "temporal"];

const entryRow = ([at, lane, text, bad, detail]) => {
  const row = make("div", { class: `entry mono lane-${lane}${lane === "step" ? " step" : ""}${bad ? " is-bad" : ""}` },
    make("span", { class: "at" }, (at / 1000).toFixed(3)), make("span", { class: "lane", title: lane }, short(lane)));
  const words = make("span", bad ? { class: "bad" } : {}, bad ? `✕ ${text}` : text);
  row.append(detail ? opening(words, () => make("pre", {}, indented(detail))) : words);
  return row;
};

// What all parts of the stack begin with says nothing.
const short = (lane) => lane.replace(/^stigmer-/, "");

// JSON for people; anything else as it is.
const indented = (detail) => {
  try { return JSON.stringify(JSON.parse(detail), null, 2); } catch { return detail; }
};

// A pause in which nothing was recorded is told: it is what a reader of times looks for.
const withGaps = (entries) => {
  const rows = [];
  entries.forEach((entry, number) => {
    const pause = number ? entry[0] - entries[number - 1][0] : 0;
    if (pause >= 1000) rows.push(make("div", { class: "entry mono gap" }, make("span", { class: "at" }, ""), make("span", { class: "lane" }, ""), make("span", {}, `${seconds(pause)} without a word`)));
    rows.push(entryRow(entry));
  });
  return rows;
};

const entriesOf = (entries) => {
  const there = new Set(entries.map((entry) => entry[1]));
  const lanes = [...ORDER.filter((lane) => there.has(lane)), ...[...there].filter((lane) => !ORDER.includes(lane))];
  const off = new Set();
  const rows = make("div", { class: "entries" });
  const status = make("span", { class: "soft", role: "status" });
  const words = make("input", { type: "search", placeholder: "Search this story", "aria-label": "Search this story", oninput: () => show(PAGE) });
  const show = (limit) => {
    const needle = words.value.toLowerCase();
    const chosen = entries.filter(([, lane, text, , detail]) => !off.has(lane) && (!needle || `${text}\n${detail ?? ""}`.toLowerCase().includes(needle)));
    rows.replaceChildren(...withGaps(chosen.slice(0, limit)));
    if (chosen.length > limit) rows.append(make("button", { type: "button", onclick: () => show(Infinity) }, `Show the other ${chosen.length - limit}`));
    status.textContent = chosen.length === entries.length ? `${entries.length} entries` : `${chosen.length} of ${entries.length} entries`;
  };
  const chips = lanes.map((lane) => make("button", { type: "button", "aria-pressed": "true", onclick: (event) => {
    const on = off.delete(lane) || (off.add(lane), false);
    event.target.setAttribute("aria-pressed", String(on));
    show(PAGE);
  } }, short(lane)));
  show(PAGE);
  return make("div", {}, make("div", { class: "facts chips", role: "group", "aria-label": "What is shown" }, words, ...chips, status), rows);
};

const storyOf = (test) => {
  const { record: more, entries } = bodyOf(test);
  const node = make("div", { class: "inside" });
  if (test.failure) node.append(make("pre", { class: "bad" }, `${test.failure.message}\n\nat ${test.failure.location}`));
  for (const finding of test.findings ?? []) node.append(make("pre", { class: "bad" }, `after the test: ${finding}`));
  if (more.skipped_because) node.append(make("p", { class: "skipped" }, more.skipped_because));
  if (test.rerun) node.append(copyable("Again", test.rerun));
  node.append(make("p", { class: "soft" }, (more.phases ?? []).map((phase) => `${phase.name} ${seconds(phase.ms)}`).join(" · ")));
  if (more.budgets?.length) node.append(opening(`Budgets (${more.budgets.length})`, () =>
    table(["What", "Budget", "Used", "Limit", "%"], more.budgets.map((b) => [b.what, b.name, seconds(b.used_ms), seconds(b.limit_ms), b.percent]))));
  if (more.environments?.length) node.append(opening(`Environments (${more.environments.length})`, () =>
    table(["Part", "Pid", "Address", "Build", "Namespace"], more.environments.flatMap((e) => e.parts.map((p) => [p.component, p.pid, p.address, (p.build ?? "").slice(0, 12), e.namespace])))));
  if (Object.keys(more.facts ?? {}).length) node.append(opening("Facts", () => make("pre", {}, JSON.stringify(more.facts, null, 2))));
  node.append(entriesOf(entries));
  return node;
};
