import { type ClientRequest, request as httpRequest } from 'node:http'

/** A response as it came over the wire. */
export interface Received {
  readonly status: number
  readonly body: string
  /** By the name as it was written; several lines are a list. */
  readonly headers: Readonly<Record<string, string>>
}

/** A request that can be given up. */
export interface Asked {
  readonly request: ClientRequest
  readonly received: Promise<Received>
  /** Resolves with the first part of the body. */
  readonly begun: Promise<string>
}

export function ask(url: string, headers: Record<string, string> = {}): Asked {
  const request = httpRequest(url, { headers, agent: false })
  const begun = new Promise<string>((resolve, reject) => {
    request.on('response', (response) => response.once('data', (chunk) => resolve(String(chunk))))
    request.on('error', reject)
  })
  const received = new Promise<Received>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      let body = ''
      response.on('data', (chunk) => (body += String(chunk)))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: asWritten(response.rawHeaders) }),
      )
    })
  })
  // A test awaits one of them, or hangs up.
  for (const one of [begun, received]) one.catch(() => undefined)
  request.end()
  return { request, received, begun }
}

export async function get(url: string, headers: Record<string, string> = {}): Promise<Received> {
  return ask(url, headers).received
}

function asWritten(raw: readonly string[]): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    headers[name] = headers[name] === undefined ? (raw[at + 1] ?? '') : `${headers[name]}, ${raw[at + 1]}`
  }
  return headers
}

/** The headers of the limit alone, in order, by lower case: frameworks write names as they like. */
export function limitHeaders({ headers }: Received): Readonly<Record<string, string>> {
  const isOfLimit = ([name]: readonly [string, string]): boolean => /^(x-)?ratelimit|^retry-after$/i.test(name)
  return Object.fromEntries(
    Object.entries(headers)
      .filter(isOfLimit)
      .map(([name, value]) => [name.toLowerCase(), value]),
  )
}

/** Waits for other turns of the event loop, until it holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
