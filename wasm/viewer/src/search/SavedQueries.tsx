import { useState } from "preact/hooks";
import { Icon } from "../app/Icon.tsx";
import { Menu } from "../app/Menu.tsx";
import { addressOf } from "../state/address.ts";
import { view } from "../state/page.ts";
import { forget, isKept, save, saved } from "../state/saved.ts";

/** Queries with names, which the browser keeps. */
export function SavedQueries() {
  return (
    <Menu label="Saved" class="saved right">
      {(close) => (
        <div class="savedlist">
          <SaveForm />
          {saved.value.length === 0 && <p class="quiet">Nothing is saved yet. What is saved stays in this browser.</p>}
          <ul>
            {saved.value.map(({ name, address }) => (
              <li key={name}>
                <a href={address} onClick={close}>{name}</a>
                <button type="button" class="icon" aria-label={`Forget ${name}`} onClick={() => forget(name)}><Icon name="close" /></button>
              </li>
            ))}
          </ul>
          {!isKept.value && <p class="fault" role="status">The browser keeps nothing for this page: what is saved is gone when it closes.</p>}
        </div>
      )}
    </Menu>
  );
}

function SaveForm() {
  const [name, setName] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    if (name.trim() === "") return;
    save(name.trim(), addressOf(view.value));
    setName("");
  };
  return (
    <form class="row" onSubmit={submit}>
      <input type="text" placeholder="Name" aria-label="Name of the query" maxLength={80} value={name} onInput={(event) => setName(event.currentTarget.value)} />
      <button type="submit" disabled={name.trim() === ""}>Save this view</button>
    </form>
  );
}
