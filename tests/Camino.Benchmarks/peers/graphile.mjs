// graphile-worker as its page "Performance" advises: 24 at once, a local queue of 500, results in batches. For the latency of urgent jobs without the local queue, behind which they would wait.
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import pg from "pg";
import { Began, measured, now, oneByOne, pause, sample, until } from "./contender.mjs";

const [operation, connectionString, count, milliseconds] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5] ?? 0)];
const pool = new pg.Pool({ connectionString, max: 1 });
pool.on("error", () => {});
const logger = new Logger(() => () => {});
const batched = { concurrentJobs: 24, maxPoolSize: 25, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
const direct = { concurrentJobs: 24, maxPoolSize: 25 };
const utils = await makeWorkerUtils({ connectionString, maxPoolSize: 10, logger });
await utils.migrate();

let ran = 0;
let target = Infinity;
let reached = () => {};
const urgent = new Began();
const taskList = {
  noop: async () => {
    if (++ran === target) reached();
  },
  wait: async () => {
    await pause(milliseconds);
    ran++;
  },
  urgent: async () => urgent.tell(),
};
const start = (worker) => run({ taskList, noHandleSignals: true, preset: { worker: { connectionString, logger, ...worker } } });
const eight = (call) => Promise.all(Array.from({ length: 8 }, () => oneByOne(count / 8, call)));
const jobs = (identifier, n) => Array.from({ length: n }, (_, number) => ({ identifier, payload: { number } }));

async function drain(n) {
  await utils.addJobs(jobs("noop", n));
  return async () => {
    ran = 0;
    target = n;
    const all = new Promise((resolve) => (reached = resolve));
    const runner = await start(batched);
    await all;
    await until(pool, "SELECT NOT EXISTS (SELECT FROM graphile_worker._private_jobs) AS over");
    return runner;
  };
}

const operations = {
  single: async () => {
    await oneByOne(200, (number) => utils.addJob("noop", { number }));
    await measured(() => oneByOne(count, (number) => utils.addJob("noop", { number })));
  },
  threads: async () => {
    await oneByOne(200, (number) => utils.addJob("noop", { number }));
    await measured(() => eight((number) => utils.addJob("noop", { number })));
  },
  bulk: async () => {
    await utils.addJobs(jobs("noop", 1000));
    await measured(async () => {
      await utils.addJobs(jobs("noop", count));
    });
  },
  drain: async () => {
    await (await (await drain(20000))()).stop();
    const act = await drain(count);
    let runner;
    await measured(async () => {
      runner = await act();
    });
    await runner.stop();
  },
  idle: async () => {
    const runner = await start(direct);
    const ping = () => urgent.after(() => utils.addJob("urgent", {}));
    await sample(100, 2, 5, ping);
    await measured(async () => ({ waits: await sample(count, 15, 30, ping) }));
    await runner.stop();
  },
  urgent: async () => {
    const bulk = milliseconds > 0 ? "wait" : "noop";
    await utils.addJobs(jobs(bulk, 100000));
    const runner = await start(direct);
    const ping = () => urgent.after(() => utils.addJob("urgent", {}, { priority: -10 }));
    while (ran === 0) await pause(5);
    await sample(20, 2, 5, ping);
    await measured(async () => {
      const began = now();
      const before = ran;
      const waits = await sample(count, 2, 10, ping);
      return { waits, bulkPerSecond: (ran - before) / ((now() - began) / 1000) };
    });
    await runner.stop().catch(() => {});
  },
};
await operations[operation]();
process.exit(0);
