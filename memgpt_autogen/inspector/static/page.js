// Brings the page up to date while the agent runs. Without it every page works as well.
"use strict";
const main = document.querySelector("main");
const live = document.getElementById("live");

const editing = () => [...main.querySelectorAll("textarea, input:not([type=hidden])")]
  .some((field) => field === document.activeElement || (field.defaultValue !== undefined
    && field.type !== "radio" && field.value !== field.defaultValue));

async function refresh() {
  if (editing()) {
    live.textContent = "The memory has changed. Load the page anew to see it.";
    return;
  }
  const open = new Set([...main.querySelectorAll("details[open][id]")].map((one) => one.id));
  const address = new URL(location.href);
  address.searchParams.delete("notice");
  const answer = await fetch(address, { credentials: "omit" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("main");
  for (const one of fresh.querySelectorAll("details[id]")) if (open.has(one.id)) one.open = true;
  main.replaceChildren(...fresh.childNodes);
  live.textContent = `Updated ${new Date().toLocaleTimeString()}`;
}

if (document.body.dataset.events) {
  const events = new EventSource(document.body.dataset.events);
  events.addEventListener("open", () => { live.textContent = "Live"; });
  events.addEventListener("changed", refresh);
  events.addEventListener("error", () => { live.textContent = "Not connected"; });
  addEventListener("pagehide", () => events.close());
}
