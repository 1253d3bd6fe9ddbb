// Reads a lesson's file in the browser: nothing is uploaded but its text.

const MOST = 200_000; // bytes

export default function ({ parentElement, setTriggerValue }) {
  const input = parentElement.querySelector("input");
  input.onchange = async () => {
    const file = input.files[0];
    if (file && file.size <= MOST) setTriggerValue("text", await file.text());
    input.value = "";
  };
}
