import type { Events } from "../data/events.ts";

export function AuditTab({ events }: { events: Events }) {
  return <p>{events.title}</p>;
}
