// pg-boss as its documentation advises for speed: batches that are fetched without a pause while they come full, LISTEN/NOTIFY on, a worker of its own for what is urgent.
import { PgBoss } from "pg-boss";
import pg from "pg";
import { Began, measured, now, oneByOne, pause, sample, until } from "./contender.mjs";

const [operation, connectionString, count, milliseconds] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5] ?? 0)];
const bulkSize = 10000;
const pool = new pg.Pool({ connectionString, max: 1 });
pool.on("error", () => {});
const boss = new PgBoss({ connectionString, max: 25, useListenNotify: true });
boss.on("error", () => {});
await boss.start();
await boss.createQueue("bulk", { notify: true });
await boss.createQueue("urgent", { notify: true });

let ran = 0;
let target = Infinity;
let reached = () => {};
const urgent = new Began();
const data = (n) => Array.from({ length: n }, (_, number) => ({ data: { number } }));
async function insert(n) {
  for (let from = 0; from < n; from += bulkSize) await boss.insert("bulk", data(Math.min(bulkSize, n - from)));
}
const eight = (call) => Promise.all(Array.from({ length: 8 }, () => oneByOne(count / 8, call)));
const polling = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 };
const work = () =>
  boss.work("bulk", { ...polling, batchSize: 1000, localConcurrency: 4, burstWhenBatchFull: true }, async (jobs) => {
    ran += jobs.length;
    if (ran >= target) reached();
  });

async function drain(n) {
  await insert(n);
  return async () => {
    ran = 0;
    target = n;
    const all = new Promise((resolve) => (reached = resolve));
    await work();
    await all;
    await until(pool, "SELECT NOT EXISTS (SELECT FROM pgboss.job WHERE name = 'bulk' AND state < 'completed') AS over");
    await boss.offWork("bulk");
  };
}

const operations = {
  single: async () => {
    await oneByOne(200, (number) => boss.send("bulk", { number }));
    await measured(() => oneByOne(count, (number) => boss.send("bulk", { number })));
  },
  threads: async () => {
    await oneByOne(200, (number) => boss.send("bulk", { number }));
    await measured(() => eight((number) => boss.send("bulk", { number })));
  },
  bulk: async () => {
    await insert(1000);
    await measured(() => insert(count));
  },
  drain: async () => {
    await (await drain(20000))();
    await measured(await drain(count));
  },
  idle: async () => {
    await boss.work("urgent", { ...polling }, async () => urgent.tell());
    const ping = () => urgent.after(() => boss.send("urgent", {}));
    await sample(100, 2, 5, ping);
    await measured(async () => ({ waits: await sample(count, 15, 30, ping) }));
  },
  urgent: async () => {
    await insert(100000);
    await boss.work("urgent", { ...polling }, async () => urgent.tell());
    if (milliseconds > 0)
      await boss.work("bulk", { ...polling, batchSize: 24, localConcurrency: 1, burstWhenBatchFull: true }, async (jobs) => {
        await pause(milliseconds);
        ran += jobs.length;
      });
    else await work();
    const ping = () => urgent.after(() => boss.send("urgent", {}));
    while (ran === 0) await pause(5);
    await sample(20, 2, 5, ping);
    await measured(async () => {
      const began = now();
      const before = ran;
      const waits = await sample(count, 2, 10, ping);
      return { waits, bulkPerSecond: (ran - before) / ((now() - began) / 1000) };
    });
  },
};
await operations[operation]();
process.exit(0);
