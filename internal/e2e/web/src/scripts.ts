// The functions that the jobs of the tests call. They are bundled into one script, which every page loads, as the global `e2e`.

import { callShowcase, readAndCancel, readAndRelease } from "./calls";
import { fetchRaw } from "./fetch";
import { callOracle, callOracleSandboxed } from "./oracle";

const e2e = { callOracle, callOracleSandboxed, callShowcase, fetchRaw, readAndCancel, readAndRelease };

declare global {
  var e2e: unknown;
}

globalThis.e2e = e2e;
