// Keys that work anywhere outside of inputs. A switch turns them off (WCAG 2.1.4), and the browser remembers that.

const PLACE = "trainable-glossary-keys";
const PLAYER = [" ", "ArrowLeft", "ArrowRight", "Home", "End"];

/** @param {Component} component */
export default function ({ parentElement, setTriggerValue }) {
  const help = /** @type {HTMLButtonElement} */ (parentElement.querySelector(".keys-help"));
  const list = /** @type {HTMLElement} */ (parentElement.querySelector(".keys-list"));
  const on = /** @type {HTMLInputElement} */ (parentElement.querySelector(".keys-on"));
  on.checked = kept() !== "off";
  on.onchange = () => keep(on.checked ? "on" : "off");
  help.onclick = () => fold(list.hidden);
  const fold = (/** @type {boolean} */ open) => {
    list.hidden = !open;
    help.setAttribute("aria-expanded", String(open));
  };
  const code = () => setTriggerValue("code", location.href);
  const press = (/** @type {KeyboardEvent} */ event) => {
    if (!on.checked || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(/** @type {Element} */ (event.target))) return;
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

/** @param {"on" | "off"} value */
function keep(value) {
  try {
    localStorage.setItem(PLACE, value);
  } catch {
    // a browser that keeps nothing: the switch holds for this page
  }
}

/** Where a key is meant for what has the focus. @param {Element} target */
function isTyping(target) {
  return Boolean(target.closest("input, textarea, select, button, a, summary, [contenteditable=true], [role=slider], [role=tab], .player, .pad"));
}

/** @param {KeyboardEvent} event */
function play(event) {
  const player = /** @type {any} */ (document.querySelector(".player"))?.player;
  if (!player) return;
  player.key({ key: event.key, target: document.body, preventDefault: () => event.preventDefault() });
}

/**
 * Large, and nothing but the term, the picture and the question: for the last row of a lecture hall.
 * @param {boolean} wanted
 */
function present(wanted, write = true) {
  if ((document.body.dataset.present === "true") === wanted) return;
  document.body.dataset.present = String(wanted);
  if (write) {
    const address = new URL(location.href);
    if (wanted) address.searchParams.set("present", "true");
    else address.searchParams.delete("present");
    history.replaceState(history.state, "", address);
  }
  for (const root of /** @type {NodeListOf<any>} */ (document.querySelectorAll(".player"))) if (root.player?.plot.data) root.player.mount();
}
