import type { Events } from "../data/events.ts";

export function PatternsTab({ events }: { events: Events }) {
  return <p>{events.title}</p>;
}
