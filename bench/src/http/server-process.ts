import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ServerMessage, Variant } from './variants.ts'

const PROGRAM = fileURLToPath(new URL('server.js', import.meta.url))

type MessageOf<Kind extends ServerMessage['kind']> = Extract<ServerMessage, { readonly kind: Kind }>

/** The server of one variant. */
export class ServerProcess {
  readonly variant: Variant
  readonly #child: ChildProcess
  readonly #port: Promise<number>

  /** @param file of its store */
  constructor(variant: Variant, file: string) {
    this.variant = variant
    this.#child = fork(PROGRAM, [variant, file], { stdio: 'inherit' })
    this.#port = this.#next('listening').then(({ port }) => port)
  }

  async url(): Promise<string> {
    return `http://127.0.0.1:${await this.#port}/`
  }

  usage(): Promise<MessageOf<'usage'>> {
    return this.#ask('usage')
  }

  /** Requests without a connection. @returns the usage after them */
  direct(): Promise<MessageOf<'direct'>> {
    return this.#ask('direct')
  }

  async close(): Promise<MessageOf<'closed'>> {
    const gone = once(this.#child, 'exit')
    const closed = await this.#ask('closed')
    await gone
    return closed
  }

  async #ask<Kind extends ServerMessage['kind']>(kind: Kind): Promise<MessageOf<Kind>> {
    // Its first message is about that.
    await this.#port
    const answer = this.#next(kind)
    this.#child.send(kind)
    return answer
  }

  async #next<Kind extends ServerMessage['kind']>(kind: Kind): Promise<MessageOf<Kind>> {
    const answered = new AbortController()
    const { signal } = answered
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error(`the server of ${this.variant} ended before it answered`)
    })
    const [message] = (await Promise.race([once(this.#child, 'message', { signal }), ended])) as [ServerMessage]
    ended.catch(() => undefined)
    answered.abort()
    if (message.kind !== kind) throw new Error(`the server of ${this.variant} said ${message.kind}`)
    // Compared in the line above.
    return message as MessageOf<Kind>
  }
}
