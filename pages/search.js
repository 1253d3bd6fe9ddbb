// Enter in a search box opens the best hit, once the hits are those of what stands in the box.

const PATIENCE = 200; // looks for them, 50 ms apart: a server may be busy

function openBest(event) {
  const box = event.target.closest?.("input[type=search]");
  const text = box?.value.trim();
  if (event.key !== "Enter" || event.isComposing || !text) return;
  const part = box.closest(".stSidebar, .stMain");
  const look = (tries) => {
    if (box.value.trim() !== text) return; // more was typed
    const hits = part.querySelector(".hits");
    if (hits?.dataset.for === text) hits.querySelector("a")?.click();
    else if (tries) setTimeout(look, 50, tries - 1);
  };
  look(PATIENCE);
}
