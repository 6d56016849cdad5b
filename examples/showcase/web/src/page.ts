// This file builds the page: a table of the parts of each response that the script can read, and its controls.

import { type Protocol, type Result, kinds, protocols, run } from "./calls";

interface Config {
  /** The URL of the service on connect-go. */
  api: string;
  /** The URL of the service on grpc-go. */
  grpc: string;
  /** The page's origin that the policy allows. */
  allowed: string;
  /** The page's origin that the policy refuses. */
  refused: string;
}

const config = (await (await fetch("/config.json")).json()) as Config;
const preflights = async () => ((await (await fetch("/preflights")).json()) as { count: number }).count;

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const button = byId<HTMLButtonElement>("call");
const credentials = byId<HTMLInputElement>("credentials");
const server = byId<HTMLSelectElement>("server");
const status = byId("status");
const rows = byId("rows");

byId("here").textContent = location.origin;
const refused = location.origin === config.refused;
const other = byId<HTMLAnchorElement>("other");
other.href = refused ? config.allowed : config.refused;
other.textContent = refused ? "Open this page on the allowed origin" : "Open this page on a refused origin";

const words: Record<Result["outcome"], string> = {
  readable: "✓ all readable",
  incomplete: "✗ partly readable",
  blocked: "✗ blocked",
  impossible: "– not in a browser",
};

function element(name: string, text: string, className?: string): HTMLElement {
  const e = document.createElement(name);
  e.textContent = text;
  if (className) {
    e.className = className;
  }
  return e;
}

function cell(protocol: Protocol, result: Result): HTMLElement {
  const td = document.createElement("td");
  td.dataset.protocol = `${protocol.client}: ${protocol.name}`;
  td.dataset.outcome = result.outcome;
  td.append(element("p", words[result.outcome], `outcome ${result.outcome}`));
  if (result.cause) {
    td.append(element("p", result.cause, "cause"));
  }
  if (result.outcome !== "impossible") {
    const n = result.preflights;
    td.append(element("p", n === 1 ? "1 preflight" : `${n} preflights`, "preflights"));
  }
  if (result.items.length > 0) {
    const details = document.createElement("details");
    details.append(element("summary", `${result.items.filter((i) => i.value !== undefined).length} of ${result.items.length} parts`));
    const list = document.createElement("dl");
    for (const i of result.items) {
      list.append(element("dt", `${i.value === undefined ? "✗" : "✓"} ${i.name}`), element("dd", i.value ?? "not readable"));
    }
    details.append(list);
    td.append(details);
  }
  return td;
}

async function callAll(): Promise<void> {
  button.disabled = true;
  server.disabled = true;
  rows.replaceChildren();
  const onGRPC = server.value === "grpc-go";
  const address = onGRPC ? config.grpc : config.api;
  const columns = protocols(address, !onGRPC, credentials.checked);
  byId("api").textContent = address;
  byId("columns").replaceChildren(
    element("th", "Method"),
    ...columns.map((c) => {
      const th = element("th", c.name);
      th.append(element("span", c.client));
      return th;
    }),
  );
  status.textContent = "Calling …";
  let readable = 0;
  let possible = 0;
  let preflightCount = 0;
  let blocked = 0;
  try {
    for (const kind of kinds) {
      const row = document.createElement("tr");
      const title = element("th", kind.method);
      title.setAttribute("scope", "row");
      title.append(element("span", kind.description));
      row.append(title);
      rows.append(row);
      for (const protocol of columns) {
        const result = await run(kind, protocol, preflights);
        preflightCount += result.preflights;
        possible += result.outcome === "impossible" ? 0 : 1;
        blocked += result.outcome === "blocked" ? 1 : 0;
        readable += result.outcome === "readable" ? 1 : 0;
        row.append(cell(protocol, result));
      }
    }
    status.textContent = `The script can read every part of ${readable} of ${possible} calls. The browser sent ${preflightCount} preflights.`;
    if (blocked > 0) {
      status.append(
        element("span", `${blocked} calls were blocked: the policy does not allow ${location.origin}, or the server is down. The server's log and the browser's Network panel show the reason.`, "why"),
      );
    }
  } catch (e) {
    status.textContent = `The server of the page did not answer (${e}). Is the showcase still running?`;
  } finally {
    button.disabled = false;
    server.disabled = false;
    document.body.dataset.done = "true";
  }
}

button.addEventListener("click", () => void callAll());
credentials.addEventListener("change", () => void callAll());
server.addEventListener("change", () => void callAll());
void callAll();
