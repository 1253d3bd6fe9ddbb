// The layer goes when the page is drawn: its style, its heading and, on a term, its player; elsewhere nothing has moved
// for a while then. An error lies on the page, so it goes then, too, and after 15 s at the latest, unless there is
// nothing at all below it.
(() => {
  const layer = document.getElementById("first-paint");
  const until = performance.now() + 15000;
  const still = 300; // ms
  let height = 0, since = 0;
  const isDrawn = () => {
    const app = document.querySelector(".stApp");
    if (!app) return false;
    if (performance.now() > until || app.querySelector(".stAlert, .stException, [role=dialog]")) return true;
    if (!app.querySelector("[data-testid=stHtml] > style")) return false;
    if (layer.className !== "embedded" && !app.querySelector(".stMain h1")) return false;
    if ("player" in layer.dataset) return app.querySelector(".player[data-drawn]");
    const now = app.querySelector(".stMainBlockContainer").scrollHeight;
    if (now !== height || app.dataset.testScriptState !== "notRunning") [height, since] = [now, performance.now()];
    return performance.now() - since > still;
  };
  const look = () => (isDrawn() ? layer.remove() : setTimeout(look, 50));
  look();
})();
