// What every part of the page is made with. Everything shown is set as text, never as markup: what a
// test printed must not become a part of the page.
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const place = (id) => document.getElementById(id);

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

const seconds = (ms) => {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 120000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
};

// A verdict is told by a word and a sign; its colour only repeats them.
const SIGNS = { passed: "✓", failed: "✕", skipped: "–", running: "…" };
const kind = (verdict) => (verdict in SIGNS ? verdict : "open");
const told = (verdict) => make("span", { class: kind(verdict) }, `${SIGNS[verdict] ?? "?"} ${verdict}`);

// Cells of a row; the first one is its head.
const table = (heads, rows) => {
  const cell = (content, column) => {
    const node = make(column === 0 ? "th" : "td", column === 0 ? { scope: "row" } : {});
    if (typeof content === "number" || content === "·") node.className = "number";
    node.append(content instanceof Node ? content : String(content ?? "–"));
    return node;
  };
  return make("div", { class: "table", tabindex: 0, role: "region", "aria-label": heads[0] }, make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell))))));
};

const copyable = (label, text) => make("p", { class: "command" }, make("span", { class: "soft" }, label), make("code", {}, text),
  make("button", { type: "button", "aria-label": `Copy: ${text}`, onclick: (event) => {
    navigator.clipboard?.writeText(text).then(() => { event.target.textContent = "copied"; });
  } }, "copy"));

// A part that is made when it is opened for the first time.
const opening = (title, content, options = {}) => {
  const node = make("details", options, make("summary", {}, title));
  node.addEventListener("toggle", () => { if (node.open && node.childElementCount === 1) node.append(content()); });
  return node;
};

// A page that could not be made says so, and does not look like a run without tests.
window.addEventListener("error", (event) => place("verdict").append(make("p", { class: "bad" }, `This page could not be shown whole: ${event.message}`)));
