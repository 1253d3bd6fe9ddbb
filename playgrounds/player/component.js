// The player as a Streamlit component: called for every message, and after a change of theme.

import { Player } from "./player.js";

/** @param {any} component */
export default function (component) {
  const root = component.parentElement.querySelector(".player");
  root.player ??= new Player(root); // it outlives the call
  root.player.report = (/** @type {any} */ report) => component.setStateValue("report", report);
  root.player.take(component.data);
}
