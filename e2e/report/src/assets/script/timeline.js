// Phases, services, tests, and faults over the time of the run.
const showTimeline = () => {
  const { total, phases = [], services = [], lanes = [], faults = [] } = run.timeline;
  if (!total) { place("timeline").append(make("p", { class: "soft" }, "No event was recorded.")); return; }
  const percent = (ms) => `${Math.max(0, (ms / total) * 100).toFixed(3)}%`;
  const bar = (from, to, style, text, shown = "") =>
    make("span", { class: style, style: `left:${percent(from)};width:${percent(to - from)}`, title: text }, shown);
  const track = (name, text, ...bars) => make("div", { class: "track" }, make("b", {}, name), make("div", { class: "lane-bars", role: "img", "aria-label": text }, ...bars));
  const rows = [track("phases", phases.map((phase) => `${phase.name} ${seconds(phase.to - phase.from)}`).join(", "),
    ...phases.map((phase) => bar(phase.from, phase.to, "", `${phase.name} · ${seconds(phase.to - phase.from)} · ${phase.text ?? ""}`, phase.to - phase.from > total / 14 ? phase.name : "")))];
  for (const service of services) rows.push(track(service.name, `${service.name} was ready after ${seconds(service.ready - service.from)}`,
    bar(service.ready, service.to, "", `${service.name} · ready after ${seconds(service.ready - service.from)}`), bar(service.from, service.ready, "starting", `${service.name} starts`)));
  lanes.forEach((lane, number) => rows.push(track(number === 0 ? "tests" : "", `${lane.length} tests, one after the other`, ...lane.map((test) => {
    const own = (test.name ?? "").split("::").pop();
    const known = byOwn.get(own);
    const node = make("a", { class: test.verdict === "passed" ? "t-passed" : ["failed", "timed-out"].includes(test.verdict) ? "t-failed" : "t-open",
      style: `left:${percent(test.from)};width:calc(${percent(test.to - test.from)} - 1px)`, title: `${own} · ${test.verdict} · ${seconds(test.to - test.from)}`,
      // The list below has the same tests for who uses the keyboard.
      href: `#test=${own}`, tabindex: -1, onclick: (event) => { event.preventDefault(); if (known) openTest(known); } });
    return node;
  }))));
  if (faults.length) rows.push(track("faults", faults.map((fault) => fault.text).join("; "), ...faults.map((fault) =>
    make("span", { class: "mark", style: `left:${percent(fault.at)}`, title: `${fault.text} · ${fault.test ?? ""}` }, "▲"))));
  const ticks = [0, 1, 2, 3, 4].map((tick) => make("span", {}, seconds((total / 4) * tick)));
  rows.push(make("div", { class: "track" }, make("b", {}, ""), make("div", { class: "scale" }, ...ticks)));
  place("timeline").append(make("div", {}, ...rows), opening("Phases in numbers", () =>
    table(["Phase", "Took", ""], phases.map((phase) => [phase.name, seconds(phase.to - phase.from), phase.text]))));
};
