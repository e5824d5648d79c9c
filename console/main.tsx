import { render } from "preact";
import { App } from "./app.tsx";
import { followFragment } from "./route.ts";
import { followTheme } from "./frame/theme.ts";
import { followActivity } from "./frame/awake.ts";

const root = document.querySelector("#app");
if (root === null) throw new Error("page.html has no element #app");
followTheme();
followActivity();
followFragment();
render(<App />, root);
