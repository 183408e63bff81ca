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
export const EVENT_LENGTH_MAX = 8_388_608
/** What ends the streams of OpenAI. */
const DONE = '[DONE]'
const BLANK_LINES = ['\n\n', '\r\n\r\n', '\r\r']

/** Meters the bytes of an event stream, which go on as they are. */
export class EventMeter implements ChunkMeter<Uint8Array> {
  readonly #meter: CallMeter
  readonly #format: WireFormat
  readonly #decoder = new TextDecoder()
  #parser: { feed(text: string): void } | null
  #unread: Uint8Array[] = []
  #unreadBytes = 0
  #unreadMax: number
  #mustAsk = false
  #isLast = false
  /** It is to be ended at the next end of an event. */
  #ending: StreamEnding<Uint8Array>['error'] | null = null

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
    this.#unread.push(chunk)
    this.#unreadBytes += chunk.byteLength
    if (this.#unreadBytes < this.#unreadMax && this.#ending === null) return undefined
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
    const bytes = bufferOf(chunk)
    const end = Math.max(...BLANK_LINES.map((line) => endBehind(bytes, line)))
    if (end < 0) return null
    return { error, chunks: [chunk.subarray(0, end), Buffer.from(this.#format.stopped(error))] }
  }

  #readAll(): void {
    const [first] = this.#unread
    if (first === undefined) return
    const bytes = this.#unread.length === 1 ? first : Buffer.concat(this.#unread)
    this.#unread = []
    this.#unreadBytes = 0
    this.#parser?.feed(this.#decoder.decode(bytes, { stream: true }))
    this.#unreadMax = this.#bytesLeft()
  }

  #read({ data }: EventSourceMessage): void {
    if (data === DONE) this.#isLast = true
    else this.#take(this.#usual(data) ?? this.#format.event(parsedJson(data)))
  }

  #take({ text, usage, isLast }: StreamEvent): void {
    if (usage !== undefined) this.#meter.report(usage)
    if (text !== undefined && text !== '' && this.#meter.see(text)) this.#mustAsk = true
    if (isLast === true) this.#isLast = true
  }

  /** Undefined where the event is another one, or has usage besides. */
  #usual(data: string): StreamEvent | undefined {
    const text = this.#format.usualText.exec(data)?.[1]
    if (text === undefined || data.includes('"usage":{')) return undefined
    const parsed = text.includes('\\') ? parsedJson(text) : text.slice(1, -1)
    return typeof parsed === 'string' ? { text: parsed } : undefined
  }

  #bytesLeft(): number {
    return Math.min(UNREAD_MAX, this.#meter.tokensLeft * BYTES_OF_TOKEN)
  }
}

function bufferOf(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

function endBehind(bytes: Buffer, line: string): number {
  const at = bytes.lastIndexOf(line)
  return at < 0 ? -1 : at + line.length
}
