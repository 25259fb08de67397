// The list of tests, and what of it is shown. What is chosen lives in the address, so that a view can be
// sent to somebody: #state=failed&q=word&deep=1&min=1000&order=ms&test=run_01_…
const rows = new Map(tests.map((test) => {
  const row = make("details", { class: "test", id: `t-${test.own}` }, make("summary", {}, told(test.verdict),
    make("span", { class: "name" }, test.title, make("span", { class: "module" }, [test.ids, test.module].filter(Boolean).join(" · "))),
    make("span", { class: "soft" }, seconds(test.ms))));
  row.addEventListener("toggle", () => {
    whenWhole(() => { if (row.open && row.childElementCount === 1) row.append(storyOf(test)); });
    chosen.test = row.open ? test.own : chosen.test === test.own ? "" : chosen.test;
    remember();
  });
  return [test.index, row];
}));

const NOTHING = { state: "", q: "", deep: "", min: "0", order: "verdict", test: "" };
const chosen = { ...NOTHING };
const states = () => new Set(chosen.state.split(",").filter(Boolean));

const remember = () => {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(chosen)) if (value !== NOTHING[name]) words.set(name, value);
  const hash = words.toString();
  if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
};

const recall = () => {
  const words = new URLSearchParams(location.hash.slice(1));
  for (const name of Object.keys(NOTHING)) chosen[name] = words.get(name) ?? NOTHING[name];
  place("search").value = chosen.q;
  place("deep").checked = chosen.deep === "1";
  for (const name of ["min", "order"]) {
    place(name).value = chosen[name];
    // Who made up an address gets the usual view.
    if (place(name).selectedIndex < 0) place(name).value = chosen[name] = NOTHING[name];
  }
};

const RANK = { failed: 0, running: 1, skipped: 2, passed: 3 };
const rank = (verdict) => RANK[verdict] ?? 1;
const ORDERS = {
  verdict: (a, b) => rank(a.verdict) - rank(b.verdict) || a.index - b.index,
  time: (a, b) => a.index - b.index,
  ms: (a, b) => (b.ms ?? 0) - (a.ms ?? 0),
  name: (a, b) => (a.name < b.name ? -1 : 1),
};

const showList = () => {
  const needle = chosen.q.trim().toLowerCase();
  const wanted = states();
  const shown = tests.filter((test) => (!wanted.size || wanted.has(test.verdict)) && (test.ms ?? 0) >= Number(chosen.min)
    && (!needle || test.text.includes(needle) || (chosen.deep === "1" && storyHas(test, needle))));
  place("list").replaceChildren(...shown.sort(ORDERS[chosen.order]).map((test) => rows.get(test.index)));
  place("shown").textContent = shown.length === tests.length ? `${tests.length} tests` : `${shown.length} of ${tests.length} tests`;
  for (const button of place("states").children) button.setAttribute("aria-pressed", String(wanted.has(button.value)));
};

const choose = (change) => { Object.assign(chosen, change); remember(); showList(); };

const showControls = () => {
  const verdicts = [...new Set(tests.map((test) => test.verdict))].sort((a, b) => rank(a) - rank(b));
  place("states").append(...verdicts.map((verdict) => make("button", { type: "button", value: verdict, "aria-pressed": "false", class: kind(verdict), onclick: () => {
    const wanted = states();
    if (!wanted.delete(verdict)) wanted.add(verdict);
    choose({ state: [...wanted].join(",") });
  } }, `${SIGNS[verdict] ?? "?"} ${verdict} ${tests.filter((test) => test.verdict === verdict).length}`)));
  place("search").addEventListener("input", (event) => choose({ q: event.target.value }));
  place("deep").addEventListener("change", (event) => choose({ deep: event.target.checked ? "1" : "" }));
  for (const name of ["min", "order"]) place(name).addEventListener("change", (event) => choose({ [name]: event.target.value }));
  place("controls").addEventListener("submit", (event) => event.preventDefault());
};

const openTest = (test) => {
  const row = rows.get(test.index);
  if (!row.isConnected) choose({ state: "", q: "", min: "0" });
  row.open = true;
  row.scrollIntoView();
  row.querySelector("summary").focus({ preventScroll: true });
};

const openChosen = () => { const test = byOwn.get(chosen.test); if (test) openTest(test); };
