/** Everything that the script read of a response to fetch. */
export interface RawReading {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** The name of the error that fetch threw; the other fields are then missing. */
  threw: string;
}

/** Calls fetch without an RPC client, and reads the whole response. */
export async function fetchRaw(url: string, init: RequestInit): Promise<RawReading> {
  const reading: RawReading = { status: 0, headers: {}, body: "", threw: "" };
  try {
    const response = await fetch(url, init);
    reading.status = response.status;
    reading.headers = Object.fromEntries(response.headers);
    reading.body = await response.text();
  } catch (e) {
    reading.threw = e instanceof Error ? e.name : String(e);
  }
  return reading;
}
