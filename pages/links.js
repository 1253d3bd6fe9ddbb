// A click on a link to a term stays in this session instead of loading the app anew; new tabs still work.
export default function () {
  const app = /** @type {HTMLElement} */ (document.querySelector(".stApp"));
  const open = (/** @type {MouseEvent} */ event) => {
    const target = /** @type {Element} */ (event.target);
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a[target='_self'], .contents a"));
    const address = link?.getAttribute("href");
    if (!link || !address || !/^[a-z0-9-]+$/.test(address) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (app.dataset.testConnectionState !== "CONNECTED") return;
    go(app, link.href);
    const inSidebar = link.closest(".contents") && innerWidth < 768; // there it lies over the page
    if (inSidebar) /** @type {HTMLElement | null} */ (document.querySelector("[data-testid=stSidebarCollapseButton] button"))?.click();
  };
  app.addEventListener("click", open);
  unfold(20);
  return () => app.removeEventListener("click", open);
}

/**
 * Streamlit opens what the address names, as it does after Back. (st.switch_page would put an entry without the query
 * before that of the new page, and Back would lose the knobs.) A run that is going on may still write its query, so it
 * ends first.
 * @param {HTMLElement} app
 * @param {string} address
 */
function go(app, address, tries = 30) {
  const busy = /running|rerunRequested/.test(app.dataset.testScriptState ?? "");
  if (busy && tries) {
    setTimeout(go, 30, app, address, tries - 1);
    return;
  }
  const embed = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith("embed"));
  history.pushState({}, "", embed.length ? `${address}?${new URLSearchParams(embed)}` : address);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  document.querySelector(".stMain")?.scrollTo(0, 0);
}

/**
 * In the sidebar, open the lesson of this page and mark the page. The sidebar may still be on its way, or be made anew.
 * @param {number} tries
 */
function unfold(tries) {
  if (tries) setTimeout(() => unfold(tries - 1), 150);
  const contents = /** @type {HTMLElement | null} */ (document.querySelector(".contents"));
  const here = location.pathname.split("/").at(-1);
  if (!contents || contents.dataset.page === here) return;
  contents.dataset.page = here;
  contents.querySelector("[aria-current]")?.removeAttribute("aria-current");
  const link = [...contents.querySelectorAll("a")].find((one) => one.getAttribute("href") === here);
  link?.setAttribute("aria-current", "page");
  link?.closest("details")?.setAttribute("open", "");
}
