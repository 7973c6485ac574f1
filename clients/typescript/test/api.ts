/**
 * The API that `tests/clients/test_typescript.py` serves: 130 vehicles, 26 each of Jeep Wrangler,
 * Toyota RAV4, Toyota Tacoma, Ford Mustang and Tesla Model 3, half of each in Hilo and half in
 * Kailua-Kona, from 40.00 to 169.00 USD a day, each another price.
 */

import { Rides, type RidesOptions } from "../src/index.js";

export const VEHICLES = 130;
export const OF_A_MODEL = 26;

function variable(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run \`pytest tests/clients\`, which serves the API.`);
  }
  return value;
}

export const baseUrl = variable("RIDES_API");
export const token = variable("RIDES_TOKEN");

/** A client, and the addresses that it has asked. */
export function recorded(options: Partial<RidesOptions> = {}): { rides: Rides; asked: URL[] } {
  const asked: URL[] = [];
  const rides = new Rides({
    baseUrl,
    ...options,
    fetch: (request) => {
      asked.push(new URL(request.url));
      return fetch(request);
    },
  });
  return { rides, asked };
}

/** Days from now as the API writes them. */
export function day(from: number): string {
  return new Date(Date.now() + from * 86_400_000).toISOString().slice(0, 10);
}
