import type { Events } from "../data/events.ts";

export function SqlTab({ events }: { events: Events }) {
  return <p>{events.title}</p>;
}
