/** Where on Earth a map looks. */

/** The edges of a map, in degrees, as map libraries give them. */
export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

/**
 * The parameter `bbox` of a search or of `clusters`. A map that was panned round the world, or
 * shows more than all of it, has edges beyond 180 and 90 degrees, which the API does not take.
 */
export function bboxOf({ west, south, east, north }: Bounds): string {
  const [left, right] =
    east - west >= 360 ? [-180, 180] : [wrapLongitude(west), wrapLongitude(east)];
  return [left, clampLatitude(south), right, clampLatitude(north)].join(",");
}

export function wrapLongitude(degrees: number): number {
  // What is in range stays exactly what it is.
  return Math.abs(degrees) <= 180 ? degrees : degrees - 360 * Math.round(degrees / 360);
}

export function clampLatitude(degrees: number): number {
  return Math.max(-90, Math.min(90, degrees));
}
