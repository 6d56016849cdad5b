// What the jobs of the tests call in the page: it is bundled into one script
// that every page loads, and offers itself as the global `e2e`.

import { callShowcase, readAndCancel, readAndRelease } from "./calls";
import { fetchRaw } from "./fetch";
import { callOracle, callOracleSandboxed } from "./oracle";

const e2e = { callOracle, callOracleSandboxed, callShowcase, fetchRaw, readAndCancel, readAndRelease };

declare global {
  var e2e: unknown;
}

globalThis.e2e = e2e;
