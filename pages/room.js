// On the projector: Page Down and Page Up (what a presenter's remote sends) and the arrows go through the agenda.

const BY = { PageDown: 1, ArrowRight: 1, PageUp: -1, ArrowLeft: -1 };

export default function ({ setTriggerValue }) {
  const press = (event) => {
    const by = BY[event.key];
    if (!by || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable=true], [role=tab], [role=slider]")) return;
    event.preventDefault();
    setTriggerValue("step", by);
  };
  document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
