import type { Daybook } from "@daybook/web";

/** Rows as Arrow has them; the page reads of it what it shows. */
export type Table = Awaited<ReturnType<Daybook["sql"]>>;
