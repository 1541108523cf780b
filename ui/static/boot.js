// Starts the program. The files of the page's chunk are fetched at once, before the program itself asks for them: then
// they are in the browser's cache.
import init from "{{JS}}";

const files = "{{FILES}}";
const [, , page = "", id] = location.pathname.split("/");
for (const file of files[id ? `${page}/` : page] ?? [])
  fetch(file).then((answer) => answer.arrayBuffer()).catch(() => {});
init({ module_or_path: "{{WASM}}" });
