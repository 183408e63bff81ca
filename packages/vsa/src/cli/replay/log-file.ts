import { type FileHandle, open } from 'node:fs/promises'
import { type Readable, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CommandError } from '../report.ts'
import { type Line, LineSplitter } from './line-splitter.ts'

/** The name of standard input, where the path of a log is expected. */
export const STANDARD_INPUT = '-'

/** Some lines of a log. */
export interface LinesRead {
  readonly lines: readonly Line[]
  /** The fraction of the log read so far, 0 to 1; null where its size is not known: a pipe, standard input. */
  readonly fraction: number | null
}

const CHUNK_BYTES = 65_536
const GZIP_MAGIC = [0x1f, 0x8b] as const

/**
 * Streams the lines of a file, a pipe, or standard input (`-`), once. Gzip is unpacked, whatever the name.
 * @throws CommandError `no_such_file`, `unreadable_log` (a folder, no permission, damaged gzip)
 */
export async function* readLines(path: string): AsyncGenerator<LinesRead> {
  try {
    yield* path === STANDARD_INPUT ? linesOf(process.stdin, null) : linesOfFile(await open(path))
  } catch (error) {
    throw readableError(error, path)
  }
}

async function* linesOfFile(file: FileHandle): AsyncGenerator<LinesRead> {
  try {
    const stat = await file.stat()
    yield* linesOf(
      file.createReadStream({ autoClose: false, highWaterMark: CHUNK_BYTES }),
      stat.isFile() ? stat.size : null,
    )
  } finally {
    await file.close()
  }
}

/** @param size of the whole in bytes; null where it is not known */
async function* linesOf(source: Readable, size: number | null): AsyncGenerator<LinesRead> {
  let bytesRead = 0
  const fraction = (): number | null => (size === null ? null : Math.min(1, bytesRead / size))
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      bytesRead += chunk.length
      yield chunk
    }
  }
  const splitter = new LineSplitter()
  for await (const chunk of unpacked(counted())) {
    const lines = splitter.push(chunk)
    if (lines.length > 0) yield { lines, fraction: fraction() }
  }
  yield { lines: splitter.end(), fraction: size === null ? null : 1 }
}

async function* unpacked(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const head = await firstBytes(chunks)
  const whole = joined(head, chunks)
  if (GZIP_MAGIC.every((byte, at) => head[at] === byte)) {
    // The reader gets the error of any stream. The callback does nothing, but `pipeline` needs one.
    yield* pipeline(whole, createGunzip(), () => undefined) as AsyncIterable<Uint8Array>
  } else {
    yield* whole
  }
}

/** The first chunks, enough to see what it is: a pipe may give one byte at a time. */
async function firstBytes(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const head: Uint8Array[] = []
  for (let bytes = 0; bytes < GZIP_MAGIC.length;) {
    const next = await chunks.next()
    if (next.done === true) break
    head.push(next.value)
    bytes += next.value.length
  }
  return Buffer.concat(head)
}

async function* joined(head: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head
  yield* rest
}

const REASONS: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder',
  EACCES: 'this process may not read it',
  Z_BUF_ERROR: 'its gzip data ends too early',
  Z_DATA_ERROR: 'its gzip data is damaged',
}

/** An error of the system in plain words; others are returned as they are. */
function readableError(error: unknown, path: string): unknown {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return error
  if (error instanceof CommandError) return error
  const name = path === STANDARD_INPUT ? 'standard input' : path
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR')
    return new CommandError('no_such_file', `${name} does not exist: name a log, or - for standard input`)
  const reason = REASONS[error.code] ?? error.message
  return new CommandError('unreadable_log', `${name} cannot be read: ${reason}`, { cause: error })
}
