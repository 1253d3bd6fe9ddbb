// Signs behind links to terms of which something is done, and on a lesson's card how much of it. They are rules of a
// stylesheet, because pages make their links whenever they like. The sidebar knows how much there is to do on a term.

const KEPT = "trainable-glossary"; // as playgrounds/stage/progress.js keeps it
const PRACTISED = "trainable-glossary-practice"; // as pages/keeping.js keeps it

function mark() {
  const known = kept();
  const rules = [];
  for (const lesson of document.querySelectorAll(".contents details")) {
    let [done, all] = [0, 0];
    for (const link of lesson.querySelectorAll("a[data-of]")) {
      const page = link.getAttribute("href");
      const of = Number(link.dataset.of);
      const have = Math.min(of, (known[page]?.answered?.length ?? 0) + (known[page]?.reached?.length ?? 0));
      done += have;
      all += of;
      if (have) rules.push(sign(page, have === of ? "✓" : "◐"));
    }
    const page = lesson.querySelector("a").getAttribute("href");
    if (done) rules.push(share(page, done, all));
  }
  const due = dueToday();
  if (due) rules.push(`:is(.contents-practice, .foot a[href="practice"])::after { content: " · ${due} due"; }`);
  const style = document.getElementById("marks") ?? Object.assign(document.createElement("style"), { id: "marks" });
  style.textContent = rules.join("\n");
  if (!style.isConnected) document.head.append(style);
}

const to = (page) => `a:is([href="${page}"], [href$="/${page}"])`;

const sign = (page, one) => `:is(.contents, .cards, .hits, .letters) ${to(page)}::after, .stMain .stPageLink ${to(page)} p::after { content: "${one}"; }`;

function share(page, done, all) {
  const width = `.cards ${to(page)} { --done: ${Math.round((100 * done) / all)}%; }`;
  return `${width}\n.cards ${to(page)} .card-count::after { content: "${done === all ? "✓ all done" : `${done} of ${all} done`}"; }`;
}

/** How many cards of the practice are due before the reader's day ends, at four in the morning. */
function dueToday() {
  const end = new Date();
  if (end.getHours() >= 4) end.setDate(end.getDate() + 1);
  end.setHours(4, 0, 0, 0);
  return Object.values(kept(PRACTISED).cards ?? {}).filter((card) => Date.parse(card?.due) < end.getTime()).length;
}

function kept(place = KEPT) {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "{}") ?? {};
  } catch {
    return {};
  }
}
