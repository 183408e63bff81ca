/** Streams that get their chunks from outside, at a pace. */
export interface FakeStreams<Chunk> {
  readonly sources: readonly ReadableStream<Chunk>[]
  /** The next chunks, one stream after the other. */
  push(count: number): void
  /** The last chunks of each, and the end. */
  close(): void
}

export function fakeStreams<Chunk>(
  count: number,
  chunkAt: (at: number) => Chunk,
  lastChunks: readonly Chunk[],
): FakeStreams<Chunk> {
  const outs: ReadableStreamDefaultController<Chunk>[] = []
  const sources = Array.from(
    { length: count },
    () => new ReadableStream<Chunk>({ start: (controller) => void outs.push(controller) }),
  )
  let at = 0
  return {
    sources,
    push: (chunks) => {
      for (let pushed = 0; pushed < chunks; pushed += 1, at += 1) outs[at % count]?.enqueue(chunkAt(at))
    },
    close: () => {
      for (const out of outs) {
        for (const chunk of lastChunks) out.enqueue(chunk)
        out.close()
      }
    },
  }
}

/** A second stream behind it, which does nothing: what any meter pays at least. */
export function behind<Chunk>(source: ReadableStream<Chunk>): ReadableStream<Chunk> {
  const reader = source.getReader()
  return new ReadableStream<Chunk>(
    {
      pull: (controller) =>
        reader.read().then(({ done, value }) => {
          if (done) controller.close()
          else controller.enqueue(value)
        }),
    },
    { highWaterMark: 0 },
  )
}

/** Reads all of it. @returns how many chunks there were */
export async function drain(stream: ReadableStream<unknown>): Promise<number> {
  const reader = stream.getReader()
  let chunks = 0
  for (let read = await reader.read(); !read.done; read = await reader.read()) chunks += 1
  return chunks
}
