import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { CallMeter } from '../calls/call-meter.ts'
import type { CallOutcome } from '../calls/call-settlement.ts'
import type { ChunkMeter, StreamEnding } from '../calls/metered-stream.ts'
import { parsedJson } from './json-value.ts'
import type { StreamEvent, WireFormat } from './wire-format.ts'

/** Bytes that have gone on and are not read yet, at most. Read together they cost a fraction. */
const UNREAD_MAX = 8_192
/** Bytes of an event for each token, at least: the names of its fields. */
const BYTES_OF_TOKEN = 16
/** Characters of one event. A longer one is not read, and ends the reading: what was seen until then counts. */
const EVENT_LENGTH_MAX = 8_388_608
/** What ends the streams of OpenAI. */
const DONE = '[DONE]'
const NOT_ASCII = /[\u0080-\u00ff]/
const BLANK_LINES = ['\n\n', '\r\n\r\n', '\r\r']
/** A blank line may begin so many bytes before the chunk that ends it. */
const BEFORE_BYTES = 3

/** Meters the bytes of an event stream, which go on as they are. */
export class EventMeter implements ChunkMeter<Uint8Array> {
  readonly #meter: CallMeter
  readonly #format: WireFormat
  #parser: { feed(text: string): void } | null
  readonly #unread = Buffer.allocUnsafe(UNREAD_MAX)
  #unreadBytes = 0
  #unreadMax: number
  #mustAsk = false
  #isLast = false
  /** It is to be ended at the next end of an event. */
  #ending: StreamEnding<Uint8Array>['error'] | null = null
  /** The last bytes before the chunk, once it is to be ended. */
  #before = Buffer.alloc(0)

  constructor(meter: CallMeter, format: WireFormat) {
    this.#meter = meter
    this.#format = format
    this.#unreadMax = this.#bytesLeft()
    this.#parser = createParser({
      onEvent: (event) => this.#read(event),
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') this.#parser = null
      },
      maxBufferSize: EVENT_LENGTH_MAX,
    })
  }

  see(chunk: Uint8Array): Promise<StreamEnding<Uint8Array> | null> | undefined {
    this.#meter.touch()
    this.#keep(chunk)
    if (this.#unreadBytes < this.#unreadMax && this.#ending === null && !this.#mustAsk) return undefined
    this.#readAll()
    if (this.#ending !== null) return Promise.resolve(this.#cut(chunk, this.#ending))
    return this.#mustAsk ? this.#ask(chunk) : undefined
  }

  end(outcome: CallOutcome): Promise<void> {
    this.#readAll()
    // What its reader leaves behind the last event is no abort.
    if (this.#isLast && (outcome === 'aborted' || outcome === 'broken')) return this.#meter.end('finished')
    return this.#meter.end(outcome === 'finished' && !this.#isLast ? 'broken' : outcome)
  }

  async #ask(chunk: Uint8Array): Promise<StreamEnding<Uint8Array> | null> {
    this.#ending = await this.#meter.covers()
    this.#mustAsk = false
    this.#unreadMax = this.#bytesLeft()
    return this.#ending && this.#cut(chunk, this.#ending)
  }

  /** Behind the last event that ends in the chunk; null where none does, so that it goes on as it is. */
  #cut(chunk: Uint8Array, error: StreamEnding<Uint8Array>['error']): StreamEnding<Uint8Array> | null {
    if (this.#isLast) return null
    const bytes = Buffer.concat([this.#before, chunk])
    const end = Math.max(...BLANK_LINES.map((line) => endBehind(bytes, line))) - this.#before.length
    if (end <= 0) {
      this.#before = bytes.subarray(-BEFORE_BYTES)
      return null
    }
    return { error, chunks: [chunk.subarray(0, end), Buffer.from(this.#format.stopped(error))] }
  }

  #keep(chunk: Uint8Array): void {
    if (this.#unreadBytes + chunk.byteLength > UNREAD_MAX) this.#readAll()
    if (chunk.byteLength > UNREAD_MAX) this.#feed(bufferOf(chunk))
    else {
      this.#unread.set(chunk, this.#unreadBytes)
      this.#unreadBytes += chunk.byteLength
    }
  }

  #readAll(): void {
    if (this.#unreadBytes === 0) return
    const bytes = this.#unread.subarray(0, this.#unreadBytes)
    this.#unreadBytes = 0
    this.#feed(bytes)
  }

  /** Byte by byte, so that a character may be cut in two. What is text becomes UTF-8 when an event is complete. */
  #feed(bytes: Buffer): void {
    this.#parser?.feed(bytes.toString('latin1'))
    this.#unreadMax = this.#bytesLeft()
  }

  #read({ data }: EventSourceMessage): void {
    if (data === DONE) this.#isLast = true
    else this.#take(this.#usual(data) ?? this.#format.event(parsedJson(decoded(data))))
  }

  #take({ text, usage, isLast }: StreamEvent): void {
    if (usage !== undefined) this.#meter.report(usage)
    if (text !== undefined && text !== '' && this.#meter.see(text)) this.#mustAsk = true
    if (isLast === true) this.#isLast = true
  }

  /** Undefined where the event is another one, has escapes in its text, or more: another text, or usage, before or behind it. */
  #usual(data: string): StreamEvent | undefined {
    const { contains, before, after } = this.#format.usual
    if (contains !== undefined && !data.includes(contains)) return undefined
    const found = data.indexOf(before)
    if (found < 0) return undefined
    const start = found + before.length
    const end = data.indexOf('"', start)
    if (!data.startsWith(after, end) || data.includes(before, end) || data.includes('"usage":{')) return undefined
    const text = data.slice(start, end)
    return text.includes('\\') ? undefined : { text: decoded(text) }
  }

  #bytesLeft(): number {
    return Math.min(UNREAD_MAX, this.#meter.tokensLeft * BYTES_OF_TOKEN)
  }
}

/** @param bytes a character for each byte of UTF-8 */
function decoded(bytes: string): string {
  return NOT_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString() : bytes
}

function bufferOf(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

function endBehind(bytes: Buffer, line: string): number {
  const at = bytes.lastIndexOf(line)
  return at < 0 ? -1 : at + line.length
}
