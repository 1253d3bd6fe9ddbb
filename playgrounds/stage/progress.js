// Keeps in the reader's browser which questions were answered and which goals reached, by their ids:
// {page: {answered: ["flip"], reached: ["width"]}}. Nothing of it goes to the server.
// Version 0.1.0 stored numbers in place of ids; they are taken over as soon as the page they belong to is known.

const PLACE = "trainable-glossary";
const LAST = "trainable-glossary-last"; // {page, name} of the term that was opened last, as pages/links.js keeps it
const KEEPS_NOTHING = "This browser stores nothing for this page, so nothing was taken. Permit it to store data, or use another browser.";
const KINDS = ["answered", "reached"];
const MOST = 200; // entries of a kind on one page

export default function ({ data, parentElement, setStateValue }) {
  take(data.pages);
  if (data.record) recall(data.record, setStateValue);
  if (data.show) show(parentElement.querySelector(".progress"), data);
}

function load() {
  try {
    return checked(JSON.parse(localStorage.getItem(PLACE) ?? "{}"));
  } catch {
    return {};
  }
}

/** Keep what was done on a page, and tell the page what was done on earlier visits: it need not ask that anew. */
function recall(record, setStateValue) {
  const before = load()[record.page]?.answered ?? [];
  if (record.answered.length || record.reached.length) add({ [record.page]: record });
  const told = (window.glossaryTold ??= {});
  if (before.length && told[record.page] !== String(before)) setStateValue("known", before);
  told[record.page] = String(before);
}

/** Whether the browser keeps it. */
function store(known) {
  try {
    localStorage.setItem(PLACE, JSON.stringify(known));
    document.dispatchEvent(new Event("glossary-progress")); // pages/marks.js marks links
    return true;
  } catch {
    return false; // the page works all the same
  }
}

const isId = (one) => typeof one === "string" && /^[a-z0-9-]{1,80}$/.test(one);
const isNumber = (one) => Number.isInteger(one) && one >= 0 && one < 100;

/** What of a record, from whatever file, is one. */
function checked(raw) {
  const pages = Object.entries(raw ?? {}).filter(([page, of]) => isId(page) && of && typeof of === "object");
  const entries = (list) => (Array.isArray(list) ? [...new Set(list.filter((one) => isId(one) || isNumber(one)))].slice(0, MOST) : []);
  return Object.fromEntries(pages.map(([page, of]) => [page, Object.fromEntries(KINDS.map((kind) => [kind, entries(of[kind])]))]));
}

/** Put ids for the numbers of 0.1.0 on these pages. */
function take(pages) {
  const known = load();
  let changed = false;
  for (const [page, { was }] of Object.entries(pages ?? {}))
    for (const kind of KINDS) {
      const list = known[page]?.[kind] ?? [];
      if (!list.some(isNumber)) continue;
      const ids = list.map((one) => (isNumber(one) ? was[kind][one] : one)).filter(Boolean);
      known[page][kind] = [...new Set(ids)];
      changed = true;
    }
  if (changed) store(known);
}

function add(more) {
  const known = load();
  for (const [page, of] of Object.entries(checked(more)))
    known[page] = Object.fromEntries(KINDS.map((kind) => [kind, [...new Set([...(known[page]?.[kind] ?? []), ...of[kind]])]]));
  return store(known);
}

function show(root, data) {
  const known = load();
  const done = (page, kind) => data.pages[page][kind].filter((id) => known[page]?.[kind].includes(id)).length;
  const all = (page, kind) => data.pages[page][kind].length;
  const sum = (count, kind) => Object.keys(data.pages).reduce((total, page) => total + count(page, kind), 0);
  const [questions, goals] = KINDS.map((kind) => sum(all, kind));
  root.hidden = !questions && !goals;
  const text = document.createElement("p");
  const [answered, reached] = KINDS.map((kind) => sum(done, kind));
  text.textContent = `You have answered ${answered} of ${questions} questions and reached ${reached} of ${goals} goals.`;
  if (data.manage) root.replaceChildren(...forward(data.start), menu(root, data, text));
  else root.replaceChildren(text);
}

/** A link to the term that was opened last; to the first for who has opened none. */
function forward(start) {
  const last = visited();
  const { page, name, verb } = last ? { ...last, verb: "Continue" } : start ? { page: start[0], name: start[1], verb: "Start" } : {};
  if (!page) return [];
  const link = Object.assign(document.createElement("a"), { className: "progress-forward", textContent: `${verb}: ${name}` });
  link.setAttribute("href", page); // as an attribute: pages/links.js reads what stands there
  return [link];
}

function visited() {
  try {
    const { page, name } = JSON.parse(localStorage.getItem(LAST) ?? "{}");
    return isId(page) && typeof name === "string" && name && name.length <= 100 ? { page, name } : null;
  } catch {
    return null;
  }
}

/** How far the reader is and what can be done with the record, behind one button. */
function menu(root, data, text) {
  const whole = Object.assign(document.createElement("div"), { className: "progress-menu" });
  const panel = Object.assign(document.createElement("div"), { className: "progress-panel", id: "progress-panel", hidden: !root.isOpen });
  const head = Object.assign(document.createElement("button"), { type: "button", textContent: "Your progress" });
  head.setAttribute("aria-expanded", String(!panel.hidden));
  head.setAttribute("aria-controls", panel.id);
  const fold = (open) => {
    root.isOpen = open; // it stays so when the record has changed
    panel.hidden = !open;
    head.setAttribute("aria-expanded", String(open));
  };
  head.onclick = () => fold(panel.hidden);
  whole.onkeydown = (event) => {
    if (event.key !== "Escape" || panel.hidden) return;
    fold(false);
    head.focus();
  };
  const elsewhere = (event) => {
    if (!whole.isConnected) document.removeEventListener("pointerdown", elsewhere);
    else if (!whole.contains(event.target)) fold(false);
  };
  document.addEventListener("pointerdown", elsewhere);
  const said = document.createElement("p");
  said.className = "progress-said";
  said.setAttribute("aria-live", "polite");
  panel.append(text, ...tools(root, data, said), said);
  whole.append(head, panel);
  return whole;
}

const say = (root, text) => (root.querySelector(".progress-said").textContent = text);

function tools(root, data, said) {
  const button = (text, press) => Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick: press });
  const file = Object.assign(document.createElement("input"), { type: "file", accept: ".json,application/json", hidden: true });
  file.onchange = async () => {
    try {
      const raw = JSON.parse(await file.files[0].text());
      if (raw?.format !== PLACE) throw new Error();
      const kept = add(raw.pages);
      take(data.pages);
      show(root, data);
      say(root, kept ? "Taken from the file." : KEEPS_NOTHING);
    } catch {
      said.textContent = "That is no file of saved progress. Choose one that was saved here.";
    }
    file.value = "";
  };
  const save = () => {
    const blob = new Blob([JSON.stringify({ format: PLACE, pages: load() })], { type: "application/json" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: "glossary-progress.json" });
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const erase = () => {
    const known = Object.keys(load()).length || visited();
    try {
      localStorage.removeItem(PLACE);
      localStorage.removeItem(LAST);
      document.dispatchEvent(new Event("glossary-progress"));
    } catch {
      // a browser that keeps nothing has nothing to erase
    }
    show(root, data);
    say(root, known ? "Erased." : "There was nothing to erase.");
  };
  return [button("Save to a file", save), button("Take from a file", () => file.click()), button("Erase", erase), file];
}
