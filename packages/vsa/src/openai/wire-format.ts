import type { CallDenial, CallStoppedError } from '../calls/call-errors.ts'
import type { TokenUsage } from '../calls/token-usage.ts'
import type { JsonValue } from './json-value.ts'

/** What an event of a stream says. */
export interface StreamEvent {
  /** Output, as it was seen. */
  readonly text?: string
  readonly usage?: TokenUsage
  /** Nothing is lacking behind it. */
  readonly isLast?: boolean
}

/**
 * Where the text of an event is, as JSON writes it. None of these can be within a text, whose quotes are escaped. An event that is written in another way
 * is parsed, so this is about speed alone.
 */
export interface UsualEvent {
  /** Default: nothing. */
  readonly contains?: string
  readonly before: string
  readonly after: string
}

/** How one API of a provider is spoken. */
export interface WireFormat {
  /** The end of the path of its requests, behind which nothing follows. */
  readonly path: string
  /** The parts of a request that are its input. */
  readonly input: (body: JsonValue) => readonly JsonValue[]
  /** The most output tokens that the request allows; undefined where it does not say. */
  readonly outputTokensMax: (body: JsonValue) => JsonValue
  /** Answers that the request asks for, each of which may be so long. Default 1. */
  readonly answers?: (body: JsonValue) => JsonValue
  /** Of an answer that is no stream. */
  readonly usage: (answer: JsonValue) => TokenUsage
  readonly output: (answer: JsonValue) => JsonValue
  /** Of a request or its answer: the provider works on behind the answer. Default: it never does. */
  readonly goesOn?: (body: JsonValue) => boolean
  /** The usual event of a stream, which is read without parsing all of it. */
  readonly usual: UsualEvent
  readonly event: (data: JsonValue) => StreamEvent
  /** The body of an answer of status 429 that its client understands. */
  readonly denied: (denial: CallDenial, message: string) => object
  /** An event that its client throws. */
  readonly stopped: (error: CallStoppedError) => string
}
