// The verdict, and what stands behind it in a few numbers.
const showVerdict = () => {
  const verdict = record.verdict === "running" ? "cut off" : record.verdict.replaceAll("-", " ");
  const style = record.verdict === "passed" ? "passed" : record.verdict === "running" ? "running" : "failed";
  const counts = ["failed", "aborted", "not_run", "skipped", "passed"].map((name) => [name, record.counts?.[name] ?? 0]).filter(([, n]) => n > 0);
  const classOf = { passed: "passed", failed: "failed" };
  const total = counts.reduce((sum, [, n]) => sum + n, 0);
  const took = Date.parse(record.ended_at) - Date.parse(record.started_at);
  const facts = [
    ...counts.map(([name, n]) => make("li", { class: classOf[name] ?? "open" }, make("b", {}, String(n)), ` ${name.replace("_", " ")}`)),
    record.counts?.timed_out ? make("li", { class: "failed" }, `${record.counts.timed_out} timed out`) : null,
    make("li", record.leftovers ? { class: "bad" } : {}, `leftovers ${record.leftovers ?? "not looked for"}`),
    make("li", record.forced_kills ? { class: "bad" } : {}, `forced kills ${record.forced_kills ?? "unknown"}`),
    run.summary?.restarts ? make("li", {}, `restarts ${run.summary.restarts}`) : null,
    Number.isFinite(took) ? make("li", {}, `took ${seconds(took)}`) : null,
  ];
  place("verdict").append(
    make("h1", { class: style }, `${style === "passed" ? "✓" : style === "failed" ? "✕" : "…"} ${verdict}`),
    total ? make("div", { class: "share", role: "img", "aria-label": counts.map(([name, n]) => `${n} ${name}`).join(", ") },
      ...counts.map(([name, n]) => make("i", { class: classOf[name] ?? "open", style: `flex:${n}` }))) : "",
    make("ul", { class: "facts" }, ...facts),
    make("p", { class: "soft" }, [record.run_id, record.started_at, `seed ${record.seed}`, `${record.jobs} at once`, `exit code ${record.exit_code ?? "none"}`].join(" · ")));
  if (record.cause) place("verdict").append(make("p", { class: style }, record.cause));
  if (run.summary?.rerun) place("verdict").append(copyable("Again", run.summary.rerun));
};

// So many failures are read one by one; more of them have one cause.
const MOST_CARDS = 20;

// Each red test, readable without opening anything.
const showFailures = () => {
  const failed = tests.filter(red).sort(ORDERS.verdict);
  const cards = failed.slice(0, MOST_CARDS).map((test) => {
    const steps = (test.steps ?? []).slice(-4);
    const card = make("article", { class: "card" },
      make("h3", {}, told(test.verdict), ` ${test.ids} `, test.title),
      make("p", { class: "soft" }, `${test.module} · ${test.ms === null ? "had not ended" : seconds(test.ms)}`));
    if (test.failure) card.append(make("pre", {}, `${test.failure.message}${test.failure.location ? `\n\nat ${test.failure.location}` : ""}`));
    for (const finding of test.findings ?? []) card.append(make("pre", {}, `after the test: ${finding}`));
    if (!test.failure && !test.findings?.length) card.append(make("pre", {}, "it had not ended when the run did, and says nothing about itself"));
    if (steps.length) card.append(make("ol", { class: "trail", "aria-label": "The last steps" },
      ...steps.map((step) => make("li", {}, make("time", {}, `${(step.at_ms / 1000).toFixed(2)} s`), step.text))));
    if (test.rerun) card.append(copyable("Again", test.rerun));
    card.append(make("p", {}, make("a", { href: `#test=${test.own}`, onclick: (event) => { event.preventDefault(); openTest(test); } }, "Open its story")));
    return card;
  });
  if (cards.length) place("red").append(...cards);
  if (failed.length > MOST_CARDS) place("red").append(make("p", {}, `The other ${failed.length - MOST_CARDS} come first in the list of tests.`));
  if (!cards.length) place("red").append(make("p", { class: "soft" }, tests.length ? "None of the tests failed." : "No test was recorded."));
};
