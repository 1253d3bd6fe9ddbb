// Keys that work anywhere outside of inputs. A switch turns them off (WCAG 2.1.4), and the browser remembers that.

const PLACE = "trainable-glossary-keys";
const PLAYER = [" ", "ArrowLeft", "ArrowRight", "Home", "End"];

export default function ({ parentElement, setTriggerValue }) {
  const help = parentElement.querySelector(".keys-help");
  const list = parentElement.querySelector(".keys-list");
  const on = parentElement.querySelector(".keys-on");
  on.checked = kept() !== "off";
  on.onchange = () => keep(on.checked ? "on" : "off");
  help.onclick = () => fold(list.hidden);
  const fold = (open) => {
    list.hidden = !open;
    help.setAttribute("aria-expanded", String(open));
  };
  const code = () => setTriggerValue("code", location.href);
  const press = (event) => {
    if (event.key === "/" && on.checked && !event.ctrlKey && !event.metaKey && !event.altKey && !isText(event.target)) return search(event);
    if (on.checked && !event.ctrlKey && !event.metaKey && !event.altKey && !isText(event.target) && practise(event)) return;
    if (!on.checked || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "?") fold(list.hidden);
    else if (event.key === "Escape") fold(false);
    else if (event.key === "p" || event.key === "P") present(document.body.dataset.present !== "true");
    else if (event.key === "q" || event.key === "Q") code();
    else if (PLAYER.includes(event.key)) play(event);
  };
  document.addEventListener("keydown", press);
  present(new URLSearchParams(location.search).get("present") === "true", false);
  return () => document.removeEventListener("keydown", press);
}

function kept() {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

function keep(value) {
  try {
    localStorage.setItem(PLACE, value);
  } catch {
    // a browser that keeps nothing: the switch holds for this page
  }
}

/** Where letters are typed. */
function isText(target) {
  return Boolean(target.closest("input:not([type=range], [type=checkbox], [type=radio]), textarea, [contenteditable=true]"));
}

/** Go to the page's search; if that is in the sidebar, unfold it. */
function search(event) {
  event.preventDefault();
  const box = document.querySelector(".stMain input[type=search]") ?? document.querySelector(".stSidebar input[type=search]");
  if (!box) return;
  if (box.closest("[data-collapsed=true]")) document.querySelector("[data-testid=stExpandSidebarButton]")?.click();
  const focus = (tries) => {
    box.focus();
    if (document.activeElement !== box && tries) setTimeout(focus, 50, tries - 1);
  };
  focus(20);
}

/** Where a key is meant for what has the focus. */
function isTyping(target) {
  return Boolean(target.closest("input, textarea, select, button, a, summary, [contenteditable=true], [role=slider], [role=tab], .player, .pad"));
}

/** In the practice: 1 to 4 choose, Enter goes on. Whether the key meant something. */
function practise(event) {
  const card = document.querySelector(".st-key-practice-card");
  if (!card) return false;
  const choices = [...card.querySelectorAll(".st-key-practice-choices button")];
  const chosen = /^[1-4]$/.test(event.key) ? choices[Number(event.key) - 1] : null;
  const goesOn = (event.key === "Enter" || event.key === " ") && !event.target.closest("button, a, summary");
  const button = chosen ?? (goesOn ? card.querySelector("button[kind=primary]") : null);
  if (!button) return false;
  event.preventDefault();
  button.click();
  return true;
}

function play(event) {
  const player = document.querySelector(".player")?.player;
  if (!player) return;
  player.key({ key: event.key, target: document.body, preventDefault: () => event.preventDefault() });
}

/** Large, and nothing but the term, the picture and the question: for the last row of a lecture hall. */
function present(wanted, write = true) {
  if ((document.body.dataset.present === "true") === wanted) return;
  document.body.dataset.present = String(wanted);
  if (write) {
    const address = new URL(location.href);
    if (wanted) address.searchParams.set("present", "true");
    else address.searchParams.delete("present");
    history.replaceState(history.state, "", address);
  }
  for (const root of document.querySelectorAll(".player")) if (root.player?.plot.data) root.player.mount();
}
