// What the browser keeps of a live room: the seat (the teacher's key or a member's token), and an agenda that is being
// made. Whoever has neither sends nothing to the server.

const ROOM = "trainable-glossary-room";
const AGAIN = 1500; // ms after which a server that has not answered is told once more: it may just have been started
const TRIES = 20;

let telling = 0;

/** What the server wants kept is stored, "" is forgotten; a server that knows of nothing is told what is kept. */
function sit(wanted, tell, tries = TRIES) {
  clearTimeout(telling);
  try {
    const kept = JSON.parse(localStorage.getItem(ROOM) ?? "{}") ?? {};
    if (!wanted) {
      if (!tries || !(kept.seat || kept.draft)) return;
      tell("kept", { ...kept, tries }); // a value like the last one would not be sent
      telling = setTimeout(sit, AGAIN, wanted, tell, tries - 1);
      return;
    }
    const all = Object.entries({ ...kept, ...wanted }).filter(([, value]) => value);
    if (all.length) localStorage.setItem(ROOM, JSON.stringify(Object.fromEntries(all)));
    else localStorage.removeItem(ROOM);
  } catch {
    // a browser that keeps nothing: the seat holds for this page, and is lost by a reload
  }
}
