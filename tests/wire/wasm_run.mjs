// `node wasm_run.mjs PACKAGE HEAP_BYTES ROOT SCRIPT [ARGUMENT]...`: run a script in a MicroPython of
// 32 bits. ROOT's .py and .mpy files lie at /root there, on sys.path; arguments that are files at
// /arguments.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [place, heapBytes, root, script, ...given] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(path.join(place, "micropython.mjs")));
const python = await loadMicroPython({
  heapsize: Number(heapBytes),
  stdout: (line) => console.log(line),
  linebuffer: true,
});

function copy(from, to) {
  python.FS.mkdirTree(to);
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    if (entry.isDirectory()) copy(source, `${to}/${entry.name}`);
    else if (/\.(py|mpy|json)$/.test(entry.name)) {
      python.FS.writeFile(`${to}/${entry.name}`, fs.readFileSync(source));
    }
  }
}

copy(root, "/root");
for (const folder of ["/arguments", "/scratch"]) python.FS.mkdirTree(folder);
const names = given.map((one) => {
  if (!fs.existsSync(one) || !fs.statSync(one).isFile()) return one;
  const name = `/arguments/${path.basename(one)}`;
  python.FS.writeFile(name, fs.readFileSync(one));
  return name;
});
python.FS.writeFile("/script.py", fs.readFileSync(script));
python.runPython(`
import sys
sys.path[:] = ["/root"]
sys.argv[:] = ["/script.py"] + ${JSON.stringify(names)}
exec(open("/script.py").read(), {"__name__": "__main__"})
`);
