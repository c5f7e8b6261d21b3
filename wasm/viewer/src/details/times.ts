/** When events that were seen happened: with it an event is found without looking through all files. */
const times = new Map<string, bigint>();
const KEPT = 1000;

export function remember(seq: string, micros: bigint): void {
  if (times.size >= KEPT) times.clear();
  times.set(seq, micros);
}

export function timeOf(seq: string): bigint | undefined {
  return times.get(seq);
}
