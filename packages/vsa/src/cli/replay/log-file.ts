import { type FileHandle, open } from 'node:fs/promises'
import { Transform, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Line, LineSplitter } from './line-splitter.ts'

/** Some lines of a file, and the fraction of the file read so far, 0 to 1. */
export interface LinesRead {
  readonly lines: readonly Line[]
  readonly fraction: number
}

/** Streams the lines of a file. A gzip file is unpacked, whatever its name. Rejects with the error of the system when it cannot be read. */
export async function* readLines(path: string): AsyncGenerator<LinesRead> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    let bytesRead = 0
    const bytes = await contentOf(file, (count) => (bytesRead += count))
    const splitter = new LineSplitter()
    for await (const chunk of bytes) {
      const lines = splitter.push(chunk)
      if (lines.length > 0) yield { lines, fraction: size === 0 ? 1 : bytesRead / size }
    }
    yield { lines: splitter.end(), fraction: 1 }
  } finally {
    await file.close()
  }
}

async function contentOf(file: FileHandle, onRead: (count: number) => void): Promise<AsyncIterable<Uint8Array>> {
  const isGzipped = await isGzip(file)
  const counted = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      onRead(chunk.length)
      done(null, chunk)
    },
  })
  const source = file.createReadStream({ start: 0, autoClose: false, highWaterMark: 65_536 })
  // The reader of the last stream gets the error of any stream. The callback does nothing, but `pipeline` needs one.
  return isGzipped
    ? pipeline(source, counted, createGunzip(), () => undefined)
    : pipeline(source, counted, () => undefined)
}

async function isGzip(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
}
