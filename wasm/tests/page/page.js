// What the tests call in the page.
import { Daybook } from "../dist/index.js";

const stores = new Map();

async function answer(store, one) {
  if ("sql" in one) {
    const bytes = await store.export("json", { sql: one.sql, parameters: one.parameters ?? {} });
    return JSON.parse(new TextDecoder().decode(bytes));
  }
  if ("filter" in one) {
    const columns = one.columns ?? ["n"];
    const found = await store.ask({ analysis: "search", filter: one.filter, limit: 1000, columns });
    return found.events.map((event) => event[columns[0]]).filter((n) => typeof n === "number").sort((a, b) => a - b);
  }
  return store.ask(one.analysis);
}

window.daybook = {
  async open(name, place, options) {
    stores.set(name, await Daybook.open(place, options));
    return stores.get(name).about.events;
  },
  async outcomes(name, cases) {
    const outcomes = [];
    for (const one of cases) {
      try {
        outcomes.push({ answer: await answer(stores.get(name), one) });
      } catch ({ kind, message, hint }) {
        outcomes.push({ error: { kind: kind ?? "none", message, hint } });
      }
    }
    return outcomes;
  },
  async count(name, sql) {
    return Number((await stores.get(name).sql(sql)).toArray()[0].n);
  },
  counters: (name) => stores.get(name).counters(),
  close(name) {
    stores.get(name).close();
    stores.delete(name);
  },
};
document.body.dataset.ready = "yes";
