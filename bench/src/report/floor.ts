/** A promised figure, and whether it was met. */
export interface Floor {
  readonly name: string
  readonly value: number
  readonly bound: 'at least' | 'at most'
  readonly limit: number
  readonly met: boolean
}

export function atLeast(name: string, value: number, limit: number): Floor {
  return { name, value, bound: 'at least', limit, met: value >= limit }
}

export function atMost(name: string, value: number, limit: number): Floor {
  return { name, value, bound: 'at most', limit, met: value <= limit }
}
