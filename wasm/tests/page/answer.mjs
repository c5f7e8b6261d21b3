// What cases of the conformance folder ask, in Node and in the page.

/** What a case gives. */
export async function answer(store, one) {
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
