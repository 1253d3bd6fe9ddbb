// What the page does when the connection to the server is lost and found again.
//
// Streamlit connects again by itself. But a server that has forgotten the session (restarted, or alone for longer than
// disconnectedSessionTTL) knows no fragment of the page, and every control would be dead. So the page asks for a full run.

const LOST = "No connection to the server. What is computed still plays; the page goes on by itself when the server answers.";
const LOOK = 1000; // ms between two looks whether the server answers
const GRACE = 4000; // ms for Streamlit to notice; left alone it may wait up to a minute between two attempts

/** @param {Component} component */
export default function ({ parentElement, setTriggerValue }) {
  const app = /** @type {HTMLElement} */ (document.querySelector(".stApp"));
  const said = /** @type {HTMLElement} */ (parentElement.querySelector(".connection"));
  const connected = () => app.dataset.testConnectionState === "CONNECTED";
  let lost = false;
  const changed = () => {
    if (lost === !connected()) return;
    lost = !lost;
    said.textContent = lost ? LOST : "";
    if (lost) look(() => lost);
    else {
      app.inert = true; // what is pressed before the page is known to the server would be lost half: seen, and not done
      setTriggerValue("found", Date.now());
      setTimeout(rested, 500, app, 25);
    }
  };
  const state = new MutationObserver(changed);
  state.observe(app, { attributeFilter: ["data-test-connection-state"] });
  const dialogs = new MutationObserver(() => lost && dismiss());
  dialogs.observe(document.body, { childList: true });
  return () => {
    lost = false;
    state.disconnect();
    dialogs.disconnect();
  };
}

/**
 * @param {HTMLElement} app
 * @param {number} tries
 */
function rested(app, tries) {
  if (tries && app.dataset.testScriptState !== "notRunning") setTimeout(rested, 100, app, tries - 1);
  else app.inert = false;
}

/** Close Streamlit's dialog: it speaks to whoever started the server, and covers a player that could play on. */
function dismiss() {
  const dialog = document.querySelector(".stDialog");
  if (!dialog?.textContent?.includes("Connection error")) return;
  /** @type {HTMLElement | null} */ (dialog.querySelector("button[aria-label=Close]"))?.click();
}

/**
 * Load the page anew when the server has answered for a while and Streamlit has not noticed. A film may end first.
 * @param {() => boolean} isLost
 */
async function look(isLost, since = 0) {
  if (!isLost()) return;
  const found = !document.hidden && (await answers());
  if (!found) since = 0;
  else if (!since) since = Date.now();
  const late = since && Date.now() - since > GRACE;
  if (isLost() && late && !document.querySelector(".player-play.playing")) location.reload();
  else setTimeout(() => look(isLost, since), LOOK);
}

function answers() {
  return fetch("_stcore/health", { cache: "no-store", signal: AbortSignal.timeout(3000) })
    .then((response) => response.ok)
    .catch(() => false);
}
