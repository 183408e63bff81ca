import type { RequestSource } from './client-address.ts'

/** Behind a proxy that is not trusted, all clients are one. It is seen at the first header of a proxy, and said once. */
export class ForwardedWarning {
  #isSaid = false

  look(source: RequestSource): void {
    if (this.#isSaid || source.forwardedFor === undefined) return
    this.#isSaid = true
    console.warn(
      `vsa: a request from ${source.remoteAddress ?? 'a socket without an address'} has X-Forwarded-For, which is not believed: trustProxy is not set. ` +
        'Behind a proxy all clients then share one budget: set trustProxy to the addresses of your proxies. Without one, set it to false.',
    )
  }
}
