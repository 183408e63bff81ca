export type RequestErrorCode =
  | 'address_missing'
  | 'address_invalid'
  | 'key_invalid'
  | 'cost_invalid'
  | 'budget_invalid'
  | 'id_invalid'
  | 'id_used'
  | 'id_conflict'

/**
 * A request that cannot be decided, because the budget or the cost of it is not known. Nothing was spent. The framework's error
 * handler gets it, and answers with `statusCode` unless you do.
 */
export class RequestError extends Error {
  override readonly name: string = 'RequestError'
  readonly code: RequestErrorCode
  /** 400 where the request is to blame, 409 for `id_used`, 422 for `id_conflict`, else 500. */
  readonly statusCode: 400 | 409 | 422 | 500

  constructor(code: RequestErrorCode, message: string, statusCode: 400 | 409 | 422 | 500 = 500) {
    super(message)
    this.code = code
    this.statusCode = statusCode
  }
}

/** For a framework that takes `undefined`, or a string such as `route`, for "go on". */
export function errorFrom(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new Error('a function of the options threw what is no Error', { cause: thrown })
}
