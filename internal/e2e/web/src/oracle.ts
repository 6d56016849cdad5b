// This file makes the calls of fetch that TestOracle compares with corsbrowser.

/** A call of a case. */
export interface OracleCall {
  url: string;
  method: string;
  /** Names and values, in order; a name may occur twice. */
  headers: [string, string][] | null;
  mode?: RequestMode;
  credentials?: RequestCredentials;
  redirect?: RequestRedirect;
  body?: string;
  /** Use XMLHttpRequest, with an upload listener. */
  upload?: boolean;
  /** The next call. The reading is that of the last call. */
  then?: OracleCall[];
}

/** Everything that the script read. */
export interface OracleReading {
  threw: boolean;
  status: number;
  /** Names and values, sorted by name. */
  headers: [string, string][];
  body: string;
}

/** Makes the calls, some of them concurrently. */
export async function callOracle(calls: OracleCall[]): Promise<OracleReading[]> {
  const readings: OracleReading[] = new Array(calls.length);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < calls.length; i = next++) {
      for (const call of [calls[i], ...(calls[i].then ?? [])]) {
        readings[i] = await (call.upload ? byUpload(call) : byFetch(call));
      }
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return readings;
}

async function byFetch(call: OracleCall): Promise<OracleReading> {
  const reading: OracleReading = { threw: false, status: 0, headers: [], body: "" };
  try {
    const response = await fetch(call.url, {
      method: call.method,
      headers: call.headers ?? [],
      mode: call.mode,
      credentials: call.credentials,
      redirect: call.redirect,
      body: call.body,
    });
    reading.status = response.status;
    reading.headers = [...response.headers];
    reading.body = await response.text();
  } catch {
    reading.threw = true;
  }
  return reading;
}

function byUpload(call: OracleCall): Promise<OracleReading> {
  return new Promise((resolve) => {
    const xhr = new XMLHttpRequest();
    xhr.open(call.method, call.url);
    xhr.upload.onprogress = () => {};
    xhr.onerror = () => resolve({ threw: true, status: 0, headers: [], body: "" });
    xhr.onload = () => {
      const headers = xhr.getAllResponseHeaders().trim().split("\r\n").filter((line) => line !== "").map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      });
      resolve({ threw: false, status: xhr.status, headers: headers.sort(), body: xhr.responseText });
    };
    xhr.send(call.body);
  });
}

/** Makes the calls in a sandboxed frame, which has an opaque origin. */
export async function callOracleSandboxed(calls: OracleCall[]): Promise<OracleReading[]> {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  const answer = new Promise<OracleReading[]>((resolve) => {
    addEventListener("message", (e) => resolve(e.data as OracleReading[]), { once: true });
  });
  frame.srcdoc = `<script>
    const byFetch = ${byFetch};
    const byUpload = ${byUpload};
    const callOracle = ${callOracle};
    callOracle(${JSON.stringify(calls).replaceAll("<", "\\u003c")}).then((r) => parent.postMessage(r, "*"));
  </script>`;
  document.body.append(frame);
  const readings = await answer;
  frame.remove();
  return readings;
}
