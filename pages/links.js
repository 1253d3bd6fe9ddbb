// A click on a link to a page of the app stays in this session instead of loading the app anew; new tabs still work.

const LAST = "trainable-glossary-last"; // {page, name} of the term that was opened last; playgrounds/stage/progress.js shows it
const ABOUT = "about-this-glossary";

export default function ({ data, setStateValue }) {
  sit(data, setStateValue);
  const app = document.querySelector(".stApp");
  const open = (event) => {
    const link = event.target.closest("a[target='_self'], .inside a");
    const address = link?.getAttribute("href");
    const [, page, query] = /^([a-z0-9-]+)(?:\?([^#]*))?$/.exec(address ?? "") ?? [];
    if (!page || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (app.dataset.testConnectionState !== "CONNECTED") return;
    // That page says how to report a mistake: in the page from which the reader comes.
    const from = page === ABOUT && here() !== ABOUT ? { from: here() + location.search } : {};
    go(app, page, { ...Object.fromEntries(new URLSearchParams(query)), ...from });
    const inSidebar = link.closest(".stSidebar") && innerWidth < 768; // there it lies over the page
    if (inSidebar) document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  };
  app.addEventListener("click", open);
  document.addEventListener("keydown", openBest);
  document.addEventListener("glossary-progress", mark);
  whenThere(20);
  return () => {
    app.removeEventListener("click", open);
    document.removeEventListener("keydown", openBest);
    document.removeEventListener("glossary-progress", mark);
  };
}

const here = () => location.pathname.split("/").at(-1);

// Streamlit opens what the address names, as it does after Back. (st.switch_page would put an entry without the query
// before that of the new page, and Back would lose the knobs.) A run that is going on may still write its query, so it
// ends first.
function go(app, address, query, tries = 200) {
  const busy = /running|rerunRequested/.test(app.dataset.testScriptState);
  if (busy && tries) return setTimeout(go, 30, app, address, query, tries - 1);
  const embed = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith("embed"));
  const all = new URLSearchParams([...Object.entries(query), ...embed]).toString();
  history.pushState({}, "", all ? `${address}?${all}` : address);
  dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  document.querySelector(".stMain")?.scrollTo(0, 0);
}

// The sidebar may still be on its way, or be made anew.
function whenThere(tries) {
  if (tries) setTimeout(() => whenThere(tries - 1), 150);
  const contents = document.querySelector(".contents");
  if (!contents || contents.dataset.page === here()) return;
  contents.dataset.page = here();
  unfold(contents);
  mark();
}

// In the sidebar, open the lesson of this page and mark the page; if it is a term, the browser remembers it as the last.
function unfold(contents) {
  contents.querySelector("[aria-current]")?.removeAttribute("aria-current");
  const link = [...contents.querySelectorAll("a")].find((one) => one.getAttribute("href") === here());
  link?.setAttribute("aria-current", "page");
  link?.closest("details")?.setAttribute("open", "");
  if (!link?.dataset.of) return;
  try {
    localStorage.setItem(LAST, JSON.stringify({ page: here(), name: link.textContent }));
  } catch {
    // a browser that keeps nothing: home offers the first term
  }
}
