/* BullMQ knows these errors by their names, so that they need not be its own classes. */

/** The job has been moved by its processor: it is not completed, has not failed, and keeps its attempts. */
export function postponed(key: string): Error {
  return named('DelayedError', `${key}: no units now, the job is delayed`)
}

/** The job has failed, and is not tried again. */
export function failedForGood(message: string): Error {
  return named('UnrecoverableError', message)
}

function named(name: string, message: string): Error {
  const error = new Error(message)
  error.name = name
  return error
}
