// The package is of modules; this says that dist/cjs is not.

import { writeFile } from "node:fs/promises";

const file = new URL("../dist/cjs/package.json", import.meta.url);
await writeFile(file, `${JSON.stringify({ type: "commonjs" })}\n`);
