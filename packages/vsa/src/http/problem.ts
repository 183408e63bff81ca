/** RFC 9457, with the types and the member of draft-ietf-httpapi-ratelimit-headers. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: 429 | 503
  readonly detail: string
  /** The names of the budgets that refused. */
  readonly 'violated-policies'?: readonly string[]
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json'

const TYPES = 'https://iana.org/assignments/http-problem-types'

/** The units are not there. */
export function quotaExceeded(name: string, units: number, reason: string): Problem {
  return {
    type: `${TYPES}#quota-exceeded`,
    title: 'Quota exceeded',
    status: 429,
    detail: `The request needs ${units} of "${name}": ${reason}.`,
    'violated-policies': [name],
  }
}

/** The store cannot be asked, so it is not known whether they are. */
export function temporarilyReduced(): Problem {
  return {
    type: `${TYPES}#temporary-reduced-capacity`,
    title: 'Capacity temporarily reduced',
    status: 503,
    detail: 'Whether the quota allows the request cannot be decided at present.',
  }
}
