import type { Header, HeadersWriter } from './header.ts'
import type { PolicyFigures } from './policy-figures.ts'

/* The forms that can show one budget: of several, the one that has the smallest part of its limit left. The names are those of express-rate-limit. */

/** One `RateLimit` that looks like a dictionary. */
export function draft7Headers(shown: readonly PolicyFigures[]): readonly Header[] {
  const { limit, remaining, resetSeconds } = tightest(shown)
  const reset = resetSeconds === undefined ? '' : `, reset=${resetSeconds}`
  return [policies(shown), header('RateLimit', `limit=${limit}, remaining=${remaining}${reset}`)]
}

/** `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset`. */
export function draft6Headers(shown: readonly PolicyFigures[]): readonly Header[] {
  const { limit, remaining, resetSeconds } = tightest(shown)
  const headers = [
    policies(shown),
    header('RateLimit-Limit', String(limit)),
    header('RateLimit-Remaining', String(remaining)),
  ]
  return resetSeconds === undefined ? headers : [...headers, header('RateLimit-Reset', String(resetSeconds))]
}

/** `X-RateLimit-*`. @param reset whether the reset is a time, in seconds since 1970, or the seconds until then */
export function legacyHeaders(reset: 'epoch' | 'delta'): HeadersWriter {
  return (shown) => {
    const { limit, remaining, resetSeconds, resetAtMs } = tightest(shown)
    const headers = [header('X-RateLimit-Limit', String(limit)), header('X-RateLimit-Remaining', String(remaining))]
    const epochSeconds = resetAtMs === undefined ? undefined : Math.ceil(resetAtMs / 1_000)
    const at = reset === 'delta' ? resetSeconds : epochSeconds
    if (at !== undefined) headers.push(header('X-RateLimit-Reset', String(at)))
    return headers
  }
}

/** Of every budget shown. */
function policies(shown: readonly PolicyFigures[]): Header {
  const written = shown.map(({ limit, windowSeconds }) =>
    windowSeconds === undefined ? limit : `${limit};w=${windowSeconds}`,
  )
  return header('RateLimit-Policy', written.join(', '))
}

function tightest(shown: readonly PolicyFigures[]): PolicyFigures {
  const [only, second] = shown
  if (only !== undefined && second === undefined) return only
  return shown.reduce((least, one) => (partLeft(one) < partLeft(least) ? one : least))
}

function partLeft({ limit, remaining }: PolicyFigures): number {
  return limit === 0 ? 0 : remaining / limit
}

function header(name: string, value: string): Header {
  return { name, value, isList: false }
}
