import { render } from "preact";
import { App } from "./app/App.tsx";
import { followAddress } from "./state/page.ts";
import { applyPreferences } from "./state/preferences.ts";
import "./style/main.css";

applyPreferences();
followAddress();
const root = document.getElementById("app")!;
root.replaceChildren();
render(<App />, root);
