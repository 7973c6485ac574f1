// What the API's contract (openapi.json) says, as TypeScript: types for the compiler, and the
// little of it that the InstantSearch adapter has to know at run time.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const root = new URL("..", import.meta.url);
const contract = JSON.parse(await readFile(new URL("openapi.json", root), "utf8"));
const header = "// Generated from openapi.json by `npm run generate`: do not edit.\n\n";

// A default in an answer means that the field may be missing.
const types = await openapiTS(contract, { defaultNonNullable: false });

const search = parametersOf("/v1/search/vehicles");
const constants = {
  /** Parameters of a search, by what they take. */
  PARAMETERS: Object.fromEntries(search.map(({ name, schema }) => [name, kind(schema)])),
  /** Facets that a search counts. */
  FACETS: schemaOf(search, "facets").items.enum.filter((facet) => facet !== "none"),
  /** Facets in which values can be searched. */
  SEARCHABLE_FACETS: schemaOf(parametersOf("/v1/search/facet-values"), "facet").enum,
  /** Orders of a search; the first is the default. */
  SORTS: schemaOf(search, "sort").enum,
};

const folder = new URL("src/generated/", root);
await mkdir(folder, { recursive: true });
await writeFile(new URL("schema.ts", folder), header + astToString(types));
await writeFile(
  new URL("parameters.ts", folder),
  header +
    Object.entries(constants)
      .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)} as const;\n`)
      .join(""),
);

function parametersOf(path) {
  return contract.paths[path].get.parameters;
}

function schemaOf(parameters, name) {
  return parameters.find((parameter) => parameter.name === name).schema;
}

/** A repeatable parameter is "any", "all" (of the values must match) or just a "list". */
function kind(schema) {
  return schema.type === "array" ? (schema["x-match"] ?? "list") : schema.type;
}
