declare const __PALETTE__: any; // put in by playgrounds/player/assemble.py
declare const __SERIES__: string[]; // put in by playgrounds/stage/pad.py

/** What Streamlit calls a component's default export with. */
interface Component<Data = any> {
  parentElement: HTMLElement;
  data: Data;
  setStateValue: (name: string, value: unknown) => void;
  setTriggerValue: (name: string, value: unknown) => void;
}

interface Window {
  glossaryTold?: Record<string, string>; // what progress.js has told the server, by page
}
