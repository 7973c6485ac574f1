/** A search screen in InstantSearch.js: `rides demo`, then `npm run example`. */

import "instantsearch.css/themes/satellite-min.css";
import "./style.css";
import instantsearch from "instantsearch.js";
import {
  configure,
  currentRefinements,
  infiniteHits,
  queryRuleCustomData,
  rangeInput,
  refinementList,
  searchBox,
  sortBy,
  stats,
} from "instantsearch.js/es/widgets";
import { Rides } from "../src/index.js";
import {
  apiParameters,
  createSearchClient,
  type PageNotes,
  type VehicleHit,
} from "../src/instantsearch/index.js";

// Vite passes what begins with /v1 on to the API, so that the page needs no CORS.
const rides = new Rides({ baseUrl: "" });

const search = instantsearch({
  indexName: "vehicles",
  searchClient: createSearchClient(rides, { units: { price: 100 } }),
  routing: true,
});

const facet = { limit: 6, showMore: true };
const money = (cents: number, currency: string) =>
  new Intl.NumberFormat("en", { style: "currency", currency }).format(cents / 100);

search.addWidgets([
  searchBox({ container: "#search", placeholder: "7 seater under $80 near Hilo next weekend" }),
  rangeInput({ container: "#price", attribute: "price" }),
  refinementList({ container: "#make", attribute: "make", searchable: true, ...facet }),
  refinementList({ container: "#body", attribute: "body", ...facet }),
  refinementList({ container: "#fuel", attribute: "fuel", ...facet }),
  refinementList({ container: "#features", attribute: "features", operator: "and", ...facet }),
  stats({ container: "#stats" }),
  sortBy({
    container: "#sort",
    items: [
      { label: "Best first", value: "vehicles" },
      { label: "Cheapest first", value: "vehicles_price_asc" },
      { label: "Best rated first", value: "vehicles_rating" },
      { label: "Newest first", value: "vehicles_newest" },
    ],
  }),
  currentRefinements({ container: "#refinements" }),
  queryRuleCustomData({
    container: "#notes",
    templates: {
      default: ({ items }: { items: PageNotes[] }, { html }) =>
        html`${items[0]?.understood
          .filter(({ applied }) => applied)
          .map(({ words, kind }) => html`<span class="chip">${kind}: <b>${words}</b></span>`)}`,
    },
  }),
  infiniteHits<VehicleHit>({
    container: "#hits",
    templates: {
      empty: "No vehicle has all of this: take a filter away.",
      item: (hit, { html, components }) => html`
        <article>
          ${
            hit.photoUrl
              ? html`<img src=${hit.photoUrl} alt="" loading="lazy" />`
              : html`<div class="photo">${hit.make}</div>`
          }
          <h3>${components.Highlight({ attribute: "title", hit })}</h3>
          <p>${[hit.location.city, hit.location.region].filter(Boolean).join(", ")}</p>
          <p>${[hit.body, hit.fuel, hit.seats && `${hit.seats} seats`].filter(Boolean).join(" · ")}</p>
          <footer>
            <b>${money(hit.dailyRate, hit.currency)}</b> a day
            ${hit.total && html`<span>${money(hit.total, hit.currency)} in all</span>`}
            ${hit.rating && html`<span>★ ${hit.rating} (${hit.reviewCount})</span>`}
          </footer>
        </article>
      `,
    },
  }),
]);

let dates = configure({});
search.addWidgets([dates]);
document.querySelector("#dates")?.addEventListener("change", (event) => {
  const form = new FormData((event.target as HTMLInputElement).form ?? undefined);
  const [start, end] = [String(form.get("start")), String(form.get("end"))];
  search.removeWidgets([dates]);
  dates = configure(start && end ? apiParameters({ start, end }) : {});
  search.addWidgets([dates]);
  // Other dates are another search: without this, InstantSearch stays on the page it was on.
  search.mainIndex.setIndexUiState((state) => ({ ...state, page: undefined }));
});

search.on("error", ({ error }: { error: Error }) => {
  const notes = document.querySelector("#notes");
  if (notes) {
    notes.textContent = error.message;
  }
});

search.start();
