import type { Events } from "../data/events.ts";

export function OverviewTab({ events }: { events: Events }) {
  return <p>{events.title}</p>;
}
