import { createHash } from 'node:crypto'

/** What names a job. */
export interface IdentifiedJob {
  readonly id?: string | undefined
  readonly queueName: string
  /** When it was added, ms since 1970. */
  readonly timestamp: number
}

/** The longest id of an admission. */
const LENGTH_MAX = 256

/** The same for every attempt of a job, and for no other: a queue that is emptied counts its ids from 1 again, and another queue has the same ones. */
export function admissionId({ queueName, id = '', timestamp }: IdentifiedJob): string {
  const name = JSON.stringify([queueName, id, timestamp])
  if (name.length <= LENGTH_MAX) return name
  return `sha256-${createHash('sha256').update(name).digest('hex')}`
}
