// What the reader's browser keeps of the practice: {version, cards: {id: {due, last, …}}, exam}, and the answers of an
// exam that is not handed in yet. The server checks what comes from here (practice/record.py).

const PLACE = "trainable-glossary-practice";
const EXAMS = "trainable-glossary-exams"; // {exam's key: {given: {card: answer}, began: ms}}
const VERSION = 2;
const MOST = 1_000_000; // characters
const MOST_EXAMS = 20;

export default function ({ data: text, setStateValue }) {
  const data = JSON.parse(text);
  if (data.save) keep(PLACE, merged(kept(PLACE), data.save));
  if (data.exam) keepExam(data.exam);
  if (data.forget) forget();
  const told = (window.glossaryPractice ??= {});
  const record = kept(PLACE);
  const exam = data.key ? (kept(EXAMS)[data.key] ?? null) : null;
  const sign = JSON.stringify([data.session, data.key]);
  if (told.sign !== sign) setStateValue("kept", { record, exam, session: data.session });
  told.sign = sign;
}

/** The page's own memory, as an object; {} if there is none. @param {string} place */
function kept(place) {
  try {
    const found = JSON.parse(localStorage.getItem(place) ?? "{}");
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return {};
  }
}

function keep(place, value) {
  try {
    const text = JSON.stringify(value);
    if (text.length <= MOST) localStorage.setItem(place, text);
    document.dispatchEvent(new Event("glossary-progress"));
  } catch {
    // a browser that keeps nothing: the page works all the same
  }
}

/** Two records as one: of a card that both have the later review counts. What comes second has the exam's day. */
export function merged(one, other) {
  const cards = { ...(one.cards ?? {}) };
  for (const [id, seen] of Object.entries(other.cards ?? {}))
    if (!cards[id] || Date.parse(cards[id].last) <= Date.parse(seen.last)) cards[id] = seen;
  return { version: VERSION, cards, exam: "exam" in other ? other.exam : (one.exam ?? null) };
}

function keepExam({ key, given, began }) {
  const all = kept(EXAMS);
  all[key] = { given: { ...(all[key]?.given ?? {}), ...given }, began: all[key]?.began ?? began };
  const newest = Object.entries(all).sort(([, a], [, b]) => (b.began ?? 0) - (a.began ?? 0));
  keep(EXAMS, Object.fromEntries(newest.slice(0, MOST_EXAMS)));
}

function forget() {
  try {
    localStorage.removeItem(PLACE);
    localStorage.removeItem(EXAMS);
  } catch {
    // nothing is kept, nothing to forget
  }
}
