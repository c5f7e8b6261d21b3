// What the tests call in the page.
import { Daybook } from "../dist/index.js";
import { answer } from "./answer.mjs";

/** Stores by their names, which go with the page. */
const stores = {};

/** What a call gives, or the error in a form that crosses to the test. */
async function outcome(call) {
  try {
    return { answer: await call() };
  } catch ({ name, kind, message, hint }) {
    return { error: { name, kind: kind ?? "none", message, hint } };
  }
}

window.Daybook = Daybook;
window.stores = stores;
window.outcome = outcome;
window.daybook = {
  async open(name, place, options) {
    stores[name] = await Daybook.open(place, options);
    return stores[name].about.events;
  },
  opened: (place, options) => outcome(async () => (await Daybook.open(place, options)).about.events),
  async outcomes(name, cases) {
    const outcomes = [];
    for (const one of cases) outcomes.push(await outcome(() => answer(stores[name], one)));
    return outcomes;
  },
  count: async (name, sql) => Number((await stores[name].sql(sql)).toArray()[0].n),
  counted: (name, sql) => outcome(() => window.daybook.count(name, sql)),
  counters: (name) => stores[name].counters(),
};
document.body.dataset.ready = "yes";
