/** Where InstantSearch looks, in the API's parameters. */

import { bboxOf, clampLatitude, wrapLongitude } from "../box.js";

type Place = Record<string, number | string>;

/**
 * `aroundLatLng` measures distances and, only with an `aroundRadius` (metres), filters by them.
 *
 * @throws {Error} not a point, a radius or a single box.
 */
export function readPlace(params: Record<string, unknown>): Place {
  const { aroundLatLng, aroundRadius, insideBoundingBox } = params;
  const place: Place = {};
  if (aroundLatLng) {
    const [lat = 0, lon = 0] = numbers("aroundLatLng", aroundLatLng, 2);
    Object.assign(place, { lat: clampLatitude(lat), lon: wrapLongitude(lon) });
    if (aroundRadius !== undefined && aroundRadius !== "all") {
      place["radiusKm"] = (numbers("aroundRadius", aroundRadius, 1)[0] ?? 0) / 1000;
    }
  }
  if (insideBoundingBox && String(insideBoundingBox)) {
    place["bbox"] = readBox(insideBoundingBox);
  }
  return place;
}

/**
 * Two opposite corners, the northern one also the eastern, as maps say it: a box whose north-east
 * lies west of its south-west spans the 180th meridian.
 */
function readBox(value: unknown): string {
  const box = Array.isArray(value) && value.length === 1 ? value[0] : value;
  const [lat1 = 0, lon1 = 0, lat2 = 0, lon2 = 0] = numbers("insideBoundingBox", box, 4);
  const [north, east, south, west] =
    lat1 >= lat2 ? [lat1, lon1, lat2, lon2] : [lat2, lon2, lat1, lon1];
  return bboxOf({ west, south, east, north });
}

function numbers(name: string, value: unknown, count: number): number[] {
  const found = String(value).split(",").map(Number);
  if (found.length !== count || !found.every(Number.isFinite)) {
    throw new Error(`${name} must be ${count} number(s), not ${String(value)}.`);
  }
  return found;
}
