// Opens one part of the sheet at a time; the page's styles do the rest. A second press closes it.

/** @param {Component} component */
export default function ({ parentElement }) {
  const buttons = [...parentElement.querySelectorAll("button")];
  const body = document.body;
  for (const one of buttons) one.hidden = !document.querySelector(`.st-key-rail-${one.dataset.part}`);
  const dress = () => buttons.forEach((one) => one.setAttribute("aria-expanded", String(body.dataset.sheet === one.dataset.part)));
  for (const one of buttons)
    one.onclick = () => {
      body.dataset.sheet = body.dataset.sheet === one.dataset.part ? "" : one.dataset.part;
      if (body.dataset.sheet) document.querySelector(".stMain")?.scrollTo({ top: 0 });
      dress();
    };
  body.dataset.sheet ??= "";
  dress();
  return () => (body.dataset.sheet = "");
}
