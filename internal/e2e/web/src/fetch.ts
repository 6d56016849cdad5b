/** What the script read of one answer to a plain fetch. */
export interface RawReading {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** The name of what fetch threw, in place of all the rest. */
  threw: string;
}

/** Fetches without a client, and reads all there is to read. */
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
