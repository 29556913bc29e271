// Waiting that an abort ends. Must not know what is waited for.

/** What the job gives, or the signal's reason as soon as it aborts; the job goes on then and nobody hears of it. */
export async function untilAbort<T>(job: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await job;
  job.catch(() => {}); // After an abort nobody else does.
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([job, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
