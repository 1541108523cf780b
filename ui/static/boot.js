// Starts the program. The files of the page's own part are asked for at once, not only when the program knows that it
// needs them: then they are in the browser's cache.
import init from "{{JS}}";

const files = "{{FILES}}";
const [, , page = "", id] = location.pathname.split("/");
for (const file of files[id ? `${page}/` : page] ?? [])
  fetch(file).then((answer) => answer.arrayBuffer()).catch(() => {});
init({ module_or_path: "{{WASM}}" });
