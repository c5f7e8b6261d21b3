import { useEffect, useRef } from "preact/hooks";
import type { Offer } from "./completion.ts";

/** What may stand at the caret. */
export function Offers({ offers, chosen, take }: { offers: Offer[]; chosen: number; take: (offer: Offer) => void }) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => list.current?.children[chosen]?.scrollIntoView({ block: "nearest" }), [chosen]);
  return (
    <ul class="offers" id="offers" role="listbox" aria-label="Completions" ref={list}>
      {offers.map((offer, at) => (
        <li
          key={offer.text} id={`offer-${at}`} role="option" aria-selected={at === chosen}
          onMouseDown={(event) => (event.preventDefault(), take(offer))}
        >
          <span class="mono">{offer.text}</span>
          <span class="note">{offer.note}</span>
        </li>
      ))}
    </ul>
  );
}
