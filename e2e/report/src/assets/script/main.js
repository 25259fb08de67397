// The page as a whole: its parts in order, and the keys.
const summaries = () => [...place("list").querySelectorAll("details.test > summary")];
const step = (by) => {
  const all = summaries();
  all[Math.min(Math.max(all.indexOf(document.activeElement) + by, 0), all.length - 1)]?.focus();
};
const nextRed = () => {
  const all = summaries().filter((summary) => summary.querySelector(".failed, .running"));
  (all[all.indexOf(document.activeElement) + 1] ?? all[0])?.focus();
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT"].includes(event.target.tagName)) return;
  const act = { "/": () => place("search").focus(), j: () => step(1), k: () => step(-1), n: nextRed }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
// A link to a section must not throw away what the address remembers.
for (const link of document.querySelectorAll("nav a, .skip")) link.addEventListener("click", (event) => {
  event.preventDefault();
  const heading = place(link.getAttribute("href").slice(1));
  heading.scrollIntoView();
  heading.focus({ preventScroll: true });
});
window.addEventListener("hashchange", () => { recall(); showList(); openChosen(); });

showVerdict();
showFailures();
showTimeline();
showControls();
recall();
showList();
showCoverage();
showInputs();
// How long the page took to be usable, in milliseconds, for whoever measures it.
document.documentElement.dataset.usableMs = String(Math.round(performance.now()));
whenWhole(() => {
  if (chosen.deep) showList();
  openChosen();
});
