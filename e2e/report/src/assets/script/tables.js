// What was covered, and what went in.
const NEVER = "·";
const STAGES = ["synthesise", "apply", "run"];
const matrix = (title, head, uses, shorten = (name) => name) => {
  const names = Object.keys(uses ?? {});
  if (!names.length) return null;
  const endings = [...new Set(names.flatMap((name) => Object.keys(uses[name])))].sort();
  const used = names.filter((name) => Object.keys(uses[name]).length).length;
  return opening(`${title}: ${used} of ${names.length} used`, () =>
    table([head, ...endings], names.map((name) => [
      make("span", { title: name, class: Object.keys(uses[name]).length ? null : "open" }, shorten(name)),
      ...endings.map((ending) => uses[name][ending] ?? NEVER)])));
};

const scenarioTable = (scenarios) => {
  const areas = new Map();
  for (const scenario of scenarios) {
    const area = scenario.id.split("-")[0];
    areas.set(area, [...(areas.get(area) ?? []), scenario]);
  }
  return table(["Area", "Passed", "Of", "The others"], [...areas].map(([area, all]) => {
    const others = all.filter((scenario) => scenario.proof !== "passed").map((scenario) => `${scenario.id} ${scenario.proof}`);
    return [area, all.length - others.length, all.length, make("span", others.length ? { class: "open" } : { class: "passed" }, others.join(", ") || "✓ none")];
  }));
};

const fixtureTable = (fixtures) => {
  const cell = (uses) => {
    if (!uses?.length) return make("span", { class: "open" }, "–");
    const failed = uses.filter((use) => use.verdict !== "passed").length;
    return make("span", { class: failed ? "failed" : "passed", title: uses.map((use) => use.name).join("\n") }, failed ? `✕ ${failed} of ${uses.length}` : `✓ ${uses.length}`);
  };
  return table(["Fixture", ...STAGES], fixtures.map((fixture) => [fixture.id, ...STAGES.map((stage) => cell(fixture.stages?.[stage]))]));
};

const showCoverage = () => {
  const { scenarios = [], fixtures = [], used } = run.scenarios ?? {};
  const uses = used ?? run.used ?? {};
  const proven = scenarios.filter((scenario) => scenario.proof === "passed").length;
  const parts = [
    scenarios.length ? opening(`Scenarios: ${proven} of ${scenarios.length} proven by this run`, () => scenarioTable(scenarios)) : null,
    fixtures.length ? opening(`Fixtures by phase: ${fixtures.length}`, () => fixtureTable(fixtures)) : null,
    matrix("Kinds of tasks by how they ended", "Kind", uses.tasks),
    matrix("RPCs by status", "Method", uses.methods, (path) => path.split(".").pop()),
    matrix("CLI commands by exit code", "Command", uses.commands),
  ].filter(Boolean);
  place("tables").append(...(parts.length ? parts : [make("p", { class: "soft" }, "Nothing was counted: the run was cut off before.")]));
};

const showInputs = () => {
  const host = record.host ?? {};
  const facts = [["Commit", record.git?.revision], ["Uncommitted changes", record.git ? (record.git.dirty ? "yes" : "no") : null], ["Seed", record.seed], ["Tests at once", record.jobs],
    ["Asked for", [(record.selection?.filters ?? []).join(" ") || "all", record.selection?.tier].filter(Boolean).join(", tier ")], ["Model", record.llm?.provider],
    ["Host", [host.os, host.kernel, host.cpu, host.cores && `${host.cores} cores`, host.memory_mb && `${host.memory_mb} MB`].filter(Boolean).join(" · ")]];
  place("provenance").append(table(["Input", ""], facts.map(([name, value]) => [name, value === null || value === undefined || value === "" ? "unknown" : String(value)])));
  const hash = (text) => make("code", { title: text }, (text ?? "–").slice(0, 16));
  if (record.pins?.length) place("provenance").append(opening(`Pins (${record.pins.length})`, () => table(["Pin", "Version", "SHA-256"], record.pins.map((pin) => [pin.name, pin.version, hash(pin.sha256)]))));
  if (record.binaries?.length) place("provenance").append(opening(`Binaries (${record.binaries.length})`, () => table(["Binary", "Version", "SHA-256"], record.binaries.map((b) => [b.name, b.version, hash(b.sha256)]))));
  place("provenance").append(opening("run.json", () => make("pre", {}, JSON.stringify({ ...record, order: undefined }, null, 2))));
};
