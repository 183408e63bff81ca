import type { Ended } from '../http/ended.ts'

/**
 * The response with a body that tells when it has ended: read to its end, broken, or cancelled because the client hung up.
 * A response without a body has ended already.
 */
export function tellingEnd(response: Response, tell: (ended: Ended) => void): Response {
  const { body, status } = response
  if (body === null) {
    tell({ status, completed: true })
    return response
  }
  const chunks: ReadableStream<Uint8Array> = body
  const reader = chunks.getReader()
  const telling = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const read = await reader.read()
          if (!read.done) return controller.enqueue(read.value)
          controller.close()
          tell({ status, completed: true })
        } catch (error) {
          tell({ status, completed: false })
          controller.error(error)
        }
      },
      async cancel(reason) {
        tell({ status, completed: false })
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(telling, response)
}
