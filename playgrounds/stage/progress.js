// Keeps in the reader's browser which questions were answered and which goals reached: {page: {answered: [0], reached: [1]}}.
// Nothing of it goes to the server.

const PLACE = "trainable-glossary";
const KEEPS_NOTHING = "This browser stores nothing for this page, so nothing was taken. Permit it to store data, or use another browser.";
const KINDS = ["answered", "reached"];

export default function ({ data, parentElement }) {
  if (data.record) add({ [data.record.page]: data.record });
  if (data.pages) show(parentElement.querySelector(".progress"), data);
}

function load() {
  try {
    return checked(JSON.parse(localStorage.getItem(PLACE) ?? "{}"));
  } catch {
    return {};
  }
}

/** What of a record, from whatever file, is one. */
function checked(raw) {
  const pages = Object.entries(raw ?? {}).filter(([page, of]) => /^[a-z0-9-]{1,80}$/.test(page) && of && typeof of === "object");
  const numbers = (list) => (Array.isArray(list) ? [...new Set(list.filter((n) => Number.isInteger(n) && n >= 0 && n < 100))].sort() : []);
  return Object.fromEntries(pages.map(([page, of]) => [page, Object.fromEntries(KINDS.map((kind) => [kind, numbers(of[kind])]))]));
}

/** Put more into the record; returns whether the browser keeps it. */
function add(more) {
  const known = load();
  for (const [page, of] of Object.entries(checked(more)))
    known[page] = Object.fromEntries(KINDS.map((kind) => [kind, [...new Set([...(known[page]?.[kind] ?? []), ...of[kind]])].sort()]));
  try {
    localStorage.setItem(PLACE, JSON.stringify(known));
    return true;
  } catch {
    return false; // a browser that keeps nothing: the page works all the same
  }
}

function show(root, data) {
  const known = load();
  const done = (page, kind, all) => Math.min(all, known[page]?.[kind].length ?? 0);
  const sum = (kind, k) => Object.entries(data.pages).reduce(([have, all], [page, n]) => [have + done(page, kind, n[k]), all + n[k]], [0, 0]);
  const [[answered, questions], [reached, goals]] = [sum("answered", 0), sum("reached", 1)];
  root.hidden = !questions && !goals;
  const text = document.createElement("p");
  text.textContent = `You have answered ${answered} of ${questions} questions and reached ${reached} of ${goals} goals.`;
  const said = document.createElement("p");
  said.setAttribute("aria-live", "polite");
  root.replaceChildren(text, ...(data.manage ? tools(root, data, said) : []), said);
  mark(Object.keys(data.pages).map((page) => {
    const [q, g] = data.pages[page];
    const have = done(page, "answered", q) + done(page, "reached", g);
    return [page, have && (have === q + g ? "✓" : "◐")];
  }));
}

/** A sign behind the links to pages of which something is done. */
function mark(pages) {
  const style = document.getElementById("progress-marks") ?? Object.assign(document.createElement("style"), { id: "progress-marks" });
  const rules = pages.filter(([, sign]) => sign).map(([page, sign]) => `.stMain .stPageLink a:is([href="${page}"], [href$="/${page}"]) p::after { content: " ${sign}"; }`);
  style.textContent = rules.join("\n");
  document.head.append(style);
}

function tools(root, data, said) {
  const button = (text, press) => Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick: press });
  const file = Object.assign(document.createElement("input"), { type: "file", accept: ".json,application/json", hidden: true });
  file.onchange = async () => {
    try {
      const raw = JSON.parse(await file.files[0].text());
      if (raw?.format !== PLACE) throw new Error();
      const kept = add(raw.pages);
      show(root, data);
      root.lastChild.textContent = kept ? "Taken from the file." : KEEPS_NOTHING;
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
    root.lastChild.textContent = known ? "Erased." : "There was nothing to erase.";
  };
  return [button("Save to a file", save), button("Take from a file", () => file.click()), button("Erase", erase), file];
}
