// A file that the reader chooses, as text: read in the browser, since the server takes no uploads.

const MOST = 1_000_000; // bytes, as practice/record.py has it

export default function ({ parentElement, setStateValue }) {
  const file = parentElement.querySelector("input");
  parentElement.querySelector("button").onclick = () => file.click();
  file.onchange = async () => {
    const chosen = file.files[0];
    if (!chosen) return;
    setStateValue("text", chosen.size > MOST ? "" : `${Date.now()} ${await chosen.text()}`); // a time: the same file counts twice
    file.value = "";
  };
}
