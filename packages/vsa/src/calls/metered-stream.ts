import type { CallStoppedError } from './call-errors.ts'

/** What a stream is ended with. */
export interface StreamEnding<Chunk> {
  readonly error: CallStoppedError
  /** Comes in place of the chunk that was seen. */
  readonly chunks: readonly Chunk[]
}

/** Sees each chunk before its reader, and hears of the end. */
export interface ChunkMeter<Chunk> {
  /** Undefined: the chunk goes on at once. Else it waits; null: it goes on. */
  see(chunk: Chunk): Promise<StreamEnding<Chunk> | null> | undefined
  end(outcome: 'finished' | 'aborted' | 'broken' | 'stopped'): Promise<void>
}

export interface MeteredStream<Chunk> {
  readonly stream: ReadableStream<Chunk>
  /** Ends it from outside, with an error. */
  readonly stop: (reason: CallStoppedError) => void
}

/**
 * The chunks of `source` as they are, each when it is read: nothing is read ahead. Cancelling it cancels the source. The end of the call comes before the end
 * of the stream: once it has been read, the call is settled.
 * @param signal that of the call: once it is aborted, the call is over, though its source may not heed it and nothing may be reading just now
 */
export function meteredStream<Chunk>(
  source: ReadableStream<Chunk>,
  meter: ChunkMeter<Chunk>,
  signal: AbortSignal | undefined,
): MeteredStream<Chunk> {
  const reader = source.getReader()
  let out: ReadableStreamDefaultController<Chunk> | null = null
  let isOver = false

  const end = (outcome: Parameters<typeof meter.end>[0]): Promise<void> => {
    signal?.removeEventListener('abort', onAbort)
    return meter.end(outcome === 'broken' && signal?.aborted === true ? 'aborted' : outcome)
  }
  const onAbort = (): void => {
    end('aborted').catch(() => undefined)
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  // Aborted before this: the listener hears nothing of it.
  if (signal?.aborted === true) onAbort()

  const finish = async (ending: StreamEnding<Chunk> | null, chunk: Chunk): Promise<void> => {
    if (isOver) return
    if (ending === null) return out?.enqueue(chunk)
    isOver = true
    cancel(reader, ending.error)
    await end('stopped')
    for (const last of ending.chunks) out?.enqueue(last)
    out?.close()
  }
  const pass = (read: Awaited<ReturnType<typeof reader.read>>): Promise<void> | undefined => {
    if (isOver) return undefined
    if (read.done) {
      isOver = true
      return end('finished').then(() => out?.close())
    }
    const asked = meter.see(read.value)
    if (asked !== undefined) return asked.then((ending) => finish(ending, read.value))
    out?.enqueue(read.value)
    return undefined
  }
  const fail = async (error: unknown): Promise<void> => {
    if (isOver) return
    isOver = true
    await end('broken')
    throw error
  }
  const stream = new ReadableStream<Chunk>(
    {
      start: (controller) => {
        out = controller
      },
      pull: () => reader.read().then(pass, fail),
      cancel: async (reason) => {
        isOver = true
        await Promise.all([end('aborted'), reader.cancel(reason)])
      },
    },
    { highWaterMark: 0 },
  )
  return {
    stream,
    stop: (reason) => {
      if (isOver) return
      isOver = true
      out?.error(reason)
      cancel(reader, reason)
      // It never rejects.
      end('stopped').catch(() => undefined)
    },
  }
}

/** The source may be broken already, or never answer. */
function cancel(reader: ReadableStreamDefaultReader<unknown>, reason: unknown): void {
  reader.cancel(reason).catch(() => undefined)
}
