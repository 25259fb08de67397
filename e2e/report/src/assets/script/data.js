// The run and its tests, as the results folder has them.
const run = read("data-run");
const record = run.record;
// Where the folder was when the run was made says nothing to a reader of this page.
const within = (text) => (run.summary?.results ? text.replaceAll(`${run.summary.results}/`, "") : text);
const tests = read("data-tests").map((test, index) => {
  if (test.failure) test.failure.message = within(test.failure.message);
  test.findings = test.findings?.map(within);
  const path = (test.name ?? "unnamed").split("::");
  const own = path.pop();
  // Its name begins with the ids, which are shown beside it.
  const ids = (test.ids ?? []).map((id) => `${id.toLowerCase().replace("-", "_")}_`);
  const title = ids.reduce((rest, id) => (rest.startsWith(id) ? rest.slice(id.length) : rest), own).replaceAll("_", " ");
  return { ...test, index, own, title, ids: (test.ids ?? []).join(" "), module: path.join(" › "),
    text: `${test.name} ${own.replaceAll("_", " ")} ${(test.ids ?? []).join(" ")} ${test.failure?.message ?? ""} ${(test.findings ?? []).join(" ")}`.toLowerCase() };
});
const red = (test) => test.verdict === "failed" || test.verdict === "running";
const byOwn = new Map(tests.map((test) => [test.own, test]));

// The stories come behind this script.
const whenWhole = (act) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act);
  else act();
};

const bodies = new Map();
const bodyOf = (test) => {
  if (!bodies.has(test.index)) bodies.set(test.index, read(`data-${test.index}`));
  return bodies.get(test.index);
};

// Whether a story has a text: looked for in its JSON, which need not be understood for that.
const storyHas = (test, words) => {
  const escaped = JSON.stringify(words).slice(1, -1).replaceAll("<", "\\u003c");
  return place(`data-${test.index}`)?.textContent.toLowerCase().includes(escaped);
};
