export { type Bounds, bboxOf } from "./box.js";
export {
  type CallOptions,
  type Clusters,
  type ClustersParameters,
  type FacetValues,
  type FacetValuesParameters,
  Rides,
  type RidesOptions,
  type SearchPage,
  type SearchParameters,
  type Suggestions,
  type Vehicle,
} from "./client.js";
export type { components, operations, paths } from "./generated/schema.js";
export { type HighlightedPart, highlightedParts } from "./highlighted.js";
export { answered, type Problem, ProblemError } from "./problem.js";
