/** The package as it is published: what `npm run build` has made, loaded and typed by old and new. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "..");
let app: string;

beforeAll(async () => {
  app = await mkdtemp(join(tmpdir(), "island-rides-"));
  const client = join(app, "node_modules/@island-rides/client");
  await mkdir(client, { recursive: true });
  const packed = await run("npm", ["pack", "--pack-destination", app], { cwd: root });
  const file = join(app, packed.stdout.trim().split("\n").at(-1) ?? "");
  await run("tar", ["-xzf", file, "--strip-components=1", "-C", client]);
  await symlink(join(root, "node_modules/openapi-fetch"), join(app, "node_modules/openapi-fetch"));
}, 60_000);

afterAll(() => rm(app, { recursive: true }));

const loads = [
  ["app.mjs", 'import * as client from "C"; import * as adapter from "C/instantsearch";'],
  ["app.cjs", 'const client = require("C"), adapter = require("C/instantsearch");'],
] as const;

test.each(loads)("%s loads it", async (name, source) => {
  const use = "adapter.createSearchClient(new client.Rides({ baseUrl: 'http://x' }))";
  const text = `${source.replaceAll('"C', '"@island-rides/client')} console.log(typeof ${use});`;
  await writeFile(join(app, name), text);
  const { stdout } = await run(process.execPath, [join(app, name)]);
  expect(stdout).toBe("object\n");
});

test("who knows no exports finds it by main, and its folder", () => {
  const require = createRequire(join(app, "app.cjs"));
  const folder = join(app, "node_modules/@island-rides/client");
  expect(require(folder)).toHaveProperty("Rides");
  expect(require(join(folder, "instantsearch"))).toHaveProperty("createSearchClient");
  expect(require("@island-rides/client/package.json")).toHaveProperty("name");
});

test.each([
  ["app.cts", "node16", "node16"],
  ["app.mts", "node16", "node16"],
  ["app.cts", "commonjs", "node10"],
])(
  "%s is typed in module %s with moduleResolution %s",
  async (name, module, resolution) => {
    const source = `
    import { Rides, type Vehicle } from "@island-rides/client";
    import { createSearchClient, type VehicleHit } from "@island-rides/client/instantsearch";
    const rides = new Rides({ baseUrl: "" });
    createSearchClient(rides);
    export const first: Promise<Vehicle | undefined> = rides.search().then(({ items }) => items[0]);
    // @ts-expect-error: a title is text, and nothing is any.
    export const wrong = (hit: VehicleHit): number => hit.title;`;
    await writeFile(join(app, name), source);
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const flags = `--strict --noEmit --target es2022 --lib es2022,dom --module ${module}`.split(
      " ",
    );
    const command = [tsc, ...flags, "--moduleResolution", resolution, name];
    const said = await run(process.execPath, command, { cwd: app }).catch((error) => error);
    expect(said.stdout).toBe("");
  },
  60_000,
);
