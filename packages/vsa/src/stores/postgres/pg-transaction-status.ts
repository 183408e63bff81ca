/** T1: what a client of pg knows of its own transaction, from the last answer of the server. */

/**
 * @param client what runs the statements; nothing is known of what is no client of pg, and of one without `getTransactionStatus`
 * @throws TypeError where it is in no transaction: the next statement would commit by itself
 */
export function assertInTransaction(name: string, client: unknown): void {
  if (!tellsStatus(client) || statusOf(client) !== 'I') return
  throw new TypeError(
    `${name} is in no transaction, so that the statement would commit by itself: await its \`begin\` first, and be done before its \`commit\` or \`rollback\``,
  )
}

interface StatusTeller {
  getTransactionStatus(): unknown
}

function tellsStatus(client: unknown): client is StatusTeller {
  if (typeof client !== 'object' || client === null) return false
  return 'getTransactionStatus' in client && typeof client.getTransactionStatus === 'function'
}

/** `I` is idle. pg hands the question on to pg-native, of which not every version has an answer. */
function statusOf(client: StatusTeller): unknown {
  try {
    return client.getTransactionStatus()
  } catch {
    return undefined
  }
}
