// How a contender talks to the bench: "ready" when all is prepared, the measured part after the bench has answered, "over" with what it saw, and its end after the next answer.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const now = () => Number(process.hrtime.bigint()) / 1e6;
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Runs the measured part; what it returns goes to the bench. */
export async function measured(part) {
  console.log("ready");
  await lines.next();
  const started = now();
  const seen = await part();
  console.log(`over ${JSON.stringify({ seconds: (now() - started) / 1000, waits: seen?.waits, bulkPerSecond: seen?.bulkPerSecond })}`);
  await lines.next();
}

/** So many calls, each after the answer of the one before. */
export async function oneByOne(count, call) {
  for (let n = 0; n < count; n++) await call(n);
}

/** Waits until the statement says true. */
export async function until(pool, sql) {
  while (!(await pool.query(sql)).rows[0].over) await pause(5);
}

/** The moments at which handlers began, awaited one at a time. */
export class Began {
  #resolve;
  /** Called by the handler. */
  tell() {
    this.#resolve?.(now());
  }
  /** From the call to the beginning of its handler, in milliseconds. */
  async after(call) {
    const began = new Promise((resolve) => (this.#resolve = resolve));
    const asked = now();
    await call();
    return (await began) - asked;
  }
}

/** Waits for samples: the call again and again, with pauses that follow no pattern of the server. */
export async function sample(count, shortest, spread, call) {
  const waits = [];
  for (let n = 0; n < count; n++) {
    await pause(shortest + Math.random() * spread);
    waits.push(await call());
  }
  return waits;
}
