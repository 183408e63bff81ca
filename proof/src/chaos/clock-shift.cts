/*
 * Shifts the wall clock in every thread of a child, by a schedule that takes effect while it runs. `NODE_OPTIONS=--require` loads this file in
 * each thread, also in SQLite's. The schedule is `[[atMs, offsetMs], …]` in the environment. `atMs` is on the machine's monotonic clock, which
 * all processes and threads share, so that the clocks of one process jump together.
 */
{
  const schedule = JSON.parse(process.env['VSA_CHAOS_CLOCK'] ?? '[]') as [number, number][]
  const RealDate = Date
  const realNow = Date.now

  const shiftedNow = (): number => {
    const atMs = Number(process.hrtime.bigint() / 1_000_000n)
    let offsetMs = 0
    for (const [fromMs, nextMs] of schedule) if (fromMs <= atMs) offsetMs = nextMs
    return realNow() + offsetMs
  }

  RealDate.now = shiftedNow
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], type): object =>
      Reflect.construct(target, args.length === 0 ? [shiftedNow()] : args, type) as Date,
    apply: () => new RealDate(shiftedNow()).toString(),
  })
}
