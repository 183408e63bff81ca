/*
 * What the middleware needs of the AI SDK's language models, version 3 and 4 of their specification. Structural: nothing is imported from it.
 */

/** The model that is called. */
export interface CalledModel {
  readonly provider: string
  readonly modelId: string
}

/** The parameters of a call, as far as they are read. The rest is there too. */
export interface ModelCallParams {
  /** Messages. Only read for the estimate. */
  readonly prompt: unknown
  readonly tools?: unknown
  readonly responseFormat?: unknown
  readonly maxOutputTokens?: number | undefined
  readonly abortSignal?: AbortSignal | undefined
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined
  readonly providerOptions?: Readonly<Record<string, unknown>> | undefined
}

/** What `budget` and `id` of the options get. */
export interface ModelCall {
  readonly model: CalledModel
  readonly params: ModelCallParams
  readonly type: 'generate' | 'stream'
}

/** Usage as a model reports it. Version 2 has plain numbers, in `inputTokens` and `outputTokens`. */
export interface ModelUsage {
  readonly inputTokens?: unknown
  readonly outputTokens?: unknown
  readonly cachedInputTokens?: unknown
}

export interface GenerateResult {
  readonly content: unknown
  readonly usage: ModelUsage
}

/** `stream` is a `ReadableStream` of parts. */
export interface StreamResult {
  readonly stream: unknown
}

/** A part of a stream: those that are read have these fields. */
export interface ModelStreamPart {
  readonly type: string
  readonly delta?: unknown
  readonly usage?: ModelUsage
  readonly toolCallId?: unknown
  readonly id?: unknown
  readonly input?: unknown
}

interface Wrapped {
  readonly params: ModelCallParams
  readonly model: CalledModel
}

/** Fits `LanguageModelV4Middleware` and `LanguageModelV3Middleware`, for `wrapLanguageModel({ model, middleware })`. */
export interface MeteringMiddleware<Version extends 'v3' | 'v4'> {
  readonly specificationVersion: Version
  readonly wrapGenerate: <Result extends GenerateResult>(
    options: Wrapped & { readonly doGenerate: () => PromiseLike<Result> },
  ) => Promise<Result>
  readonly wrapStream: <Result extends StreamResult>(
    options: Wrapped & { readonly doStream: () => PromiseLike<Result> },
  ) => Promise<Result>
}
