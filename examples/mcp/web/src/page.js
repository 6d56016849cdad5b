// Makes the calls of both generations of the SDK, and shows what the script could read.

import { calls as client2 } from "./client2.js";
import { calls as sdk1 } from "./sdk1.js";

// A call that hangs, such as one that waits for a notification, ends after that time.
const patience = 5000;

async function callAll(server) {
  const button = document.getElementById("call");
  const list = document.getElementById("calls");
  button.disabled = true;
  list.replaceChildren();
  for (const [generation, calls] of Object.entries({ "sdk 1.x": sdk1, "client 2.x": client2 })) {
    for (const [name, call] of Object.entries(calls)) {
      const result = document.createElement("dd");
      list.append(Object.assign(document.createElement("dt"), { textContent: `${generation}: ${name}` }), result);
      const late = new Promise((_, fail) => setTimeout(() => fail(new Error("no answer")), patience));
      const done = call(server, (text) => result.append(text));
      await Promise.race([done, late]).catch((e) => result.append(`failed: ${e.message}`));
    }
  }
  button.disabled = false;
}

const server = await (await fetch("server.json")).json();
document.getElementById("here").textContent = location.origin;
document.getElementById("server").textContent = server.mcp;
document.getElementById("call").addEventListener("click", () => callAll(server));
void callAll(server);
