// The layer goes when the page is drawn: its style, its heading and, on a term, its player are there, no part is still on
// its way, and nothing has moved for a moment. An error lies on the page, so it goes then, too, and after 15 s at the
// latest, unless there is nothing at all below it.
(() => {
  const layer = document.getElementById("first-paint");
  const until = performance.now() + 15000;
  const hasPlayer = "player" in layer.dataset;
  const still = hasPlayer ? 100 : 300; // ms
  let height = 0, since = 0;
  const isDrawn = () => {
    const app = document.querySelector(".stApp");
    if (!app) return false;
    const has = (selector) => app.querySelector(selector) !== null;
    if (performance.now() > until || has(".stAlert, .stException, [role=dialog]")) return true;
    if (!has("[data-testid=stHtml] > style")) return false;
    if (layer.className !== "embedded" && !has(".stMain h1")) return false;
    if (hasPlayer && !has(".player[data-drawn]")) return false;
    const now = app.querySelector(".stMainBlockContainer").scrollHeight;
    const isRunning = !hasPlayer && app.dataset.testScriptState !== "notRunning"; // a player may be sent more for long
    if (now !== height || isRunning || has(".stMain [data-testid=stSkeleton]")) [height, since] = [now, performance.now()];
    return performance.now() - since > still;
  };
  const look = () => (isDrawn() ? layer.remove() : setTimeout(look, 50));
  look();
})();
