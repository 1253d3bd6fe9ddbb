// Keeps in the reader's browser which questions were answered and which goals reached, by their ids:
// {page: {answered: ["flip"], reached: ["width"]}}. Nothing of it goes to the server.
// Version 0.1.0 stored numbers in place of ids; they are taken over as soon as the page they belong to is known.

/**
 * @typedef {"answered" | "reached"} Kind
 * @typedef {Record<string, Record<Kind, (string | number)[]>>} Known by page
 * @typedef {{page: string} & Record<Kind, string[]>} Record_ what was done on the page that is open
 * @typedef {Record<Kind, string[]> & {was: Record<Kind, string[]>}} Tasks of a page: ids, and by their numbers of 0.1.0
 * @typedef {{pages: Record<string, Tasks>, record?: Record_, show?: boolean, manage?: boolean}} Data
 */

const PLACE = "trainable-glossary";
const KEEPS_NOTHING = "This browser stores nothing for this page, so nothing was taken. Permit it to store data, or use another browser.";
/** @type {Kind[]} */
const KINDS = ["answered", "reached"];
const MOST = 200; // entries of a kind on one page

/** @param {Component<Data>} component */
export default function ({ data, parentElement, setStateValue }) {
  take(data.pages);
  if (data.record) recall(data.record, setStateValue);
  if (data.show) show(/** @type {HTMLElement} */ (parentElement.querySelector(".progress")), data);
}

/** @returns {Known} */
function load() {
  try {
    return checked(JSON.parse(localStorage.getItem(PLACE) ?? "{}"));
  } catch {
    return {};
  }
}

/**
 * Keep what was done on a page, and tell the page what was done on earlier visits: it need not ask that anew.
 * @param {Record_} record
 * @param {(name: string, value: unknown) => void} setStateValue
 */
function recall(record, setStateValue) {
  const before = load()[record.page]?.answered ?? [];
  if (record.answered.length || record.reached.length) add({ [record.page]: record });
  const told = (window.glossaryTold ??= {});
  if (before.length && told[record.page] !== String(before)) setStateValue("known", before);
  told[record.page] = String(before);
}

/** Whether the browser keeps it. @param {Known} known */
function store(known) {
  try {
    localStorage.setItem(PLACE, JSON.stringify(known));
    return true;
  } catch {
    return false; // the page works all the same
  }
}

const isId = (/** @type {unknown} */ one) => typeof one === "string" && /^[a-z0-9-]{1,80}$/.test(one);
const isNumber = (/** @type {unknown} */ one) => typeof one === "number" && Number.isInteger(one) && one >= 0 && one < 100;

/** What of a record, from whatever file, is one. @param {any} raw @returns {Known} */
function checked(raw) {
  const pages = Object.entries(raw ?? {}).filter(([page, of]) => isId(page) && of && typeof of === "object");
  const entries = (/** @type {unknown} */ list) => (Array.isArray(list) ? [...new Set(list.filter((one) => isId(one) || isNumber(one)))].slice(0, MOST) : []);
  return Object.fromEntries(pages.map(([page, of]) => [page, { answered: entries(of.answered), reached: entries(of.reached) }]));
}

/** Put ids for the numbers of 0.1.0 on these pages. @param {Record<string, Tasks>} pages */
function take(pages) {
  const known = load();
  let changed = false;
  for (const [page, { was }] of Object.entries(pages ?? {}))
    for (const kind of KINDS) {
      const list = known[page]?.[kind] ?? [];
      if (!list.some(isNumber)) continue;
      const ids = list.map((one) => (typeof one === "number" ? was[kind][one] : one)).filter(Boolean);
      known[page][kind] = [...new Set(ids)];
      changed = true;
    }
  if (changed) store(known);
}

/**
 * What is in either list.
 * @template T
 * @param {T[]} one
 * @param {T[]} other
 */
function both(one = [], other = []) {
  return [...new Set([...one, ...other])];
}

/** @param {unknown} more */
function add(more) {
  const known = load();
  for (const [page, of] of Object.entries(checked(more)))
    known[page] = { answered: both(known[page]?.answered, of.answered), reached: both(known[page]?.reached, of.reached) };
  return store(known);
}

/**
 * @param {HTMLElement} root
 * @param {Data} data
 */
function show(root, data) {
  const known = load();
  const done = (/** @type {string} */ page, /** @type {Kind} */ kind) => data.pages[page][kind].filter((id) => known[page]?.[kind].includes(id)).length;
  const all = (/** @type {string} */ page, /** @type {Kind} */ kind) => data.pages[page][kind].length;
  const sum = (/** @type {(page: string, kind: Kind) => number} */ count, /** @type {Kind} */ kind) => Object.keys(data.pages).reduce((total, page) => total + count(page, kind), 0);
  const [questions, goals] = KINDS.map((kind) => sum(all, kind));
  root.hidden = !questions && !goals;
  const text = document.createElement("p");
  const [answered, reached] = KINDS.map((kind) => sum(done, kind));
  text.textContent = `You have answered ${answered} of ${questions} questions and reached ${reached} of ${goals} goals.`;
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  root.replaceChildren(text, ...(data.manage ? tools(root, data, said) : []), said);
  mark(Object.keys(data.pages).map((page) => {
    const have = KINDS.reduce((total, kind) => total + done(page, kind), 0);
    return [page, have ? (have === all(page, "answered") + all(page, "reached") ? "✓" : "◐") : ""];
  }));
}

/** A sign behind the links to pages of which something is done ("": nothing yet). @param {string[][]} pages */
function mark(pages) {
  const style = document.getElementById("progress-marks") ?? Object.assign(document.createElement("style"), { id: "progress-marks" });
  const rules = pages.filter(([, sign]) => sign).map(([page, sign]) => `.stMain .stPageLink a:is([href="${page}"], [href$="/${page}"]) p::after { content: " ${sign}"; }`);
  style.textContent = rules.join("\n");
  document.head.append(style);
}

/**
 * @param {HTMLElement} root
 * @param {Data} data
 * @param {HTMLElement} said
 */
function tools(root, data, said) {
  const button = (/** @type {string} */ text, /** @type {() => void} */ press) => Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick: press });
  const file = Object.assign(document.createElement("input"), { type: "file", accept: ".json,application/json", hidden: true });
  file.onchange = async () => {
    try {
      const raw = JSON.parse(await /** @type {FileList} */ (file.files)[0].text());
      if (raw?.format !== PLACE) throw new Error();
      const kept = add(raw.pages);
      take(data.pages);
      show(root, data);
      /** @type {Node} */ (root.lastChild).textContent = kept ? "Taken from the file." : KEEPS_NOTHING;
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
    const known = Object.keys(load()).length;
    try {
      localStorage.removeItem(PLACE);
    } catch {
      // a browser that keeps nothing has nothing to erase
    }
    show(root, data);
    /** @type {Node} */ (root.lastChild).textContent = known ? "Erased." : "There was nothing to erase.";
  };
  return [button("Save to a file", save), button("Take from a file", () => file.click()), button("Erase", erase), file];
}
